package faults

func bindPLCNoRepublish(p Plant, target string) (apply, bool) {
	sw, ok := p.Switch(target)
	return toggleOr(func(on bool) error { return sw.NoRepublish(on) }), ok
}

func brittleEffect(Config, string) Effect { return Effect{Brittle: true} }
