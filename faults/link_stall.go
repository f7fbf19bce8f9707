package faults

func bindLinkStall(p Plant, target string) (apply, bool) {
	l, ok := p.Link(target)
	return toggle(func(on bool) { l.Stall(on) }), ok
}
