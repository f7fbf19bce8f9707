package faults

func bindSensorDropout(p Plant, target string) (apply, bool) {
	ch, _, ok := p.Channel(target)
	return toggle(func(on bool) { ch.Dropout(on) }), ok
}
