package plant

// crew repairs the machines of a line, first come, first served.
type crew struct {
	free    int
	waiting []func()
}

// call begins the job as soon as somebody is free.
func (c *crew) call(begin func()) {
	if c.free == 0 {
		c.waiting = append(c.waiting, begin)
		return
	}
	c.free--
	begin()
}

// done frees who did a job for the next.
func (c *crew) done() {
	if len(c.waiting) == 0 {
		c.free++
		return
	}
	begin := c.waiting[0]
	c.waiting = c.waiting[1:]
	begin()
}
