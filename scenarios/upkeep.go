package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/twin/predict"
)

// validateUpkeep looks that an alarm which maintenance waits for can come: of
// one of the twin's detectors, or of a PLC on one of the machine's signals.
func (s *Scenario) validateUpkeep(ps *strict.Problems) {
	for i, m := range s.Machines {
		valid := []string{predict.DetectorPCA, predict.DetectorShewhart}
		for _, p := range s.PLCs {
			for _, a := range p.Alarms {
				if name, ok := strings.CutPrefix(string(a.Tag), m.Name+"/"); ok {
					valid = append(valid, name)
				}
			}
		}
		for j, o := range m.Maintenance {
			if at := fmt.Sprintf("machine[%d].maintenance[%d]", i, j); o.Alarm != "" {
				if !slices.Contains(valid, o.Alarm) {
					ps.AddName(at+".alarm", fmt.Sprintf("no alarm %q comes of %s; there are %s", o.Alarm, m.Name, strings.Join(valid, ", ")), o.Alarm, valid)
				}
				if o.Class != "" {
					checkOneOf(ps, at+".class", o.Class, []string{predict.Process, predict.Sensor})
				}
			}
		}
	}
}
