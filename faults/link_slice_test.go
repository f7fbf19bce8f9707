package faults

import (
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
)

func TestLinkSlice(t *testing.T) {
	runs(t, []Config{
		fault("link.slice", "l", 10, 20, func(c *Config) { c.Size = 7 }),
		fault("link.slice", "l", 15, 5, func(c *Config) { c.Size, c.Gap, c.Way = 3, strict.Duration(5*time.Millisecond), ToClient }),
	},
		"10s l SetShape(7 B each 100µs)",
		"15s l SetShape(7 B each 100µs, 3 B each 5ms)",
		"20s l SetShape(7 B each 100µs)",
		"30s l SetShape()",
	)
}
