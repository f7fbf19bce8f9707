package wire

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/plantbed/plantbed/harness/virtual"
)

// In the virtual gear a link without a fault takes no time at all: a thousand
// round trips last zero nanoseconds each, the first with its connect among
// them. That it would show, the second case tells: a microsecond each way is
// two, and what keeps it off round instants.
func TestNoFaultTakesNoVirtualTime(t *testing.T) {
	exe := filepath.Join(t.TempDir(), "trips")
	cmd := exec.Command("go", "build", "-tags", "faketime", "-o", exe, "./testdata/trips")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, tc := range []struct {
		latency     string
		least, most int64 // ns added to the longest trip
	}{
		{"0s", 0, 0},
		{"1us", 2000, 6000},
	} {
		var lines []string
		w := virtual.Worker{Exe: exe, Args: []string{tc.latency}, Progress: func(s string) { lines = append(lines, s) }}
		if err := w.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		var direct, wired int64
		if len(lines) != 2 {
			t.Fatalf("%q", lines)
		}
		fmt.Sscanf(lines[0], "direct %d", &direct)
		fmt.Sscanf(lines[1], "wired %d", &wired)
		t.Logf("latency %s: %v ns", tc.latency, lines)
		if added := wired - direct; direct != 0 || added < tc.least || added > tc.most {
			t.Errorf("latency %s: a trip takes %d ns, by the wire %d to %d more were expected, got %d", tc.latency, direct, tc.least, tc.most, added)
		}
	}
}
