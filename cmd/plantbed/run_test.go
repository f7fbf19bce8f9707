package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/plantbed/plantbed/harness/score"
)

// built builds both binaries once for all tests of the package.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "plantbed-bin")
	if err != nil {
		return "", err
	}
	for name, env := range map[string][]string{"plantbed": nil, "plantbed-virtual": {"CGO_ENABLED=0"}} {
		args := []string{"build", "-o", filepath.Join(dir, name)}
		if env != nil {
			args = append(args, "-tags", "faketime")
		}
		cmd := exec.Command("go", append(args, ".")...)
		cmd.Env = append(os.Environ(), env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return dir, fmt.Errorf("go build %s: %v\n%s", name, err, out)
		}
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := built(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// binaries is the folder with plantbed and its virtual twin.
func binaries(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs both binaries")
	}
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// plantbed runs the binary and returns its exit code and what it said.
func plantbed(t *testing.T, args ...string) (int, string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(binaries(t), "plantbed"), args...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func card(t *testing.T, dir string) (score.Card, []byte) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "card.json"))
	if err != nil {
		t.Fatal(err)
	}
	var c score.Card
	if err := json.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	return c, b
}

// One seed gives one card, byte for byte, whether the machine is idle or both
// cores are loaded, with traces and without; another seed gives another
// digest. PLANTBED_REPEAT says how many runs of first-light are compared.
func TestTheSameAgain(t *testing.T) {
	n := 3
	if s := os.Getenv("PLANTBED_REPEAT"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	var first []byte
	slips := 0
	for i := range n {
		b := sameAgain(t, i)
		if first == nil {
			first = b
		}
		if bytes.Equal(b, first) {
			continue
		}
		// A thread that the machine suspends in mid-call can let one instant's
		// steps happen in another order. That must be rare enough that it does
		// not happen twice.
		slips++
		t.Logf("run %d: ANOTHER CARD; once more", i+1)
		if again := sameAgain(t, i); !bytes.Equal(again, first) || slips > 1 {
			t.Fatalf("run %d: another card, and not by chance", i+1)
		}
	}
	dir := t.TempDir()
	plantbed(t, "run", "first-light", "--seed", "43", "--quiet", "--out", dir)
	if _, b := card(t, dir); bytes.Equal(b, first) {
		t.Error("seed 43 gave the card of seed 42")
	}
}

// sameAgain is the i-th run: every second one loaded, every third one traced.
func sameAgain(t *testing.T, i int) []byte {
	t.Helper()
	dir := t.TempDir()
	loaded, traced := i%2 == 1, i%3 == 2
	args := []string{"run", "first-light", "--quiet", "--out", dir}
	if traced {
		args = append(args, "--trace")
	}
	stop := func() {}
	if loaded {
		stop = load(runtime.NumCPU())
	}
	code, out := plantbed(t, args...)
	stop()
	c, b := card(t, dir)
	t.Logf("run %d (loaded %v, traced %v): exit %d, digest %.16s", i+1, loaded, traced, code, c.Digest)
	if code != codePass {
		t.Fatalf("exit %d\n%s", code, out)
	}
	return b
}

// load keeps n threads busy until stop is called.
func load(n int) (stop func()) {
	done := make(chan struct{})
	for range n {
		go func() {
			for x := 0; ; x++ {
				select {
				case <-done:
					return
				default:
				}
			}
		}()
	}
	return func() { close(done) }
}

const tiny = `name = "tiny"
seed = 7
duration = "%s"
gear = "%s"
[detector]
calibration_duration = "2h"
[[machine]]
name = "oven"
kind = "oven"
[[machine]]
name = "capper"
kind = "capper"
[[plc]]
name = "plc-oven"
protocol = "modbus"
machines = ["oven"]
[[plc]]
name = "plc-capper"
protocol = "opcua"
machines = ["capper"]
[[expect]]
metric = "samples.owed"
min = 1
`

func tinyScenario(t *testing.T, duration, gear string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tiny.toml")
	if err := os.WriteFile(file, fmt.Appendf(nil, tiny, duration, gear), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// An interrupt or a time-out in mid-run keeps the record and scores it, in
// both gears, and leaves no process behind.
func TestInterrupt(t *testing.T) {
	for _, gear := range []string{"virtual", "live"} {
		for _, how := range []string{"SIGINT", "timeout"} {
			t.Run(gear+"/"+how, func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "out")
				args := []string{"run", tinyScenario(t, "10000h", gear), "--out", dir}
				if how == "timeout" {
					args = append(args, "--timeout", "4s")
				}
				cmd := exec.Command(filepath.Join(binaries(t), "plantbed"), args...)
				var out bytes.Buffer
				cmd.Stdout, cmd.Stderr = &out, &out
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				if how == "SIGINT" {
					time.Sleep(4 * time.Second)
					cmd.Process.Signal(syscall.SIGINT)
				}
				cmd.Wait()
				if code := cmd.ProcessState.ExitCode(); code != codeInterrupted {
					t.Fatalf("exit %d, want %d\n%s", code, codeInterrupted, out.String())
				}
				c, _ := card(t, dir)
				if c.Verdict != score.Unknown || len(c.Why) == 0 || !strings.Contains(c.Why[0], "interrupted") {
					t.Errorf("%s: %v", c.Verdict, c.Why)
				}
				if owed := c.Metrics["samples.owed"].Value; owed == nil || *owed == 0 {
					t.Errorf("nothing was kept: %+v", c.Metrics["samples.owed"])
				}
				if left := processesOf(dir); len(left) > 0 {
					t.Errorf("still running: %v", left)
				}
			})
		}
	}
}

// processesOf lists the command lines that name a folder.
func processesOf(dir string) (found []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && bytes.Contains(b, []byte(dir)) {
			found = append(found, strings.ReplaceAll(string(b), "\x00", " "))
		}
	}
	return found
}

