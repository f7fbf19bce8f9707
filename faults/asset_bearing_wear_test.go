package faults

import (
	"strings"
	"testing"
	"time"
)

func TestBearingWear(t *testing.T) {
	runs(t, []Config{
		fault("asset.bearing_wear", "k", 10, 0, func(c *Config) { c.Life = sec(20) }),
		fault("asset.bearing_wear", "k", 40, 0, func(c *Config) { c.Life = sec(4000) }), // beyond the run
	},
		"10s k Wear(10s, 30s)", // and nothing is undone at its end
		"40s k Wear(40s, 1h7m20s)",
	)
}

func TestOneLifeAtATime(t *testing.T) {
	life := func(c *Config) { c.Life = sec(20) }
	_, ps := Resolve([]Config{
		fault("asset.bearing_wear", "k1", 10, 0, life),
		fault("asset.bearing_wear", "k2", 15, 0, life),
		fault("asset.bearing_wear", "k1", 5, 0, life),
	}, time.Minute, 1)
	if len(ps) != 1 || !strings.Contains(ps.Error(), "fault[2].at: k1 wears out from 10s to 30s by fault[0]") {
		t.Errorf("problems: %v", ps)
	}
}
