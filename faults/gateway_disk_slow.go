package faults

import "github.com/plantbed/plantbed/internal/strict"

// See bindGatewayDisk for how disks that are full and slow compose.
func checkGatewayDiskSlow(c Config, ps *strict.Problems) {
	notNegative(ps, "sync", c.Sync)
}

// diskSlowEffect: what comes waits for the sync under way and for the one behind it.
func diskSlowEffect(c Config, _ string) Effect { return Effect{Late: 2 * c.Sync.D()} }
