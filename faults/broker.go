package faults

import (
	"time"

	"github.com/plantbed/plantbed/internal/strict"
)

// brokerStates are what a broker comes up with; the first is the default.
var brokerStates = []string{"kept", "lost"}

func checkBrokerStop(c Config, ps *strict.Problems) {
	checkOneOf(ps, "state", "state", c.State, brokerStates)
}

// bindBrokerStop is for broker.stop and broker.restart: the broker is up when
// the last window has closed, without its state where any of them lost it.
func bindBrokerStop(p Plant, target string) (apply, bool) {
	var down, lost bool
	b, ok := p.Broker(target)
	return func(_ time.Duration, open []active) error {
		for _, a := range open {
			lost = lost || a.cfg.State == "lost"
		}
		switch {
		case len(open) > 0 && !down:
			down = true
			b.Stop()
		case len(open) == 0 && down:
			keep := !lost
			down, lost = false, false
			return b.Start(keep)
		}
		return nil
	}, ok
}

func bindBrokerQuota(p Plant, target string) (apply, bool) {
	b, ok := p.Broker(target)
	return toggle(func(on bool) { b.Quota(on) }), ok
}

func bindBrokerRevoked(p Plant, target string) (apply, bool) {
	b, ok := p.Broker(target)
	return toggle(func(on bool) { b.Revoke(on) }), ok
}

func bindBrokerDuplicate(p Plant, target string) (apply, bool) {
	b, ok := p.Broker(target)
	return toggle(func(on bool) { b.Intrude(on) }), ok
}

// deafEffect: a broker without its sessions takes messages before anybody
// listens again.
func deafEffect(c Config, _ string) Effect { return Effect{Deaf: c.State == "lost"} }
