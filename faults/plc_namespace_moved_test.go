package faults

import "testing"

func TestPLCNamespaceMoved(t *testing.T) {
	runs(t, []Config{
		fault("plc.namespace_moved", "s", 10, 20),
		fault("plc.namespace_moved", "s", 20, 20),
	},
		"10s s MoveNamespace(1)",
		"40s s MoveNamespace(0)",
		"40s s Clear()",
	)
}
