package faults

func bindPLCSessionsFull(p Plant, target string) (apply, bool) {
	sw, ok := p.Switch(target)
	return toggle(func(on bool) { sw.SessionsFull(on) }), ok
}
