package faults

func bindPLCNamespaceMoved(p Plant, target string) (apply, bool) {
	sw, ok := p.Switch(target)
	return toggleOr(func(on bool) error {
		if on {
			return sw.MoveNamespace(1)
		}
		return sw.MoveNamespace(0)
	}), ok
}

func movedEffect(Config, string) Effect { return Effect{Moved: true} }
