package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/plantbed/plantbed/harness"
)

// service is plantbed serve as a process, and what it has printed so far.
type service struct {
	t     *testing.T
	cmd   *exec.Cmd
	out   *bufio.Reader
	errs  strings.Builder
	where harness.Served
}

func startServe(t *testing.T, args ...string) *service {
	t.Helper()
	s := &service{t: t, cmd: exec.Command(filepath.Join(binaries(t), "plantbed"), append([]string{"serve"}, args...)...)}
	s.cmd.Stderr = &s.errs
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipe, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.cmd.Process.Kill() })
	s.out = bufio.NewReader(pipe)
	return s
}

// ready reads the line of --json.
func (s *service) ready() {
	s.t.Helper()
	line, err := s.out.ReadString('\n')
	if err != nil {
		s.t.Fatalf("no line: %v\n%s", err, s.errs.String())
	}
	dec := json.NewDecoder(strings.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s.where); err != nil {
		s.t.Fatalf("%v in %s", err, line)
	}
}

// end sends a signal and gives the exit code, and what was printed since.
func (s *service) end(sig syscall.Signal) (int, string) {
	s.t.Helper()
	s.cmd.Process.Signal(sig)
	rest, _ := io.ReadAll(s.out)
	s.cmd.Wait()
	return s.cmd.ProcessState.ExitCode(), string(rest)
}

// From a second terminal: mbpoll reads what curl says is true, curl breaks the
// link, mbpoll sees it, curl mends it. Then the service goes, on either signal,
// and takes everything with it.
func TestServeFromASecondTerminal(t *testing.T) {
	for _, tool := range []string{"mbpoll", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("PLANTBED_REQUIRE") == "1" {
				t.Fatalf("%s is missing, and PLANTBED_REQUIRE=1", tool)
			}
			t.Skipf("SKIPPED: %s is missing; make deps installs it", tool)
		}
	}
	s := startServe(t, "first-light", "--json", "--set", "plc[2].scan=100ms", "--set", "plc[2].order=cdab")
	s.ready()
	if len(s.where.Endpoints) != 3 || s.where.Broker != "" || s.where.API == "" {
		t.Fatalf("it is reached at %+v", s.where)
	}
	u, err := url.Parse(s.where.Endpoints[2].URL)
	if err != nil || s.where.Endpoints[2].PLC != "plc-oven" {
		t.Fatalf("%+v, %v", s.where.Endpoints[2], err)
	}
	curl := func(args ...string) string {
		out, err := exec.Command("curl", append([]string{"-sS", "-m", "5", "-H", "content-type: application/json"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("curl %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	var tags struct {
		Tags []struct{ Modbus struct{ Register int } }
	}
	if err := json.Unmarshal([]byte(curl(s.where.API+"/api/v1/tags?tag=oven/zone-1/temp")), &tags); err != nil || len(tags.Tags) != 1 {
		t.Fatalf("%+v, %v", tags, err)
	}
	poll := func() string {
		out, _ := exec.Command("mbpoll", "-m", "tcp", "-0", "-1", "-q", "-a", "1", "-o", "2", "-p", u.Port(), "-t", "4:float",
			"-r", fmt.Sprint(tags.Tags[0].Modbus.Register), "-c", "1", u.Hostname()).CombinedOutput()
		return string(out)
	}
	temp := func() (v float64, ok bool) {
		_, text, _ := strings.Cut(poll(), "]:")
		_, err := fmt.Sscan(strings.TrimSpace(text), &v)
		return v, err == nil
	}
	within := func(what string, f func() bool) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); !f(); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: not within 20 s; mbpoll says\n%s", what, poll())
			}
		}
	}
	within("a temperature of about 145", func() bool { v, ok := temp(); return ok && v > 135 && v < 155 })
	curl(s.where.API+"/api/v1/faults", "-d", `{"kind": "sensor.bias", "target": "oven/zone-1/temp", "bias": "10 %"}`)
	within("25 degrees more", func() bool { v, ok := temp(); return ok && v > 160 && v < 180 })
	curl(s.where.API+"/api/v1/faults", "-d", `{"kind": "link.down", "target": "plc-oven"}`)
	if v, ok := temp(); ok {
		t.Errorf("mbpoll reads %v over a cut link", v)
	}
	if active := curl(s.where.API + "/api/v1/faults"); !strings.Contains(active, "sensor.bias") || !strings.Contains(active, "link.down") {
		t.Errorf("active: %s", active)
	}
	curl("-X", "DELETE", s.where.API+"/api/v1/faults")
	within("all well again", func() bool { v, ok := temp(); return ok && v > 135 && v < 155 })
	if m := curl(s.where.API + "/metrics"); !strings.Contains(m, "plantbed_faults_injected_total 2") {
		t.Errorf("metrics:\n%s", m)
	}
	gone(t, s, syscall.SIGINT)

	s = startServe(t, "first-light", "--json", "--broker")
	s.ready()
	if !strings.HasPrefix(s.where.Broker, "mqtt://127.0.0.1:") {
		t.Errorf("the broker is at %q", s.where.Broker)
	}
	gone(t, s, syscall.SIGTERM)
}

// gone ends a service and looks for what is left.
func gone(t *testing.T, s *service, sig syscall.Signal) {
	t.Helper()
	if code, rest := s.end(sig); code != 0 || rest != "" || s.errs.Len() > 0 {
		t.Errorf("on %v it exits with %d, having printed %q and %q", sig, code, rest, s.errs.String())
	}
	if err := syscall.Kill(-s.cmd.Process.Pid, 0); err != syscall.ESRCH {
		t.Errorf("on %v a process of its group is left: %v", sig, err)
	}
	for _, e := range s.where.Endpoints {
		_, addr, _ := strings.Cut(e.URL, "://")
		if c, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			c.Close()
			t.Errorf("after %v somebody listens at %s", sig, addr)
		}
	}
}

func TestServePortInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	addr := taken.Addr().String()
	for want, args := range map[string][]string{
		"PLC plc-oven": {"--set", "plc[2].listen=" + addr},
		"the API":      {"--api", addr},
		"broker":       {"--broker=" + addr},
	} {
		code, out := plantbed(t, append([]string{"serve", "first-light"}, args...)...)
		if code != codeInternal || !strings.Contains(out, want) || !strings.Contains(out, addr) || !strings.Contains(out, "address already in use") {
			t.Errorf("%v: exit %d, %s", args, code, out)
		}
	}
}

// For people it says where everything is, in words.
func TestServeSaysWhere(t *testing.T) {
	s := startServe(t, "first-light", "--listen", "0.0.0.0")
	var lines []string
	for {
		line, err := s.out.ReadString('\n')
		if err != nil {
			t.Fatalf("%v after %q\n%s", err, lines, s.errs.String())
		}
		if lines = append(lines, line); strings.Contains(line, "Ctrl-C ends it") {
			break
		}
	}
	text := strings.Join(lines, "")
	for _, want := range []string{"first-light: 5 machines, 3 PLCs, seed 42", "plc-pump  opcua   opc.tcp://127.0.0.1:", "plc-oven  modbus  tcp://127.0.0.1:", "unit 1", "/metrics"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if code, _ := s.end(syscall.SIGINT); code != 0 {
		t.Errorf("exit %d", code)
	}
}
