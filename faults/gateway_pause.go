package faults

func bindGatewayPause(p Plant, target string) (apply, bool) {
	h, ok := p.Host(target)
	return toggle(func(on bool) { h.Pause(on) }), ok
}
