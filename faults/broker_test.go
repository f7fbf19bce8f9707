package faults

import "testing"

func TestBroker(t *testing.T) {
	runs(t, []Config{
		fault("broker.stop", "", 10, 10),
		fault("broker.restart", "", 15, 0, func(c *Config) { c.State = "lost" }), // while it is down
		fault("broker.restart", "", 30, 0),
		fault("broker.quota", "", 35, 5),
		fault("broker.credential_revoked", "", 36, 5),
		fault("broker.duplicate_client_id", "", 37, 5),
	},
		"10s broker Stop()",
		"20s broker Start(false)",
		"30s broker Stop()",
		"30s broker Start(true)",
		"35s broker Quota(true)",
		"36s broker Revoke(true)",
		"37s broker Intrude(true)",
		"40s broker Quota(false)",
		"41s broker Revoke(false)",
		"42s broker Intrude(false)",
	)
}
