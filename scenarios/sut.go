package scenarios

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/harness/sut"
	"github.com/plantbed/plantbed/internal/strict"
)

// sutFaults are the faults of a gateway that any program can be hit by, and
// storeFaults those that need to know where it keeps its data. The others need
// the built-in one, whose files and configuration are within reach.
var (
	sutFaults   = []string{"gateway.kill", "gateway.pause", "gateway.restart", "gateway.clock"}
	storeFaults = []string{"gateway.disk_full", "gateway.bit_flip"}
)

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
		if strings.HasPrefix(f.Kind, "gateway.") {
			s.validateSUTFault(fmt.Sprintf("fault[%d].kind", i), f, ps)
		}
	}
}

// validateSUTFault reports a fault of a gateway that this one cannot be hit by.
func (s *Scenario) validateSUTFault(at string, f faults.Config, ps *strict.Problems) {
	switch {
	case s.SUT.Kind == sut.External:
		ps.Addf(at, "%q needs a gateway that the run starts", f.Kind)
	case slices.Contains(storeFaults, f.Kind) && s.SUT.Store == "":
		ps.Addf(at, "%q needs to know where the gateway keeps its data: [sut] has no store", f.Kind)
	case f.Kind == "gateway.disk_full" && s.SUT.Kind != sut.Process:
		ps.Addf(at, "%q needs kind = \"process\", for a small disk under its store", f.Kind)
	case f.Kind == "gateway.clock" && s.SUT.Kind != sut.Process:
		ps.Addf(at, "%q needs kind = \"process\", to be started under a clock of its own", f.Kind)
	case f.Kind == "gateway.pause" && slices.ContainsFunc(s.Faults, func(f faults.Config) bool { return f.Kind == "gateway.clock" }):
		ps.Addf(at, "%q does not go with gateway.clock: what has a clock of its own cannot be paused", f.Kind)
	case !slices.Contains(sutFaults, f.Kind) && !slices.Contains(storeFaults, f.Kind):
		ps.Addf(at, "%q needs the built-in gateway; of another one there are %s", f.Kind, strings.Join(append(slices.Clone(sutFaults), storeFaults...), ", "))
	case f.Kind == "gateway.kill" && f.On != "":
		ps.Addf(at, "on = %q needs the built-in gateway: when another one's disk is at work is not known", f.On)
	}
}
