package scenarios

import (
	"fmt"
	"slices"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/plant"
	"github.com/plantbed/plantbed/sim/plc"
)

// Desired is a value that somebody wants a device to have, said at the broker
// at an instant of the run. The gateway takes it to the device, once.
type Desired struct {
	At strict.Duration `toml:"at"`
	// Tag is one that a PLC takes: "MACHINE/load" of its setpoints.
	Tag   string  `toml:"tag"`
	Value float64 `toml:"value"`
}

// writable lists the tags that PLCs take values for.
func (s *Scenario) writable() (tags []string) {
	for _, p := range s.PLCs {
		for _, m := range p.Setpoints {
			tags = append(tags, plc.Setpoint(m))
		}
	}
	return tags
}

func (s *Scenario) validateDesired(ps *strict.Problems) {
	known := s.writable()
	for i, d := range s.Desired {
		at := func(key string) string { return fmt.Sprintf("desired[%d].%s", i, key) }
		switch {
		case d.Tag == "":
			ps.Add(at("tag"), "is missing: whose value is it?")
		case !slices.Contains(known, d.Tag):
			ps.AddName(at("tag"), fmt.Sprintf("no PLC takes values for %q; list its machine in the PLC's setpoints", d.Tag), d.Tag, known)
		}
		if d.At < 0 || d.At >= s.Duration {
			ps.Addf(at("at"), "%v is not within the run of %v", d.At, s.Duration)
		}
		if !(d.Value >= plant.LeastLoad && d.Value <= plant.MostLoad) {
			ps.Addf(at("value"), "%v is out of range: a load goes from %v to %v times the usual", d.Value, plant.LeastLoad, plant.MostLoad)
		}
	}
}
