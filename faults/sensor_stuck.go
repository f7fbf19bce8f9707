package faults

func bindSensorStuck(p Plant, target string) (apply, bool) {
	ch, _, ok := p.Channel(target)
	return toggle(func(on bool) { ch.Stuck(on) }), ok
}
