package harness_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plantbed/plantbed/harness/score"
)

// deviceFaults is every fault of a controller, for each protocol that has it.
// None of them excuses a sample that a correct stack could have had, and what
// nobody could have had is not counted against one.
var deviceFaults = []struct{ name, toml string }{
	{"opcua stop", `kind = "plc.stop"
target = "plc-pump"
at = "60s"
for = "20s"`},
	{"modbus stop", `kind = "plc.stop"
target = "plc-oven"
at = "60s"
for = "20s"`},
	{"opcua freeze", `kind = "plc.freeze"
target = "plc-pump"
at = "60s"
for = "20s"`},
	{"opcua clock", `kind = "plc.clock"
target = "plc-pump"
at = "60s"
for = "40s"
offset = "-1h"`},
	{"opcua clock back by a multiple of its scans", `kind = "plc.clock"
target = "plc-pump"
at = "60s"
for = "30s"
offset = "-20s"`},
	{"opcua clock ahead by a multiple of its scans", `kind = "plc.clock"
target = "plc-pump"
at = "60s"
for = "30s"
offset = "20s"`},
	{"modbus clock back by a multiple of its scans", `kind = "plc.clock"
target = "plc-oven"
at = "60s"
for = "30s"
offset = "-20s"`},
	{"opcua clock back during an outage north", `kind = "plc.clock"
target = "plc-pump"
at = "60s"
for = "30s"
offset = "-20s"

[[fault]]
kind = "broker.stop"
target = "broker"
at = "70s"
for = "30s"`},
	{"opcua clock back during a cut", `kind = "plc.clock"
target = "plc-pump"
at = "60s"
for = "30s"
offset = "-20s"

[[fault]]
kind = "link.down"
target = "plc-pump"
at = "65s"
for = "10s"`},
	{"opcua restart", `kind = "plc.restart"
target = "plc-pump"
at = "60s"
for = "20s"`},
	{"opcua restart, the same ids", `kind = "plc.restart"
target = "plc-pump"
at = "60s"
for = "20s"
ids = "same"`},
	{"modbus restart", `kind = "plc.restart"
target = "plc-oven"
at = "60s"
for = "20s"`},
	{"opcua slow", `kind = "plc.slow"
target = "plc-pump"
at = "60s"
for = "30s"
delay = "800ms"`},
	{"modbus slow", `kind = "plc.slow"
target = "plc-oven"
at = "60s"
for = "30s"
delay = "300ms"`},
	{"modbus very slow", `kind = "plc.slow"
target = "plc-oven"
at = "60s"
for = "30s"
delay = "4s"`},
	{"modbus slow once", `kind = "plc.slow"
target = "plc-oven"
at = "60s"
for = "30s"
delay = "4s"
once = true`},
	{"opcua exception", `kind = "plc.exception"
target = "plc-pump"
at = "60s"
for = "20s"`},
	{"opcua exception now and then", `kind = "plc.exception"
target = "plc-pump"
at = "60s"
for = "60s"
on = "publish"
chance = "10 %"`},
	{"modbus exception", `kind = "plc.exception"
target = "plc-oven"
at = "60s"
for = "20s"`},
	{"modbus exception now and then", `kind = "plc.exception"
target = "plc-oven"
at = "60s"
for = "60s"
chance = "20 %"`},
	{"opcua sessions full during a cut", `kind = "plc.sessions_full"
target = "plc-pump"
at = "58s"
for = "30s"

[[fault]]
kind = "link.down"
target = "plc-pump"
at = "60s"
for = "5s"`},
	{"opcua node gone", `kind = "plc.node_gone"
target = "plc-pump"
at = "60s"
for = "20s"
tags = ["pump/motor/current"]`},
	{"modbus node gone", `kind = "plc.node_gone"
target = "plc-oven"
at = "60s"
for = "20s"
tags = ["capper/air/pressure"]`},
	{"opcua namespace moved", `kind = "plc.namespace_moved"
target = "plc-pump"
at = "60s"
for = "30s"`},
	{"opcua no republish at a cut", `kind = "plc.no_republish"
target = "plc-pump"
at = "50s"
for = "60s"

[[fault]]
kind = "link.down"
target = "plc-pump"
at = "60s"
for = "10s"`},
	{"opcua counters wrap", `kind = "plc.counter_wrap"
target = "plc-pump"
at = "60s"
for = "60s"`},
	{"modbus counters wrap", `kind = "plc.counter_wrap"
target = "plc-oven"
at = "60s"
for = "60s"`},
}

// withFault is the quiet scenario with faults added.
func withFault(t *testing.T, faults string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "quiet.toml"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "scenario.toml")
	if err := os.WriteFile(path, append(text, "\n[[fault]]\n"+faults+"\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAFaultyDeviceIsNotTheStacksFault(t *testing.T) {
	for _, f := range deviceFaults {
		t.Run(f.name, func(t *testing.T) {
			r, _ := runDefectiveFile(t, withFault(t, f.toml), "none")
			for _, name := range []string{"loss.count", "dup.unmarked", "dup.applied", "order.violations", "corrupt.count", "orphan.count", "late.count"} {
				if n := metric(name)(r.Card, account{}); n != 0 {
					t.Errorf("%s = %d", name, n)
				}
			}
			// The twin follows the device, whatever time that says it is.
			if d := *r.Card.Metrics["twin.divergence"].Value; strings.Contains(f.name, "clock") && d > 0.003 {
				t.Errorf("twin.divergence = %v", d)
			}
			t.Logf("owed %d, unobtainable %v", metric("samples.owed")(r.Card, account{}), r.Story.Unobtainable)
			if r.Card.Verdict != score.Pass {
				t.Errorf("%s: %v", r.Card.Verdict, r.Card.Why)
			}
		})
	}
}

// What a fault of the device excuses must not cover what the stack loses
// beside it: a gateway that drops samples is found in the same runs.
func TestADefectIsFoundBesideAFaultyDevice(t *testing.T) {
	for _, name := range []string{"opcua restart", "opcua exception now and then", "opcua no republish at a cut"} {
		for _, f := range deviceFaults {
			if f.name != name {
				continue
			}
			r, own := runDefectiveFile(t, withFault(t, f.toml), "drop")
			got := metric("loss.edge")(r.Card, own)
			t.Logf("%s: dropped %d, found %d", name, own.Count, got)
			// Some of what it dropped may lie where nothing is owed, or be sent twice.
			if got == 0 || got > own.Count || got < own.Count/2 {
				t.Errorf("%s: dropped %d, found %d", name, own.Count, got)
			}
		}
	}
}
