package faults

import "github.com/plantbed/plantbed/internal/strict"

// See bindGatewayDisk for how disks that are full and slow compose.
func checkGatewayDiskSlow(c Config, ps *strict.Problems) {
	notNegative(ps, "sync", c.Sync)
}
