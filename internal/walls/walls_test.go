package walls

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/plantbed/plantbed/"

type pkg struct {
	ImportPath string
	Imports    []string
}

func list(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// holds tells whether a tree pattern holds a package.
func holds(tree, name string) bool {
	root, whole := strings.CutSuffix(tree, "/...")
	return name == root || whole && strings.HasPrefix(name, root+"/")
}

// breaches lists what a package imports against the rules.
func breaches(p pkg) []string {
	name := strings.TrimPrefix(p.ImportPath, module)
	i := slices.IndexFunc(Rules, func(r Rule) bool { return holds(r.Tree, name) })
	if i < 0 {
		return []string{"no rule holds it: add it to the table, and say why"}
	}
	r := Rules[i]
	var out []string
	for _, imp := range p.Imports {
		own, ours := strings.CutPrefix(imp, module)
		switch {
		case !ours && (imp == "net" || imp == "net/http") && !r.Net:
			out = append(out, "imports "+imp+", but is not a door")
		case !ours && strings.HasPrefix(imp, "go.opentelemetry.io/otel/sdk") && !slices.ContainsFunc([]string{"cmd", "harness", "gateway/admin"}, func(t string) bool { return holds(t+"/...", name) }):
			out = append(out, "imports "+imp+": only the API may be used here")
		case ours && own != "internal/strict" && !slices.ContainsFunc(r.May, func(m string) bool { return holds(m, own) }):
			out = append(out, "imports "+own)
		}
	}
	return out
}

func TestWalls(t *testing.T) {
	for _, p := range list(t) {
		if strings.Contains(p.ImportPath, "/testdata/") {
			continue
		}
		for _, b := range breaches(p) {
			t.Errorf("%s %s", strings.TrimPrefix(p.ImportPath, module), b)
		}
	}
}

// The wall must catch what it stands against.
func TestPlantedBreaches(t *testing.T) {
	for name, imp := range map[string]string{
		"gateway/opcua":    module + "faults",
		"twin":             module + "sim/plant",
		"sim/plc":          module + "faults",
		"gateway/pipeline": "net",
		"harness/score":    module + "gateway",
		"twin/predict":     module + "internal/payload",
		"brand/new":        module + "sim/signal",
	} {
		if len(breaches(pkg{ImportPath: module + name, Imports: []string{imp}})) == 0 {
			t.Errorf("%s importing %s went unnoticed", name, imp)
		}
	}
	for name, imp := range map[string]string{"gateway/opcua": module + "internal/strict", "harness": module + "faults/wire"} {
		if b := breaches(pkg{ImportPath: module + name, Imports: []string{imp}}); len(b) > 0 {
			t.Errorf("%s importing %s: %v", name, imp, b)
		}
	}
}
