package scenarios

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/plantbed/plantbed/sim/plant"
)

// The pictures of the shipped plants in the docs are what their own TOML draws.
func TestPicturesOfPlants(t *testing.T) {
	for _, name := range []string{"first-light", "machining-cell", "pumping-station", "batch"} {
		s, problems := load(name)
		if problems.Err() != nil {
			t.Fatal(problems)
		}
		svg := plant.SVG(plant.Config{Machines: s.Machines, Lines: s.Lines}, s.Name)
		path := filepath.Join("..", "docs", "plants", name+".svg")
		if *update {
			if err := os.WriteFile(path, svg, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if drawn, err := os.ReadFile(path); err != nil || !bytes.Equal(drawn, svg) {
			t.Errorf("%s is not the picture of the plant as it is (%v); go test ./scenarios -run Pictures -update draws it anew", path, err)
		}
	}
}
