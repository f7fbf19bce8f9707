package gateway

import (
	"os"
	"strings"
	"testing"

	"github.com/plantbed/plantbed/internal/strict"
)

// TestTheConfigInTheDocsHolds takes the example out of docs/GATEWAY.md.
func TestTheConfigInTheDocsHolds(t *testing.T) {
	text, err := os.ReadFile("../docs/GATEWAY.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```toml\n")
	example, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("no example")
	}
	var cfg Config
	src, ps := strict.Decode("docs/GATEWAY.md", []byte(example), &cfg)
	if len(ps) == 0 {
		cfg.Defaults()
		ps = src.Locate(cfg.Validate())
	}
	if len(ps) > 0 {
		t.Fatal(ps.Err())
	}
}

// TestTheTablesInTheDocs: they are those that the commands made.
func TestTheTablesInTheDocs(t *testing.T) {
	text, err := os.ReadFile("../docs/GATEWAY.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, part := range strings.Split(string(text), "<!-- table ")[1:] {
		file, rest, _ := strings.Cut(part, " -->\n")
		got, _, ok := strings.Cut(rest, "\n<!-- end -->")
		want, err := os.ReadFile("../" + file)
		if err != nil || !ok || got != strings.TrimSpace(string(want)) {
			t.Errorf("%s is not in the docs as it is: %v; bench/gateway -docs docs/GATEWAY.md puts it there", file, err)
		}
		n++
	}
	if n != 3 {
		t.Errorf("%d tables, want three", n)
	}
}
