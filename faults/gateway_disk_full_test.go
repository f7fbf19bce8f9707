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

func TestGatewayDiskReadOnly(t *testing.T) {
	runs(t, []Config{
		fault("gateway.disk_read_only", "", 10, 10),
		fault("gateway.disk_slow", "", 15, 15, func(c *Config) { c.Sync = sec(1) }),
	},
		"10s gateway DiskReadOnly(true)",
		"15s gateway DiskSlow(1s)",
		"20s gateway ClearDisk()",
		"20s gateway DiskSlow(1s)",
		"30s gateway ClearDisk()",
	)
}
