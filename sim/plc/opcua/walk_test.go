package opcua

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/interop/seen"
	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/plc"
)

// A client of another's making follows every reference and reads every
// attribute, and finds nothing that the standard does not allow.
func TestInteropWalk(t *testing.T) {
	t.Parallel()
	nodes, odd := walk(t, walked)
	for i, what := range odd {
		if i == 20 {
			t.Errorf("and %d more", len(odd)-i)
			break
		}
		t.Error(what)
	}
	if nodes < 300 {
		t.Errorf("%d nodes", nodes)
	}
	seen.Note(t, "node-opcua 2.182.2", "every attribute and reference of every node as the standard has it", !t.Failed())
}

// The walk can fail: nodes that are not as they should be are named.
func TestInteropWalkFindsWhatIsOdd(t *testing.T) {
	t.Parallel()
	_, odd := walk(t, func(s *Server) {
		sp := s.space()
		sp.tags["oven/batch"].memory = newMemory(1, rankScalar, nil, false, true, time.Time{}) // and the node says String
		sp.tags["oven"].refs = append(sp.tags["oven"].refs, ref{35, true, sp.tags["pump"]})
	})
	for _, want := range []string{"oven/batch has a Boolean and the data type ns=0;i=12", "oven → ns=2;s=pump by ns=0;i=35 has no way back"} {
		if !strings.Contains(strings.Join(odd, "\n"), want) {
			t.Errorf("%q, want %s", odd, want)
		}
	}
	if len(odd) > 4 {
		t.Errorf("%d things are odd: %q", len(odd), odd)
	}
}

func walked(*Server) {} // as it is

// walk has node-opcua go through a server with something of everything.
func walk(t *testing.T, spoil func(*Server)) (nodes int, odd []string) {
	t.Helper()
	nodeModules(t, "node-opcua-client")
	high := 50.0
	p := newPLC()
	s := serve(t, p, Config{
		History: strict.Duration(10 * time.Second), Alarms: []plc.Alarm{{Tag: "oven/zone", High: &high, Confirm: true}}, Machines: testMachines(), Variables: testVariables(),
	}, Options{})
	p.scan(0)
	p.scan(1)
	spoil(s)
	out, err := exec.Command("node", filepath.Join(interopDir, "walk.cjs"), endpoint(s)).Output()
	var found struct {
		Nodes int
		Odd   []string
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if json.Unmarshal([]byte(lines[len(lines)-1]), &found) != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return found.Nodes, found.Odd
}
