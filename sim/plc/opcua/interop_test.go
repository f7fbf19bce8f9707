package opcua

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/internal/interop/seen"
	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/plc"
)

const interopDir = "testdata/interop"

// nodeModules makes sure that a package of npm's is there. Without it the test
// is skipped, or, where everything is required, installs it or fails.
func nodeModules(t *testing.T, name string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(interopDir, "node_modules", name)); err == nil {
		return
	}
	if !required() {
		t.Skipf("no %s here: npm install --prefix sim/plc/opcua/%s", name, interopDir)
	}
	out, err := exec.Command("npm", "install", "--prefix", interopDir, "--no-audit", "--no-fund", "--no-package-lock").CombinedOutput()
	if err != nil {
		t.Fatalf("%s cannot be installed: %v\n%s", name, err, out)
	}
}

func required() bool { return os.Getenv("PLANTBED_REQUIRE") == "1" }

// A client that knows nothing of this server finds nothing odd.
func TestInteropNodeOPCUA(t *testing.T) {
	nodeModules(t, "node-opcua-client")
	cert, key := pair(t, 2048, "urn:plantbed:plc-test:server")
	modes := []string{"None/None", "Basic256Sha256/SignAndEncrypt"}
	if required() { // each takes some seconds
		modes = append(modes, "Basic256Sha256/Sign", "Aes128_Sha256_RsaOaep/SignAndEncrypt", "Aes128_Sha256_RsaOaep/Sign", "Aes256_Sha256_RsaPss/SignAndEncrypt", "Aes256_Sha256_RsaPss/Sign")
	}
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			interop(t, mode, Security{Certificate: cert, Key: key})
		})
	}
}

