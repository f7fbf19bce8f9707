package faults

func bindGatewayKill(p Plant, target string) (apply, bool) {
	h, ok := p.Host(target)
	return toggle(func(dead bool) {
		if dead {
			h.Kill()
		} else {
			h.Restart()
		}
	}), ok
}
