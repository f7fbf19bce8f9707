package scenarios

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plantbed/plantbed/harness/sut"
	"github.com/plantbed/plantbed/internal/strict"
)

// sutFaults are the faults of a gateway that any program can be hit by. The
// others need the modelled host of the built-in one.
var sutFaults = []string{"gateway.kill", "gateway.pause", "gateway.restart"}

// Foreign tells that the gateway is not the built-in one.
func (s *Scenario) Foreign() bool { return s.SUT != nil && s.SUT.Kind != sut.Builtin }

// loadSUT reads what the [sut] table names: an adapter, which the table's other
// keys change, and templates beside the file that says it.
func (s *Scenario) loadSUT(tree *strict.Tree) strict.Problems {
	if s.SUT == nil {
		return nil
	}
	dir := "."
	if at := tree.Source().Locate(strict.Problems{{Path: "sut"}}); at[0].File != "" {
		dir = filepath.Dir(at[0].File)
	}
	if use := s.SUT.Use; use != "" {
		c, ps := sut.Load(adapterAt(dir, use))
		if len(ps) > 0 {
			return ps
		}
		s.SUT = &c
		tree.Into(s) // its problems have been told
		s.SUT.Use = ""
	}
	s.SUT.In(dir)
	ps := s.SUT.ReadFiles()
	s.SUT.Defaults()
	return tree.Source().Locate(ps.Under("sut"))
}

// adapterAt is a path that starts from a folder; a bare name is a shipped adapter's.
func adapterAt(dir, path string) string {
	if filepath.IsAbs(path) || !strings.ContainsAny(path, `/\.`) {
		return path
	}
	return filepath.Join(dir, path)
}

func (s *Scenario) validateSUT(ps *strict.Problems) {
	if s.SUT == nil {
		return
	}
	*ps = append(*ps, s.SUT.Validate().Under("sut")...)
	if !s.Foreign() {
		return
	}
	if s.Gear != GearLive {
		ps.Addf("gear", "is %s, but a %s keeps the wall's time; with [sut] it must be live", s.Gear, s.SUT.Kind)
	}
	for i, f := range s.Faults {
		if strings.HasPrefix(f.Kind, "gateway.") && s.SUT.Kind == sut.External {
			ps.Addf(fmt.Sprintf("fault[%d].kind", i), "%q needs a gateway that the run starts", f.Kind)
			continue
		}
		if strings.HasPrefix(f.Kind, "gateway.") && !slices.Contains(sutFaults, f.Kind) {
			ps.AddName(fmt.Sprintf("fault[%d].kind", i), fmt.Sprintf("%q needs the built-in gateway; of another one there are %s", f.Kind, strings.Join(sutFaults, ", ")), f.Kind, nil)
		}
	}
}