// A worker that crashes is exit code 1, with its last words.
func TestWorkerCrash(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"plantbed", "plantbed-virtual"} {
		b, err := os.ReadFile(filepath.Join(binaries(t), name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "plantbed-virtual" {
			b = []byte("#!/bin/sh\necho 'panic: something gave way' >&2\nexit 2\n")
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(filepath.Join(dir, "plantbed"), "run", tinyScenario(t, "1m", "virtual"), "--out", filepath.Join(dir, "out"))
	out, _ := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != codeInternal || !bytes.Contains(out, []byte("something gave way")) {
		t.Errorf("exit %d\n%s", cmd.ProcessState.ExitCode(), out)
	}
}

// A disk that fills up under the record ends the run with the cause.
func TestFullDiskUnderTheRecord(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "record"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/full", filepath.Join(dir, "record", "rows.bin")); err != nil {
		t.Skip(err)
	}
	code, out := plantbed(t, "run", tinyScenario(t, "100h", "virtual"), "--out", dir)
	if code != codeInternal || !strings.Contains(out, "is the disk full?") {
		t.Errorf("exit %d\n%s", code, out)
	}
}

// A port in use is an error that names it.
func TestGatewayPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file := filepath.Join(t.TempDir(), "gateway.toml")
	text := fmt.Sprintf(`name = "edge"
[mqtt]
url = "mqtt://127.0.0.1:1"
[buffer]
kind = "memory"
[admin]
listen = %q
[[modbus]]
name = "m"
url = "tcp://127.0.0.1:1"
[[modbus.block]]
start = 0
count = 2
[[modbus.block.tag]]
id = "a/b"
address = 0
type = "int16"
`, l.Addr())
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	code, out := plantbed(t, "gateway", "-c", file)
	if code != codeInternal || !strings.Contains(out, l.Addr().String()) || !strings.Contains(out, "in use") {
		t.Errorf("exit %d\n%s", code, out)
	}
}

// The trace of each batch goes from the gateway's publish, through the broker
// as a property of the message, to the twin's apply.
func TestTraceFollowsABatch(t *testing.T) {
	dir := t.TempDir()
	if code, out := plantbed(t, "run", tinyScenario(t, "1m", "virtual"), "--trace", "--out", dir); code != codePass {
		t.Fatalf("exit %d\n%s", code, out)
	}
	type span struct {
		Name                string
		SpanContext, Parent struct{ TraceID, SpanID string }
	}
	f, err := os.Open(filepath.Join(dir, "trace.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	published := map[string]string{} // span → trace
	var applied []span
	for d := json.NewDecoder(f); d.More(); {
		var s span
		if err := d.Decode(&s); err != nil {
			t.Fatal(err)
		}
		switch s.Name {
		case "gateway.publish":
			published[s.SpanContext.SpanID] = s.SpanContext.TraceID
		case "twin.apply":
			applied = append(applied, s)
		}
	}
	if len(applied) < 50 || len(applied) != len(published) {
		t.Errorf("%d batches published, %d applied", len(published), len(applied))
	}
	for _, a := range applied {
		if trace, ok := published[a.Parent.SpanID]; !ok || trace != a.SpanContext.TraceID {
			t.Fatalf("the apply %+v has no publish for a parent", a)
		}
	}
}

func TestDoctor(t *testing.T) {
	code, out := plantbed(t, "doctor")
	if code != codePass || !strings.Contains(out, "took no virtual time") {
		t.Errorf("exit %d\n%s", code, out)
	}
}

// first-light by the wall: a gateway that is a process of its own, killed by
// SIGKILL, loses nothing. A machine too busy to keep the world's time makes the
// run unknown, which is no verdict on the stack; then it is tried once more.
func TestFirstLightLive(t *testing.T) {
	if os.Getenv("PLANTBED_LIVE") == "" {
		t.Skip("SKIPPED: takes 95 s of wall time and a machine to itself; PLANTBED_LIVE=1 runs it, as CI does at its end")
	}
	for try := 1; ; try++ {
		dir := t.TempDir()
		code, out := plantbed(t, "run", "first-light-live", "--out", dir)
		c, _ := card(t, dir)
		switch {
		case code == codePass:
			return
		case c.Verdict == score.Unknown && try == 1:
			t.Logf("unknown, once more: %v", c.Why)
		default:
			t.Fatalf("exit %d\n%s", code, out)
		}
	}
}
