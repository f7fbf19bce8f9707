package faults

func bindPLCStop(p Plant, target string) (apply, bool) {
	sw, ok := p.Switch(target)
	return toggle(func(on bool) {
		if on {
			sw.Stop()
		} else {
			sw.Start()
		}
	}), ok
}
