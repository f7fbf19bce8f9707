package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/faults"
)

// Every kind of fault of link, host and broker, once, on the smallest line with
// the built-in gateway: the run is another one than without it, the fault is in
// the record with its class, and what is owed arrives, once and in order. What
// a kind spoils, nothing above it can make good.
func TestFaultsThroughTheStack(t *testing.T) {
	binaries(t)
	dir := t.TempDir()
	const modbus = "plc[0].protocol=modbus"
	healthy := map[string]string{}
	for _, set := range []string{"", modbus} {
		healthy[set], _, _ = brokenLine(t, dir, "healthy"+fmt.Sprint(len(set)), set, "")
	}
	type broken struct {
		kind, target, keys, set, class string
		spoils                         string // a metric that may be over zero
	}
	cases := []broken{
		{"link.down", "plc-mixer", `for = "20s"`, "", "communication", ""},
		{"link.down", "broker", `mode = "fin"|for = "20s"`, "", "communication", ""},
		{"link.down", "broker", `mode = "refuse"|for = "20s"`, "", "communication", ""},
		{"link.down", "broker", `mode = "blackhole"|for = "20s"`, "", "communication", ""},
		{"link.down", "plc-mixer", `for = "2s"|every = "6s"|times = 5`, "", "communication", ""}, // it flaps
		{"link.latency", "plc-mixer", `delay = "200ms"|jitter = "50ms"|spread = "pareto"|for = "1m"`, "", "communication", ""},
		{"link.bandwidth", "broker", `rate = "1 KiB/s"|for = "20s"`, "", "communication", ""},
		{"link.down", "plc-mixer", `mode = "blackhole"|way = "to_client"|for = "20s"`, "", "communication", ""},
		{"link.half_open", "plc-mixer", `for = "40s"`, "", "communication", ""},
		{"link.half_open", "broker", `for = "40s"|end = "client"`, "", "communication", ""},
		{"link.stall", "broker", `for = "20s"|way = "to_client"`, "", "communication", ""},
		{"link.loss", "plc-mixer", `good = "5s"|bad = "300ms"`, "", "communication", ""},
		{"link.slice", "plc-mixer", `size = "7 B"|for = "1m"`, "", "communication", ""},
		{"link.profile", "broker", `profile = "satellite"`, "", "communication", ""},
		{"link.frame", "plc-mixer", `action = "hold"|frame = "response"|delay = "3s"|for = "10s"`, modbus, "communication", ""},
		{"link.frame", "plc-mixer", `action = "drop"|frame = "response"|for = "10s"`, modbus, "communication", ""},
		{"link.frame", "plc-mixer", `action = "repeat"|frame = "response"|count = 3|for = "10s"`, modbus, "communication", ""},
		{"link.frame", "plc-mixer", `action = "reorder"|frame = "response"|for = "10s"`, modbus, "communication", ""},
		{"link.frame", "broker", `action = "cut"|frame = "puback"|for = "10s"`, "", "communication", ""},
		{"link.frame", "broker", `action = "drop"|frame = "puback"|for = "10s"`, "", "communication", ""},
		{"link.frame", "broker", `action = "repeat"|frame = "publish"|for = "10s"`, "", "communication", ""},
		{"link.cut", "broker", `after = "2 KiB"|for = "20s"`, "", "communication", ""},
		{"link.cut", "plc-mixer", `after = "2 KiB"|for = "10s"`, "", "communication", ""},
		{"link.corrupt", "plc-mixer", `after = "500 B"|for = "10s"|way = "to_client"`, "", "communication", ""},
		{"gateway.kill", "gateway", `on = "sync"|nth = 2|for = "20s"`, "", "gateway", ""},
		{"gateway.kill", "gateway", `on = "write"|torn = true|for = "20s"`, "", "gateway", ""},
		{"gateway.restart", "gateway", `for = "20s"`, "", "gateway", ""},
		{"gateway.kill", "gateway", `for = "20s"`, "", "gateway", ""},
		{"gateway.pause", "gateway", `for = "20s"`, "", "gateway", ""},
		{"gateway.config_push", "gateway", "", "", "gateway", ""},
		{"gateway.disk_full", "gateway", `after = "4 KiB"|for = "20s"`, "", "gateway", ""},
		{"gateway.disk_slow", "gateway", `sync = "300ms"|for = "20s"`, "", "gateway", ""},
		{"gateway.disk_read_only", "gateway", `for = "20s"`, "", "gateway", ""},
		{"gateway.bit_flip", "gateway", `place = "90 %"`, "", "gateway", ""},
		{"broker.stop", "broker", `for = "20s"`, "", "communication", ""},
		{"broker.stop", "broker", `for = "20s"|state = "lost"`, "", "communication", ""},
		{"broker.restart", "broker", "", "", "communication", ""},
		{"broker.quota", "broker", `for = "20s"`, "", "communication", ""},
		{"broker.credential_revoked", "broker", `for = "20s"`, "", "communication", ""},
		{"broker.duplicate_client_id", "broker", `for = "20s"`, "", "communication", ""},
	}
	for _, k := range faults.Kinds() {
		ours := k.Seam == faults.SeamLink || k.Seam == faults.SeamHost || k.Seam == faults.SeamBroker
		if ours && k.Gears != "live" && !slices.ContainsFunc(cases, func(c broken) bool { return c.kind == k.Name }) {
			t.Errorf("%s is not tried", k.Name)
		}
	}
	for i, tc := range cases {
		t.Run(tc.kind, func(t *testing.T) {
			t.Parallel()
			fault := fmt.Sprintf("[[fault]]\nkind = %q\ntarget = %q\nat = \"1m\"\n%s\n", tc.kind, tc.target, strings.ReplaceAll(tc.keys, "|", "\n"))
			digest, got, kinds := brokenLine(t, dir, fmt.Sprint("f", i), tc.set, fault)
			// A flipped bit shows when the gateway starts again, a refusal to who comes
			// anew, and a configuration that is the same never.
			silent := tc.kind == "gateway.bit_flip" || tc.kind == "gateway.config_push" || strings.Contains(tc.keys, "refuse")
			if (digest == healthy[tc.set]) != silent {
				t.Errorf("%s: as if nothing had been: %v", tc.keys, !silent)
			}
			if kinds == "" || strings.ReplaceAll(kinds, tc.kind+" "+tc.class+";", "") != "" {
				t.Errorf("%s: the labels are %q", tc.keys, kinds)
			}
			for m, v := range got {
				if m == "samples.owed" && v < 1000 || m != "samples.owed" && v > 0 && m != tc.spoils {
					t.Errorf("%s: %s is %v", tc.keys, m, v)
				}
			}
		})
	}
}

