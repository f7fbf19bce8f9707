package main

import (
	"os"
	"testing"
)

// TestConformanceLive runs the entry that sets a process's clock, which only
// the live gear can.
func TestConformanceLive(t *testing.T) {
	if os.Getenv("PLANTBED_LIVE") == "" {
		t.Skip("SKIPPED: takes 45 s of wall time and a machine to itself; PLANTBED_LIVE=1 runs it, as CI does at its end")
	}
	if code, out := plantbed(t, "conformance", "--only", "K06", "--out", t.TempDir()); code != codePass {
		t.Fatalf("exit %d\n%s", code, out)
	}
}
