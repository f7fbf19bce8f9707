package opcua

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
)

const interopDir = "testdata/interop"

// nodeModules makes sure that node-opcua is there. Without it the test is
// skipped, or, where everything is required, installs it or fails.
func nodeModules(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(interopDir, "node_modules", "node-opcua-client")); err == nil {
		return
	}
	if !required() {
		t.Skip("no node-opcua here: npm install --prefix sim/plc/opcua/" + interopDir)
	}
	out, err := exec.Command("npm", "install", "--prefix", interopDir, "--no-audit", "--no-fund", "--no-package-lock").CombinedOutput()
	if err != nil {
		t.Fatalf("node-opcua cannot be installed: %v\n%s", err, out)
	}
}

func required() bool { return os.Getenv("PLANTBED_REQUIRE") == "1" }

// A client that knows nothing of this server finds nothing odd.
func TestInteropNodeOPCUA(t *testing.T) {
	nodeModules(t)
	cert, key := pair(t, 2048, "urn:plantbed:plc-test:server")
	modes := []string{"None/None", "Basic256Sha256/SignAndEncrypt"}
	if required() { // each takes some seconds
		modes = append(modes, "Basic256Sha256/Sign", "Aes128_Sha256_RsaOaep/SignAndEncrypt", "Aes256_Sha256_RsaPss/SignAndEncrypt")
	}
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) { interop(t, mode, Security{Certificate: cert, Key: key}) })
	}
}

func interop(t *testing.T, mode string, sec Security) {
	p := newPLC()
	p.set("pump/motor/bearing/temp", 61.5)
	s := serve(t, p, Config{ApplicationURI: "urn:plantbed:plc-test:server", Security: sec}, Options{})
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
	cmd := exec.Command("node", filepath.Join(interopDir, "client.cjs"), endpoint(s), mode, t.TempDir())
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
		if step == "ready" {
			cut(s)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %v", err, said["error"])
	}
	check := func(step, field string, want any) {
		t.Helper()
		if got := said[step][field]; got != want {
			t.Errorf("%s: %s is %v, want %v", step, field, got, want)
		}
	}
	for _, u := range said["endpoints"]["urls"].([]any) {
		if u != endpoint(s) {
			t.Errorf("endpoint %v, want %v", u, endpoint(s))
		}
	}
	if names := said["browse"]["names"].([]any); !slices.Contains(names, any("2:pump")) || !slices.Contains(names, any("Server")) {
		t.Errorf("below Objects: %v", names)
	}
	check("translate", "status", "Good")
	check("translate", "id", "ns=2;s=pump/motor/current")
	check("read", "value", 615.0)
	check("read", "type", "Int16")
	check("read", "status", "Good")
	check("read", "source", first.Stamp.Format("2006-01-02T15:04:05.000Z"))
	check("units", "name", "A")
	check("status", "state", float64(ua.ServerStateRunning))
	check("status", "product", "Plantbed PLC")
	check("write", "accepted", "Good")
	check("write", "refused", "BadNotWritable")
	checkRun(t, "every scan", said["samples"]["every"].([]any), 1)
	checkRun(t, "deadband", said["samples"]["coarse"].([]any), 5)
}

// checkRun wants values that go up by step, each once and none missing.
func checkRun(t *testing.T, what string, list []any, step float64) {
	t.Helper()
	for i := 1; i < len(list); i++ {
		if list[i].(float64) != list[i-1].(float64)+step {
			t.Errorf("%s: %v after %v (value %d of %d)", what, list[i], list[i-1], i, len(list))
			return
		}
	}
	if len(list) < 15 {
		t.Errorf("%s: %d values", what, len(list))
	}
}