// brokenLine runs the smallest line with a fault; kinds are its labels.
func brokenLine(t *testing.T, dir, name, set, fault string) (digest string, verdicts map[string]float64, kinds string) {
	t.Helper()
	file := filepath.Join(dir, name+".toml")
	text := fmt.Sprintf("extends = \"ten-tags\"\nname = %q\nduration = \"3m\"\n"+
		"[[expect]]\nmetric = \"samples.owed\"\nmin = 1000\n%s", name, fault)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, name)
	args := []string{"run", file, "--quiet", "--out", out}
	if set != "" {
		args = append(args, "--set", set)
	}
	if code, text := plantbed(t, args...); code != 0 {
		t.Errorf("%s: exit %d\n%s", name, code, text)
		return
	}
	c, _ := card(t, out)
	verdicts = map[string]float64{}
	for _, m := range []string{"samples.owed", "loss.count", "dup.applied", "order.violations", "corrupt.count"} {
		if v := c.Metrics[m].Value; v != nil {
			verdicts[m] = *v
		}
	}
	for _, f := range c.ByFault {
		kinds += f.Kind + " " + f.Class + ";"
	}
	return c.Digest, verdicts, kinds
}

// In the live gear the gateway's own clock goes an hour ahead, or three days into
// the past, gaining, and is synchronised again: its log says so, and nothing is
// lost.
func TestGatewayClock(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("a process with a clock of its own needs Linux on amd64")
	}
	binaries(t)
	for name, tc := range map[string]struct {
		keys, log string
		sets      []string
	}{
		"ahead":          {"offset = \"1h\"", "gateway.jsonl", nil},
		"three days ago": {"offset = \"-72h\"\ndrift = \"200 ppm\"", "gateway.jsonl", nil},
		"of a stranger":  {"offset = \"1h\"", "sut.log", []string{"--set", "sut.use=plantbed", "--set", "sut.ready.within=1s"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clockIsWrong(t, tc.keys, tc.log, tc.sets)
		})
	}
}

func clockIsWrong(t *testing.T, keys, logName string, sets []string) {
	dir := t.TempDir()
	file := filepath.Join(dir, "clock.toml")
	text := "extends = \"ten-tags\"\nname = \"clock\"\ngear = \"live\"\nduration = \"12s\"\n" +
		"[[expect]]\nmetric = \"samples.owed\"\nmin = 50\n[[expect]]\nmetric = \"loss.count\"\nmax = 0\n" +
		"[[fault]]\nkind = \"gateway.clock\"\nat = \"5s\"\nfor = \"4s\"\n" + keys + "\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "run")
	args := append([]string{"run", file, "--quiet", "--out", out}, sets...)
	code, said := plantbed(t, args...)
	if code == codeUnknown { // a machine that was late on its own clock gets another chance
		code, said = plantbed(t, args...)
	}
	if code != codePass {
		t.Fatalf("exit %d\n%s", code, said)
	}
	log, err := os.ReadFile(filepath.Join(out, logName))
	if err != nil {
		t.Fatal(err)
	}
	wrong := 0
	for line := range strings.Lines(string(log)) {
		var l struct{ Time time.Time }
		if err := json.Unmarshal([]byte(line), &l); err == nil && time.Until(l.Time).Abs() > 30*time.Minute {
			wrong++
		}
	}
	if lines := strings.Count(string(log), "\n"); wrong == 0 || wrong == lines {
		t.Errorf("%d of %d lines of the gateway's log have the wrong time", wrong, lines)
	}
}
