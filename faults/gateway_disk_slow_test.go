package faults

import "testing"

func TestGatewayDiskSlow(t *testing.T) {
	runs(t, []Config{
		fault("gateway.disk_slow", "", 10, 30, func(c *Config) { c.Sync = sec(1) }),
		fault("gateway.disk_slow", "", 12, 4, func(c *Config) { c.Sync = sec(2) }),
		fault("gateway.disk_full", "", 20, 10), // ends before the slowness does
	},
		"10s gateway DiskSlow(1s)",
		"12s gateway DiskSlow(2s)",
		"16s gateway DiskSlow(1s)",
		"20s gateway DiskFull(0)",
		"30s gateway ClearDisk()",
		"30s gateway DiskSlow(1s)",
		"40s gateway ClearDisk()",
	)
}
