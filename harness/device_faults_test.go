package harness_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plantbed/plantbed/harness/score"
)

// window is a fault of a scenario; more of its keys stand behind each other.
type window struct{ kind, target, at, lasts, keys string }

// deviceFaults is every fault of a controller, for each protocol that has it.
// None of them excuses a sample that a correct stack could have had, and what
// nobody could have had is not counted against one.
var deviceFaults = []struct {
	name   string
	faults []window
}{
	{"opcua stop", []window{{"plc.stop", "plc-pump", "60s", "20s", ""}}},
	{"modbus stop", []window{{"plc.stop", "plc-oven", "60s", "20s", ""}}},
	{"opcua freeze", []window{{"plc.freeze", "plc-pump", "60s", "20s", ""}}},
	{"opcua clock", []window{{"plc.clock", "plc-pump", "60s", "40s", `offset = "-1h"`}}},
	{"opcua clock back by a multiple of its scans", []window{{"plc.clock", "plc-pump", "60s", "30s", `offset = "-20s"`}}},
	{"opcua clock ahead by a multiple of its scans", []window{{"plc.clock", "plc-pump", "60s", "30s", `offset = "20s"`}}},
	{"modbus clock back by a multiple of its scans", []window{{"plc.clock", "plc-oven", "60s", "30s", `offset = "-20s"`}}},
	{"opcua clock back during an outage north", []window{{"plc.clock", "plc-pump", "60s", "30s", `offset = "-20s"`}, {"broker.stop", "broker", "70s", "30s", ""}}},
	{"opcua clock back during a cut", []window{{"plc.clock", "plc-pump", "60s", "30s", `offset = "-20s"`}, {"link.down", "plc-pump", "65s", "10s", ""}}},
	{"opcua restart", []window{{"plc.restart", "plc-pump", "60s", "20s", ""}}},
	{"opcua restart, the same ids", []window{{"plc.restart", "plc-pump", "60s", "20s", `ids = "same"`}}},
	{"modbus restart", []window{{"plc.restart", "plc-oven", "60s", "20s", ""}}},
	{"opcua slow", []window{{"plc.slow", "plc-pump", "60s", "30s", `delay = "800ms"`}}},
	{"modbus slow", []window{{"plc.slow", "plc-oven", "60s", "30s", `delay = "300ms"`}}},
	{"modbus very slow", []window{{"plc.slow", "plc-oven", "60s", "30s", `delay = "4s"`}}},
	{"modbus slow once", []window{{"plc.slow", "plc-oven", "60s", "30s", `delay = "4s"; once = true`}}},
	{"opcua exception", []window{{"plc.exception", "plc-pump", "60s", "20s", ""}}},
	{"opcua exception now and then", []window{{"plc.exception", "plc-pump", "60s", "60s", `on = "publish"; chance = "10 %"`}}},
	{"modbus exception", []window{{"plc.exception", "plc-oven", "60s", "20s", ""}}},
	{"modbus exception now and then", []window{{"plc.exception", "plc-oven", "60s", "60s", `chance = "20 %"`}}},
	{"opcua sessions full during a cut", []window{{"plc.sessions_full", "plc-pump", "58s", "30s", ""}, {"link.down", "plc-pump", "60s", "5s", ""}}},
	{"opcua node gone", []window{{"plc.node_gone", "plc-pump", "60s", "20s", `tags = ["pump/motor/current"]`}}},
	{"modbus node gone", []window{{"plc.node_gone", "plc-oven", "60s", "20s", `tags = ["capper/air/pressure"]`}}},
	{"opcua namespace moved", []window{{"plc.namespace_moved", "plc-pump", "60s", "30s", ""}}},
	{"opcua no republish at a cut", []window{{"plc.no_republish", "plc-pump", "50s", "60s", ""}, {"link.down", "plc-pump", "60s", "10s", ""}}},
	{"opcua counters wrap", []window{{"plc.counter_wrap", "plc-pump", "60s", "60s", ""}}},
	{"modbus counters wrap", []window{{"plc.counter_wrap", "plc-oven", "60s", "60s", ""}}},
}

// quietWith is the quiet scenario with faults added.
func quietWith(t *testing.T, faults []window) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "quiet.toml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		text = fmt.Appendf(text, "\n[[fault]]\nkind = %q\ntarget = %q\nat = %q\nfor = %q\n%s\n", f.kind, f.target, f.at, f.lasts, strings.ReplaceAll(f.keys, "; ", "\n"))
	}
	path := filepath.Join(t.TempDir(), "scenario.toml")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAFaultyDeviceIsNotTheStacksFault(t *testing.T) {
	for _, f := range deviceFaults {
		t.Run(f.name, func(t *testing.T) {
			r, _ := runDefectiveFile(t, quietWith(t, f.faults), "none")
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
			r, own := runDefectiveFile(t, quietWith(t, f.faults), "drop")
			got := metric("loss.edge")(r.Card, own)
			t.Logf("%s: dropped %d, found %d", name, own.Count, got)
			// Some of what it dropped may lie where nothing is owed, or be sent twice.
			if got == 0 || got > own.Count || got < own.Count/2 {
				t.Errorf("%s: dropped %d, found %d", name, own.Count, got)
			}
		}
	}
}
