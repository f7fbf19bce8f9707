package faults

import (
	"testing"
	"time"
)

func TestLinkProfile(t *testing.T) {
	runs(t, []Config{
		fault("link.profile", "l", 10, 20, func(c *Config) { c.Profile = "satellite" }),
		fault("link.bandwidth", "l", 15, 5, func(c *Config) { c.Rate, c.Way = "1 kB/s", ToServer }),
	},
		"10s l SetShape(300ms±15ms lognormal + loss 1m0s/300ms, 375000 B/s, 300ms±15ms lognormal + loss 1m0s/300ms, 3125000 B/s)",
		"15s l SetShape(300ms±15ms lognormal + loss 1m0s/300ms, 1000 B/s, 300ms±15ms lognormal + loss 1m0s/300ms, 3125000 B/s)",
		"20s l SetShape(300ms±15ms lognormal + loss 1m0s/300ms, 375000 B/s, 300ms±15ms lognormal + loss 1m0s/300ms, 3125000 B/s)",
		"30s l SetShape()",
	)
	for _, p := range Profiles { // every profile is something, and none is absurd
		if p.Doc == "" || p.Delay <= 0 || p.Delay > time.Second || p.Jitter >= p.Delay || p.Up <= 0 || p.Down < p.Up {
			t.Errorf("%+v", p)
		}
	}
}
