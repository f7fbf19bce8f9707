package faults

import (
	"fmt"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/signal"
)

// defaultQuality is what a controller says of its values when it does not trust itself.
const defaultQuality = signal.BadDeviceFailure

// qualities are those that a scenario can name.
var qualities = []signal.Quality{
	signal.BadDeviceFailure, signal.BadSensorFailure, signal.BadCommunicationError,
	signal.BadNoCommunication, signal.BadNotConnected, signal.BadOutOfService,
	signal.BadOutOfRange, signal.BadWaitingForInitialData,
	signal.UncertainLastUsable, signal.UncertainNoCommunicationLastUsable, signal.UncertainSensorNotAccurate,
}

func parseQuality(name string) (signal.Quality, bool) {
	for _, q := range qualities {
		if q.String() == name {
			return q, true
		}
	}
	return 0, false
}

func checkPLCBadQuality(c Config, ps *strict.Problems) {
	if _, ok := parseQuality(c.Quality); c.Quality == "" || ok {
		return
	}
	names := make([]string, len(qualities))
	for i, q := range qualities {
		names[i] = q.String()
	}
	ps.AddName("quality", fmt.Sprintf("there is no bad or uncertain quality %q", c.Quality), c.Quality, names)
}

// The window that opened last decides.
func bindPLCBadQuality(p Plant, target string) (apply, bool) {
	sw, ok := p.Switch(target)
	return settle(signal.Good,
		func(open []active) signal.Quality {
			q, _ := parseQuality(last(open).cfg.Quality)
			return q
		},
		plain(func(q signal.Quality) { sw.BadQuality(q) })), ok
}
