package modbus_test

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/plantbed/plantbed/internal/interop/seen"
	"github.com/plantbed/plantbed/sim/plc"
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
		feature, args, values string
		want                  string
	}{
		{"3: read holding registers", "-a 1 -t 4 -r 3 -c 1", "", "(-999)"},
		{"4: read input registers", "-a 1 -t 3 -r 2 -c 1", "", "1"},
		{"types int and float, high word first", "-a 1 -t 4:int -r 5 -c 1", "", "-997"},
		{"types int and float, high word first", "-a 1 -t 3:int -r 0 -c 1", "", "1"},
		{"types int and float, high word first", "-a 1 -t 4:float -r 9 -c 1", "", "-995"},
		{"types int and float, high word first", "-a 1 -t 4:float -r 15 -c 1", "", "2.5"},
		{"6: write a register", "-a 1 -t 4 -r 61440", "4711", "Written 1 references"},
		{"16: write registers", "-a 1 -t 4 -r 61441", "1 2 3", "Written 3 references"},
		{"16: write registers", "-a 1 -t 4 -r 61440 -c 4", "", "4711"},
		{"16: write registers", "-a 1 -t 4:float -r 15", "61.25", "Written 1 references"},
		{"5: write a coil", "-a 1 -t 0 -r 61445", "1", "Written 1 references"},
		{"15: write coils", "-a 1 -t 0 -r 61446", "1 0 1", "Written 3 references"},
		{"1: read coils", "-a 1 -t 0 -r 61445 -c 4", "", "[61448]: \t1"},
		{"2: read discrete inputs", "-a 1 -t 1 -r 61445 -c 1", "", "[61445]: \t1"},
		{"1: read coils", "-a 1 -t 0 -r 0 -c 2", "", "[0]: \t1\n[1]: \t0"},
		{"5: write a coil", "-a 1 -t 0 -r 1", "1", "Written 1 references"},
		{"exceptions 2, 3 and 11", "-a 1 -t 0 -r 0", "0", "Illegal data address"},
		{"125 registers at once", "-a 1 -t 4 -r 61440 -c 125", "", "[61564]"},
		{"exceptions 2, 3 and 11", "-a 1 -t 4 -r 3", "5", "Illegal data address"},
		{"exceptions 2, 3 and 11", "-a 1 -t 4 -r 4096 -c 1", "", "Illegal data address"},
		{"exceptions 2, 3 and 11", "-a 1 -t 4 -r 17", "3000", "Illegal data value"},
		{"exceptions 2, 3 and 11", "-a 9 -t 4 -r 2 -c 1", "", "Target device failed to respond"},
	} {
		got := poll(c.args, strings.Fields(c.values)...)
		seen.Note(t, "mbpoll 1.0 (libmodbus)", c.feature, strings.Contains(got, c.want))
		if !strings.Contains(got, c.want) {
			t.Errorf("mbpoll %s %s: want %q in\n%s", c.args, c.values, c.want, got)
		}
	}
	r.scan()
	if r.speed != 61.25 || !r.valve {
		t.Errorf("the machine has %v and %v, mbpoll wrote 61.25 and true", r.speed, r.valve)
	}
	seen.Note(t, "mbpoll 1.0 (libmodbus)", "writes that reach the machine at the next scan", r.speed == 61.25 && r.valve)
}

// Without -B mbpoll takes the low word first, which is the order cdab.
func TestInteropMbpollOrder(t *testing.T) {
	if _, err := exec.LookPath("mbpoll"); err != nil {
		missing(t, "mbpoll")
	}
	r := newRigOf(t, plc.Config{Order: "cdab"}, modbus.Config{}, modbus.Options{})
	r.base = -70000
	r.scan()
	for args, want := range map[string]string{"-t 4:int -r 5": "-69997", "-t 3:float -r 9": "-69995"} {
		words := append(strings.Fields("-m tcp -0 -1 -q -a 1 -c 1 -p "+port(r)+" "+args), "127.0.0.1")
		out, _ := exec.Command("mbpoll", words...).CombinedOutput()
		seen.Note(t, "mbpoll 1.0 (libmodbus)", "types int and float, low word first (cdab)", strings.Contains(string(out), want))
		if !strings.Contains(string(out), want) {
			t.Errorf("mbpoll %s: want %q in\n%s", args, want, out)
		}
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
	for _, line := range strings.Split(string(out), "\n") {
		if feature, ok := strings.CutPrefix(line, "seen: "); ok {
			seen.Note(t, "pymodbus 3.0", feature, err == nil)
		}
	}
	if err != nil || !strings.HasSuffix(string(out), "all as expected\n") {
		t.Fatalf("%v\n%s", err, out)
	}
	r.scan()
	if r.speed != -7.5 || r.base != 70000 || !r.valve {
		t.Errorf("the machine has %v, %v and %v, pymodbus wrote -7.5, 70000 and true", r.speed, r.base, r.valve)
	}
}

// pymodbus reads every type in every order of bytes, and writes back what
// reaches the machine; and a tag may lie otherwise than the rest.
func TestInteropPymodbusOrders(t *testing.T) {
	python := findPymodbus()
	if python == "" {
		missing(t, "python3 with pymodbus")
	}
	for _, order := range []string{"abcd", "cdab", "badc", "dcba"} {
		t.Run(order, func(t *testing.T) {
			odd := "dcba"
			if order == odd {
				odd = "abcd"
			}
			r := newRigOf(t, plc.Config{Order: order, TagOrders: map[string]string{"rw/speed": odd}}, modbus.Config{}, modbus.Options{})
			r.base, r.speed, r.level, r.total, r.valve = 70000, 1234.5, -12.3, 1<<40+1, true
			r.scan()
			out, err := exec.Command(python, "testdata/orders.py", port(r), order, odd).CombinedOutput()
			seen.Note(t, "pymodbus 3.0", "every type in the order "+order+", read and written", err == nil)
			if err != nil || !strings.HasSuffix(string(out), "all as expected\n") {
				t.Fatalf("%v\n%s", err, out)
			}
			r.scan()
			if r.speed != -7.5 || r.base != -70001 || r.total != 1<<50+3 || r.level != 45.6 {
				t.Errorf("the machine has %v, %v, %v and %v", r.speed, r.base, r.total, r.level)
			}
		})
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
