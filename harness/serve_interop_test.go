package harness

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/plantbed/plantbed/internal/interop/seen"
)

// missing skips a test out loud, or fails it where everything is required.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("PLANTBED_REQUIRE") == "1" {
		t.Fatalf("%s is missing, and PLANTBED_REQUIRE=1", what)
	}
	t.Skipf("SKIPPED: %s is missing; make deps installs it", what)
}

// node-opcua's client finds the machines of a served plant, follows a value
// and comes back by itself after the controller was restarted over the API.
func TestInteropServeNodeOPCUA(t *testing.T) {
	modules, err := filepath.Abs("../sim/plc/opcua/testdata/interop/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(modules, "node-opcua-client")); err != nil {
		missing(t, "node-opcua")
	}
	b := newBench(t, ServeOptions{})
	b.until("a scan", func() bool { return b.truth("pump/motor/current").Scanned != nil })
	cmd := exec.CommandContext(b.ctx, "node", "testdata/serve-client.cjs", b.where.Endpoints[0].URL)
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := map[string]map[string]any{}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var line map[string]any
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			continue // the library's own chatter
		}
		said[line["step"].(string)] = line
		if line["step"] == "ready" {
			b.inject(`{"kind": "plc.restart", "target": "plc-pump", "for": "300ms"}`)
		}
	}
	err = cmd.Wait()
	if err != nil || fmt.Sprint(said["read"]["machines"]) != "[pump filler]" || said["read"]["status"] != "Good" || said["again"]["values"] != true || said["reset"]["status"] != "Good" {
		t.Errorf("%v: %v", err, said)
	}
	seen.Note(t, "node-opcua 2.182.2", "plantbed serve: machines, subscription, back after plc.restart, Reset", !t.Failed())
}

// mbpoll reads off a served plant what the API says was scanned, and sees a
// fault that is injected and cleared.
func TestInteropServeMbpoll(t *testing.T) {
	if _, err := exec.LookPath("mbpoll"); err != nil {
		missing(t, "mbpoll")
	}
	b := newBench(t, ServeOptions{})
	const temp = "oven/zone-1/temp"
	b.until("a scan", func() bool { return b.truth(temp).Scanned != nil })
	b.inject(`{"kind": "plc.freeze", "target": "plc-oven"}`) // so that values stand
	_, port, err := net.SplitHostPort(b.addr(1))
	if err != nil {
		t.Fatal(err)
	}
	poll := func() string {
		out, _ := exec.CommandContext(b.ctx, "mbpoll", "-m", "tcp", "-0", "-1", "-q", "-B", "-t", "4:float", "-c", "1",
			"-r", strconv.Itoa(b.tag(temp).Modbus.Register), "-p", port, "127.0.0.1").CombinedOutput()
		return string(out)
	}
	text := poll()
	m := regexp.MustCompile(`\]:\s+(\S+)`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("mbpoll says\n%s", text)
	}
	got, err := strconv.ParseFloat(m[1], 64)
	if want := *b.truth(temp).Scanned.Value; err != nil || math.Abs(got-want) > 0.01 {
		t.Errorf("mbpoll reads %v, scanned was %v, %v", got, want, err)
	}
	f := b.inject(`{"kind": "plc.exception", "target": "plc-oven", "code": "busy"}`)
	if text := poll(); !regexp.MustCompile(`(?i)busy`).MatchString(text) {
		t.Errorf("a busy controller: mbpoll says\n%s", text)
	}
	b.call("DELETE", fmt.Sprintf("faults/%d", f.ID), "", 200, nil)
	if text := poll(); !regexp.MustCompile(`\]:`).MatchString(text) {
		t.Errorf("a controller that is well again: mbpoll says\n%s", text)
	}
	seen.Note(t, "mbpoll 1.0 (libmodbus)", "plantbed serve: a value, a fault injected and cleared over the API", !t.Failed())
}