func interop(t *testing.T, mode string, sec Security) {
	p := newPLC()
	p.set("pump/motor/bearing/temp", 61.5)
	p.set("pump/motor/speed", 6) // which is the number of a state
	high := 50.0
	p.set("oven/zone", 0)
	s := serve(t, p, Config{
		ApplicationURI: "urn:plantbed:plc-test:server", Security: sec, History: strict.Duration(10 * time.Second),
		Users: Users{Passwords: map[string]string{"operator": "x"}}, Alarms: []plc.Alarm{{Tag: "oven/zone", High: &high, Confirm: true}},
		Machines: testMachines(), Variables: testVariables(), Models: []*Model{lineModel(t)}, Bind: map[string]string{"nsu=" + line + ";s=Filler.Speed": "pump/motor/speed"},
	}, Options{})
	link := newLossy(t, s)
	first := p.scan(0)
	p.scan(1)
	stop, done := make(chan bool), make(chan bool)
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				p.scan(1)
			}
		}
	}()
	defer func() { close(stop); <-done }()
	cmd := exec.Command("node", filepath.Join(interopDir, "client.cjs"), link.url(), mode, t.TempDir())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := map[string]map[string]any{}
	for lines := bufio.NewScanner(bufio.NewReaderSize(out, 1<<20)); lines.Scan(); {
		var line map[string]any
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			continue // the library's own chatter
		}
		step := line["step"].(string)
		said[step] = line
		switch step {
		case "ready":
			link.lose(300 * time.Millisecond)
		case "raise an alarm":
			p.set("oven/zone", 60)
			p.scan(0)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %v", err, said["error"])
	}
	check := func(step, field string, want any) bool {
		t.Helper()
		if got := said[step][field]; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %s is %v, want %v", step, field, got, want)
			return false
		}
		return true
	}
	note := func(feature string, ok ...bool) { seen.Note(t, "node-opcua 2.182.2", feature+", "+mode, ok...) }
	same := true
	for _, u := range said["endpoints"]["urls"].([]any) {
		if u != link.url() {
			t.Errorf("endpoint %v, want %v", u, link.url())
			same = false
		}
	}
	note("connect, endpoints echo the address", same)
	names := said["browse"]["names"].([]any)
	found := slices.Contains(names, any("2:pump")) && slices.Contains(names, any("Server"))
	if !found {
		t.Errorf("below Objects: %v", names)
	}
	note("browse, translate", found, check("translate", "status", "Good"), check("translate", "id", "ns=2;s=pump/motor/current"))
	note("read with type, status and source time", check("read", "value", 615.0), check("read", "type", "Int16"), check("read", "status", "Good"),
		check("read", "source", first.Stamp.Format("2006-01-02T15:04:05.000Z")), check("units", "name", "A"),
		check("status", "state", float64(ua.ServerStateRunning)), check("status", "product", "Plantbed PLC"))
	note("diagnostics of sessions", check("diagnostics", "sessions", 1), check("diagnostics", "reads", true), check("diagnostics", "named", true),
		check("diagnostics", "policy", strings.Split(mode, "/")[0]))
	note("write", check("write", "accepted", "Good"), check("write", "refused", "BadNotWritable"))
	if link.swallows.Load() == 0 || s.stats.republished.Load() == 0 {
		t.Errorf("the link lost %d bytes, and %d messages were asked for again", link.swallows.Load(), s.stats.republished.Load())
	}
	note("subscribe, queue of 2,000, Republish after a cut: nothing lost, nothing twice", s.stats.republished.Load() > 0, checkRun(t, "every scan", said["samples"]["every"].([]any), 1))
	note("subscribe, queue of 20, absolute deadband", check("samples", "queue", 20), checkRun(t, "deadband", said["samples"]["coarse"].([]any), 5))
	note("call", check("call", "status", "Good"), check("call out of range", "status", "BadOutOfRange"))
	p.mu.Lock()
	if p.written["oven/setpoint"] != 175 {
		t.Errorf("the call set %v", p.written["oven/setpoint"])
	}
	p.mu.Unlock()
	note("machines as Machinery and PackML have them", check("machine", "name", "pump"), check("machine", "model", "pump-skid"), check("machine", "state", "Execute"),
		check("machine", "of", "pump"), check("machine", "made", 1))
	note("arrays, index ranges, types", check("arrays", "part", "[180 150]"), check("arrays", "wrote", "Good"), check("arrays", "after", "[1 180 150]"), check("arrays", "text", "A-17"),
		checkRun(t, "an element of an array of tags", said["arrays"]["changes"].([]any), 1),
		check("types", "guid", "11112222-3333-4444-5555-666677778888"), check("types", "date", "2026-01-02T03:04:05.000Z"), check("types", "bytes", "hello"))
	note("a model from a NodeSet2 file", check("model", "recipe", "[1.5 2 -300]"), check("model", "speed", 6), check("model", "type", "StationType"))
	note("history read of raw data", check("history", "status", "Good"), checkRun(t, "history", said["history"]["values"].([]any), 1))
	note("alarms: events, acknowledge, refresh", check("alarms", "acknowledge", "Good"), check("alarms", "refresh", "Good"), checkAlarms(t, said["alarms"]["events"].([]any)))
	note("alarms: timed and one-shot shelving", check("shelving", "methods", 3), check("shelving", "timed", "Good"), check("shelving", "again", "BadConditionAlreadyShelved"),
		check("shelving", "once", "Good"), check("shelving", "off", "Good"), check("shelving", "offAgain", "BadConditionNotShelved"), check("alarms", "shelved", "[true true false]"))
	note("alarms: comment, confirm, disable, enable", check("condition", "comment", "Good"), check("condition", "confirm", "Good"), check("condition", "disable", "Good"),
		check("condition", "disabled", "BadConditionDisabled"), check("condition", "enable", "Good"), check("alarms", "enabled", "[true true false true]"))
	note("transfer, refused to another user", check("transfer", "moved", "Good"), check("transfer", "stolen", "BadUserAccessDenied"))
	denied := strings.Contains(fmt.Sprint(said["wrong password"]["text"]), "BadUserAccessDenied")
	if !denied {
		t.Errorf("a wrong password: %v", said["wrong password"]["text"])
	}
	note("user and password, a wrong one refused", check("user", "accepted", "Good"), denied)
}

// checkAlarms wants the alarm raised, acknowledged and said again between the
// two events of a refresh.
func checkAlarms(t *testing.T, events []any) bool {
	t.Helper()
	got := fmt.Sprint(events...)
	want := "[oven/zone true false true] [oven/zone true true true] [Server <nil> <nil> <nil>] [oven/zone true true true] [Server <nil> <nil> <nil>]"
	if got != want {
		t.Errorf("alarms: %s\nwant: %s", got, want)
	}
	return got == want
}

// checkRun wants values that go up by step, each once and none missing.
func checkRun(t *testing.T, what string, list []any, step float64) bool {
	t.Helper()
	for i := 1; i < len(list); i++ {
		if list[i].(float64) != list[i-1].(float64)+step {
			t.Errorf("%s: %v after %v (value %d of %d)", what, list[i], list[i-1], i, len(list))
			return false
		}
	}
	if len(list) < 15 {
		t.Errorf("%s: %d values", what, len(list))
		return false
	}
	return true
}
