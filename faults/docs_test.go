package faults

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

const docs = "../docs/FAULTS.md"

// The tables of docs/FAULTS.md are those of the code; -update writes them anew.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	now := string(text)
	for name, table := range map[string]string{"kinds": kindsTable(), "keys": keysTable(), "profiles": profilesTable()} {
		begin, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->"
		i, j := strings.Index(now, begin), strings.Index(now, end)
		if i < 0 || j < i {
			t.Fatalf("%s has no place for the %s", docs, name)
		}
		now = now[:i+len(begin)] + table + now[j:]
	}
	if *update {
		if err := os.WriteFile(docs, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if now != string(text) {
		t.Errorf("%s does not have the tables of the code (go test ./faults -run Docs -update writes them)", docs)
	}
	for _, k := range Kinds() {
		if k.Shows == "" {
			t.Errorf("%s: what does a client see of it?", k.Name)
		}
	}
	if len(shows) != len(kinds) {
		t.Errorf("%d kinds, and what is seen of %d", len(kinds), len(shows))
	}
}

func kindsTable() string {
	var b strings.Builder
	last := ""
	for _, k := range Kinds() {
		if area, _, _ := strings.Cut(k.Name, "."); area != last {
			last = area
			fmt.Fprintf(&b, "\n### %s.*\n\n", area)
		}
		fmt.Fprintf(&b, "**`%s`** (%s fault of %s; gear: %s): %s.\n", k.Name, k.Class, k.Seam.article(), k.Gear(), k.Doc)
		for _, key := range k.Keys {
			must := ""
			if key.Required {
				must = " (must be given)"
			}
			fmt.Fprintf(&b, "- `%s = %s`%s: %s\n", key.Name, key.Example, must, key.Doc)
		}
		fmt.Fprintf(&b, "\nSeen: %s.\n\n", k.Shows)
	}
	return b.String()
}

func keysTable() string {
	var b strings.Builder
	b.WriteString("\n| key | means |\n|---|---|\n| `kind`, `target` | what happens, and to what |\n| `at = \"20m\"` | when, since the start of the run |\n")
	for _, key := range WhenKeys {
		fmt.Fprintf(&b, "| `%s = %s` | %s |\n", key.Name, key.Example, key.Doc)
	}
	return b.String() + "\n"
}

func profilesTable() string {
	var b strings.Builder
	b.WriteString("\n| profile | what it is | one way | spread | lost | up, down (Mbit/s) |\n|---|---|---|---|---|---|\n")
	for _, p := range Profiles {
		loss := "nothing"
		if p.Loss.Bad > 0 {
			loss = fmt.Sprintf("%v in each %v, on average", p.Loss.Bad, p.Loss.Good)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %v ± %v | %s | %s | %v, %v |\n", p.Name, p.Doc, p.Delay, p.Jitter, p.Spread, loss, p.Up, p.Down)
	}
	return b.String() + "\n"
}
