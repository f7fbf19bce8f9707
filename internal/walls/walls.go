// Package walls holds the rule of who may import whom as one table, and the
// test that keeps it.
package walls

// Rule says what the packages of a tree may import of this module. Trees and
// names are relative to the module; a name ending in "/..." is a whole tree.
// internal/strict is open to every package that has a Config.
type Rule struct {
	Tree string
	May  []string
	// Net says that the tree is a door: it may use package net.
	Net bool
}

// Rules are searched from the top; the first tree that holds a package counts.
var Rules = []Rule{
	{Tree: "sim/signal"},
	{Tree: "twin/predict", May: []string{"sim/signal"}},
	{Tree: "internal/...", May: []string{"sim/signal", "internal/..."}},
	{Tree: "sim/physics"},
	{Tree: "sim/plant", May: []string{"sim", "sim/physics", "sim/signal"}},
	{Tree: "sim/plc/modbus", May: []string{"sim", "sim/plc", "sim/signal"}, Net: true},
	{Tree: "sim/plc/opcua", May: []string{"sim", "sim/plc", "sim/signal"}, Net: true},
	{Tree: "sim/plc", May: []string{"sim", "sim/signal"}},
	{Tree: "sim", May: []string{"sim/signal"}},
	// Statistics of runs: numbers in, intervals out. A leaf, since what a data
	// set or a sweep says of its runs needs no kernel.
	{Tree: "sim/stats"},

	// No answer key: the stack under test sees nothing of the plant.
	{Tree: "gateway/pipeline", May: []string{"sim/signal", "internal/payload", "gateway/...", "twin/predict"}},
	{Tree: "gateway/buffer", May: []string{"sim/signal", "internal/payload", "internal/disk", "internal/hostclock", "gateway/..."}},
	{Tree: "gateway/sparkplug", May: []string{"sim/signal", "internal/payload", "gateway/..."}}, // a codec and an edge node's state
	{Tree: "gateway/opcua", May: []string{"sim/signal", "internal/payload", "internal/backoff", "gateway/..."}, Net: true},
	{Tree: "gateway/modbus", May: []string{"sim/signal", "internal/payload", "internal/backoff", "gateway/..."}, Net: true},
	{Tree: "gateway/mqtt", May: []string{"sim/signal", "internal/payload", "internal/backoff", "gateway/..."}, Net: true},
	{Tree: "gateway/admin", May: []string{"sim/signal", "internal/payload", "gateway/..."}, Net: true},
	{Tree: "gateway", May: []string{"sim/signal", "internal/payload", "internal/disk", "internal/hostclock", "gateway/..."}},
	{Tree: "twin/mqtt", May: []string{"sim/signal", "internal/payload", "internal/backoff", "twin/..."}, Net: true},
	{Tree: "twin/api", May: []string{"sim/signal", "internal/payload", "twin/..."}, Net: true},
	{Tree: "twin/...", May: []string{"sim/signal", "internal/payload", "twin/..."}},

	{Tree: "faults/wire", May: []string{"sim/signal"}, Net: true},
	{Tree: "faults", May: []string{"sim", "sim/signal"}},

	{Tree: "harness/record", May: []string{"sim/signal"}},
	{Tree: "harness/score", May: []string{"harness/record", "sim/signal"}},
	{Tree: "harness/conformance", May: []string{"harness/record", "harness/score"}},
	{Tree: "harness/evaluate"},           // figures over numbers: it knows no plant
	{Tree: "harness/virtual", Net: true}, // a leaf: it runs any program under the fake clock
	// The broker's tap and the score's seen samples share the payload.
	{Tree: "harness/broker", May: []string{"harness/record", "sim/signal", "internal/payload"}, Net: true},
	// Data sets are written from the fast gear's world, or from a run's record.
	{Tree: "harness/dataset", May: []string{"harness", "harness/record", "scenarios", "faults", "sim/...", "internal/..."}},
	// A stranger's payload becomes samples here, Sparkplug's among them; the
	// shipped adapters are embedded files.
	{Tree: "harness/sut", May: []string{"harness/record", "sim/signal", "internal/payload", "internal/disk", "internal/hostclock", "gateway/sparkplug", "scenarios/sut"}, Net: true},
	{Tree: "scenarios/sut"},
	// The hunt is a user of the whole: it runs scenarios and reads their cards.
	{Tree: "harness/hunt", May: []string{"faults", "harness/record", "harness/score", "harness/virtual", "scenarios", "sim", "internal/..."}},
	{Tree: "harness/internal/planted"}, // for tests: it builds the stack with planted defects
	{Tree: "harness/api", May: []string{"harness/record", "sim/signal"}, Net: true},
	{Tree: "harness", May: []string{"sim/...", "faults/...", "gateway/...", "twin/...", "scenarios", "harness/...", "internal/..."}, Net: true},
	{Tree: "scenarios", May: []string{"sim/...", "faults/...", "gateway/...", "twin/...", "internal/...", "harness/sut"}}, // its Config
	{Tree: "reports", May: []string{"harness/score"}},
	// Benches use what the product uses, and the peers.
	{Tree: "bench/...", May: []string{"sim/...", "faults/...", "gateway/...", "twin/...", "scenarios", "harness/...", "internal/...", "bench/internal/..."}, Net: true},
	{Tree: "cmd/...", May: []string{"harness/...", "scenarios", "reports", "gateway/...", "twin/...", "faults", "sim/plant", "sim/stats", "internal/..."}, Net: true},
}
