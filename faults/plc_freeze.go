package faults

func bindPLCFreeze(p Plant, target string) (apply, bool) {
	sw, ok := p.Switch(target)
	return toggle(func(on bool) { sw.Freeze(on) }), ok
}
