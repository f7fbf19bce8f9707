// Package seen writes down, for tests, what clients of other people's making saw.
//
//	seen.Note(t, "mbpoll", "read registers", ok)
//
// `make interop` makes docs/INTEROP.md of it.
package seen

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
)

// Note appends what a client saw of a feature to the file that
// PLANTBED_INTEROP_OUT names, where it names one. All of ok must hold.
func Note(t testing.TB, client, feature string, ok ...bool) {
	t.Helper()
	name := os.Getenv("PLANTBED_INTEROP_OUT")
	if name == "" {
		return
	}
	result := "pass"
	if slices.Contains(ok, false) {
		result = "fails"
	}
	line, err := json.Marshal(map[string]string{"client": client, "feature": feature, "result": result})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(append(line, '\n')); err != nil {
		t.Fatal(err)
	}
}
