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
