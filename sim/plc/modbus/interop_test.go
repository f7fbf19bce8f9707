package modbus_test

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/plantbed/plantbed/sim/plc/modbus"
)

// missing skips a test out loud, or fails it where everything is required.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("PLANTBED_REQUIRE") == "1" {
		t.Fatalf("%s is missing, and PLANTBED_REQUIRE=1", what)
	}
	t.Skipf("SKIPPED: %s is missing; make deps installs it", what)
}

func port(r *rig) string {
	_, p, err := net.SplitHostPort(r.s.Addr().String())
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

// mbpoll, which is built on libmodbus: types, tables, writes, limits, errors.
func TestInteropMbpoll(t *testing.T) {
	if _, err := exec.LookPath("mbpoll"); err != nil {
		missing(t, "mbpoll")
	}
	r := newRig(t, modbus.Config{}, modbus.Options{})
	r.base, r.speed = -1000, 2.5
	r.scan()
	poll := func(args string, values ...string) string {
		words := append(strings.Fields("-m tcp -0 -1 -q -B -p "+port(r)+" "+args), "127.0.0.1")
		out, _ := exec.Command("mbpoll", append(words, values...)...).CombinedOutput()
		return string(out)
	}
	for _, c := range []struct {
		args, values string
		want         string
	}{
		{"-a 1 -t 4 -r 3 -c 1", "", "(-999)"},
		{"-a 1 -t 3 -r 2 -c 1", "", "1"},
		{"-a 1 -t 4:int -r 5 -c 1", "", "-997"},
		{"-a 1 -t 3:int -r 0 -c 1", "", "1"},
		{"-a 1 -t 4:float -r 9 -c 1", "", "-995"},
		{"-a 1 -t 4:float -r 15 -c 1", "", "2.5"},
		{"-a 1 -t 4 -r 61440", "4711", "Written 1 references"},
		{"-a 1 -t 4 -r 61441", "1 2 3", "Written 3 references"},
		{"-a 1 -t 4 -r 61440 -c 4", "", "4711"},
		{"-a 1 -t 4:float -r 15", "61.25", "Written 1 references"},
		{"-a 1 -t 0 -r 5", "1", "Written 1 references"},
		{"-a 1 -t 0 -r 6", "1 0 1", "Written 3 references"},
		{"-a 1 -t 0 -r 5 -c 4", "", "[8]: \t1"},
		{"-a 1 -t 1 -r 5 -c 1", "", "[5]: \t1"},
		{"-a 1 -t 4 -r 61440 -c 125", "", "[61564]"},
		{"-a 1 -t 4 -r 3", "5", "Illegal data address"},
		{"-a 1 -t 4 -r 4096 -c 1", "", "Illegal data address"},
		{"-a 1 -t 4 -r 17", "3000", "Illegal data value"},
		{"-a 9 -t 4 -r 2 -c 1", "", "Target device failed to respond"},
	} {
		if got := poll(c.args, strings.Fields(c.values)...); !strings.Contains(got, c.want) {
			t.Errorf("mbpoll %s %s: want %q in\n%s", c.args, c.values, c.want, got)
		}
	}
	r.scan()
	if r.speed != 61.25 {
		t.Errorf("the machine has %v, mbpoll wrote 61.25", r.speed)
	}
}

// pymodbus: every function code, types and limits; the script says what it
// expects and exits with an error where it sees something else.
func TestInteropPymodbus(t *testing.T) {
	python := findPymodbus()
	if python == "" {
		missing(t, "python3 with pymodbus")
	}
	r := newRig(t, modbus.Config{}, modbus.Options{})
	r.base, r.speed = -1000, 2.5
	r.scan()
	out, err := exec.Command(python, "testdata/client.py", port(r)).CombinedOutput()
	if err != nil || !strings.HasSuffix(string(out), "all as expected\n") {
		t.Fatalf("%v\n%s", err, out)
	}
	r.scan()
	if r.speed != -7.5 || r.base != 70000 {
		t.Errorf("the machine has %v and %v, pymodbus wrote -7.5 and 70000", r.speed, r.base)
	}
}

// findPymodbus looks at the path's Python and at Debian's own, which differ
// where another one is installed beside it.
func findPymodbus() string {
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import pymodbus").Run() == nil {
			return python
		}
	}
	return ""
}
