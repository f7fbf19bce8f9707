package faults

import "testing"

func TestGatewayDiskFull(t *testing.T) {
	runs(t, []Config{
		fault("gateway.disk_full", "", 10, 20, func(c *Config) { c.After = 1 << 16 }),
		fault("gateway.disk_full", "", 15, 5),
	},
		"10s gateway DiskFull(65536)",
		"15s gateway DiskFull(0)",
		"20s gateway DiskFull(65536)",
		"30s gateway ClearDisk()",
	)
}
