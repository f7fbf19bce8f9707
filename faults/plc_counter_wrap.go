package faults

// defaultScans is how many scans a counter has left.
const defaultScans = 10

// The window that opened last decides; counters that have wrapped stay so.
func bindPLCCounterWrap(p Plant, target string) (apply, bool) {
	type wrap struct {
		scans  uint32
		window int // each window sets counters anew
	}
	sw, ok := p.Switch(target)
	return settle(wrap{},
		func(open []active) wrap { return wrap{last(open).cfg.Scans, last(open).Index} },
		plain(func(w wrap) { sw.WrapCounter(w.scans) })), ok
}
