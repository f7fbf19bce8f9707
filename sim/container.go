package sim

import "fmt"

// Container holds an amount of something continuous, such as fuel in a tank,
// in a unit of the model's choice. The first of those that wait is served
// first, even where a later one wants less.
type Container struct {
	capacity float64
	putters  line[*Process]
	getters  line[*Process]
	level    Monitor
}

// NewContainer makes a container of that capacity with that much in it.
func NewContainer(k *Kernel, capacity, level float64) *Container {
	if !(level >= 0 && level <= capacity) {
		panic(fmt.Sprintf("sim: a container of %v cannot hold %v", capacity, level))
	}
	return &Container{capacity: capacity, level: *NewMonitor(k, level)}
}

// Capacity is what goes in at most.
func (c *Container) Capacity() float64 { return c.capacity }

// Level is what is in it, over time.
func (c *Container) Level() *Monitor { return &c.level }

// Put waits for room and puts size in, all at once. An error is an
// *Interrupt, or says that size can never fit; nothing is put in then.
func (c *Container) Put(p *Process, size float64) error { return c.wait(p, &c.putters, size) }

// Get waits until size is there and takes it out, all at once.
func (c *Container) Get(p *Process, size float64) error { return c.wait(p, &c.getters, size) }

func (c *Container) wait(p *Process, l *line[*Process], size float64) error {
	if err := p.interrupted(); err != nil {
		return err
	}
	if !(size >= 0 && size <= c.capacity) {
		return fmt.Errorf("an amount of %v does not fit a container of %v", size, c.capacity)
	}
	p.amount = size
	l.push(p)
	if c.serve(p) {
		return nil
	}
	return p.park(c)
}

// serve moves what can be moved. The process that runs, self, needs no
// waking: serve says whether it was served.
func (c *Container) serve(self *Process) (served bool) {
	for moved := true; moved; {
		moved = false
		if c.putters.n > 0 {
			if p := *c.putters.at(0); c.level.Value()+p.amount <= c.capacity {
				served = c.move(&c.putters, p.amount, self) || served
				moved = true
			}
		}
		if c.getters.n > 0 {
			if p := *c.getters.at(0); p.amount <= c.level.Value() {
				served = c.move(&c.getters, -p.amount, self) || served
				moved = true
			}
		}
	}
	return served
}

func (c *Container) move(l *line[*Process], change float64, self *Process) bool {
	p := l.remove(0)
	c.level.Add(change)
	if p == self {
		return true
	}
	p.ready()
	return false
}

// TryPut puts size in if there is room and nobody waits to put.
func (c *Container) TryPut(size float64) bool {
	if !(size >= 0) || c.putters.n > 0 || c.level.Value()+size > c.capacity {
		return false
	}
	c.level.Add(size)
	c.serve(nil)
	return true
}

// TryGet takes size out if it is there and nobody waits to get.
func (c *Container) TryGet(size float64) bool {
	if !(size >= 0) || c.getters.n > 0 || size > c.level.Value() {
		return false
	}
	c.level.Add(-size)
	c.serve(nil)
	return true
}

// forget takes p out of its line; who stood behind it may be smaller.
func (c *Container) forget(p *Process) {
	for _, l := range []*line[*Process]{&c.putters, &c.getters} {
		for i := range l.n {
			if *l.at(i) == p {
				l.remove(i)
				c.serve(nil)
				return
			}
		}
	}
}
