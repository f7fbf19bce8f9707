package faults

import (
	"time"

	"github.com/plantbed/plantbed/internal/strict"
)

// Profile is what a link over a network of some kind is like. docs/FAULTS.md
// says where its figures are from.
type Profile struct {
	Name, Doc string
	// Delay is one way, and so is Jitter.
	Delay, Jitter time.Duration
	Spread        string
	// Loss is bursts of it; zero is none.
	Loss Loss
	// Up is from the gateway to the server and Down back, in Mbit/s; 0 is no
	// limit that matters.
	Up, Down float64
}

// Profiles are the networks that link.profile knows.
var Profiles = []Profile{
	{Name: "plant-ethernet", Doc: "switched Ethernet on the shop floor", Delay: 100 * time.Microsecond, Jitter: 20 * time.Microsecond, Spread: "normal", Up: 100, Down: 100},
	{Name: "industrial-wifi", Doc: "Wi-Fi in a hall with moving metal", Delay: 9 * time.Millisecond, Jitter: 6 * time.Millisecond, Spread: "lognormal",
		Loss: Loss{Good: 30 * time.Second, Bad: 50 * time.Millisecond}, Up: 30, Down: 30},
	{Name: "private-5g", Doc: "a campus network in stand-alone 5G", Delay: 6600 * time.Microsecond, Jitter: 1500 * time.Microsecond, Spread: "lognormal",
		Loss: Loss{Good: 5 * time.Minute, Bad: 40 * time.Millisecond}, Up: 60, Down: 300},
	{Name: "lte", Doc: "a public 4G network", Delay: 25 * time.Millisecond, Jitter: 10 * time.Millisecond, Spread: "lognormal",
		Loss: Loss{Good: 75 * time.Second, Bad: 150 * time.Millisecond}, Up: 10, Down: 30},
	{Name: "satellite", Doc: "a geostationary satellite", Delay: 300 * time.Millisecond, Jitter: 15 * time.Millisecond, Spread: "lognormal",
		Loss: Loss{Good: time.Minute, Bad: 300 * time.Millisecond, RTO: time.Second}, Up: 3, Down: 25},
	{Name: "wan", Doc: "the Internet to a cloud region on the same continent", Delay: 15 * time.Millisecond, Jitter: 2 * time.Millisecond, Spread: "pareto",
		Loss: Loss{Good: 10 * time.Minute, Bad: 100 * time.Millisecond}, Up: 100, Down: 100},
}

// ProfileNames lists them.
func ProfileNames() []string {
	var all []string
	for _, p := range Profiles {
		all = append(all, p.Name)
	}
	return all
}

func profileOf(name string) (p Profile) {
	for _, known := range Profiles {
		if known.Name == name {
			p = known
		}
	}
	return p
}

func checkLinkProfile(c Config, ps *strict.Problems) {
	checkOneOf(ps, "profile", "profile", c.Profile, ProfileNames())
}

func shapeProfile(c Config, way string, s *Shape) {
	p := profileOf(c.Profile)
	s.Delays = append(s.Delays, Delay{p.Delay, p.Jitter, p.Spread})
	if p.Loss != (Loss{}) {
		s.Losses = append(s.Losses, p.Loss)
	}
	rate := p.Up
	if way == ToClient {
		rate = p.Down
	}
	s.narrow(rate * 1e6 / 8)
}

func profileEffect(c Config, protocol string) Effect {
	if profileOf(c.Profile).Loss == (Loss{}) {
		return Effect{}
	}
	return lossEffect(c, protocol)
}
