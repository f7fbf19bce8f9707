package faults

// Each window of plc.cert_rotated has a certificate of its own, and the one
// that opened last is shown; at the end it is the first one again. What is
// shown has expired while any window of plc.cert_expired is open.
func bindPLCCertificate(p Plant, target string) (apply, bool) {
	type shown struct {
		number  uint32
		expired bool
	}
	sw, ok := p.Switch(target)
	return settle(shown{},
		func(open []active) (s shown) {
			for _, a := range open {
				if a.Kind == "plc.cert_rotated" {
					s.number = uint32(a.Index) + 1
				} else {
					s.expired = true
				}
			}
			return s
		},
		func(_, s shown) error { return sw.Certificate(s.number, s.expired) }), ok
}
