package faults

import "github.com/plantbed/plantbed/internal/strict"

// See bindGatewayDisk for how disks that are full and slow compose.
func checkGatewayDiskFull(c Config, ps *strict.Problems) {
	if c.After < 0 {
		ps.Addf("after", "%v is negative", c.After)
	}
}
