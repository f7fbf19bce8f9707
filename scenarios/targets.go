package scenarios

import "github.com/plantbed/plantbed/faults"

// Targets are the names of everything in the scenario that a fault can hit.
func (s *Scenario) Targets() faults.Names { return s.targets() }
