package opcua

import (
	"log/slog"
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// clock watches how far the times of a device are from the gateway's. They are
// passed on as they are; but whoever reads "1970" later should find a word of
// it in the log.
type clock struct {
	off bool
}

// leastSkew is what no network and no backlog explains.
const leastSkew = time.Minute

// look compares the newest of some samples with now. Behind by less than twice
// the subscription's life is no skew: a server keeps reports that long.
func (c *clock) look(samples []signal.Sample, now time.Time, lifetime time.Duration, log *slog.Logger, source string) {
	var newest time.Time
	for i := range samples {
		if samples[i].SourceTime.After(newest) {
			newest = samples[i].SourceTime
		}
	}
	ahead := newest.Sub(now)
	off := ahead > leastSkew || ahead < -max(leastSkew, 2*lifetime)
	switch {
	case off && !c.off:
		log.Warn("the clock of the device is off", "source", source, "ahead", ahead.Round(time.Second).String(), "newest", newest)
	case !off && c.off:
		log.Info("the clock of the device is right again", "source", source)
	}
	c.off = off
}
