package scenarios

import (
	"maps"
	"strconv"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/plant"
)

// Default is what a scenario is before its text is read.
func Default() Scenario {
	return Scenario{
		Seed: 1,
		Gear: GearVirtual,
		Gateway: Gateway{
			Contract: Contract{
				OPCUA:         OPCUAContract{Sampling: ms(100), Publishing: seconds(1), Queue: 50, Lifetime: seconds(600), Trigger: "status-value"},
				Modbus:        ModbusContract{Poll: seconds(1), FastPoll: ms(100)},
				Deadline:      seconds(5),
				Recover:       seconds(3),
				DurableWithin: seconds(1),
				Deliver:       Deliver{Kind: "raw"},
			},
			MQTT: MQTT{KeepAlive: seconds(20), MaxBackoff: seconds(2)},
		},
		Detector: Detector{CalibrationSeed: 1_000_003, CalibrationDuration: seconds(8 * 3600)},
		Disk:     Disk{Sync: ms(2)},
	}
}

// resolve spells out the defaults that depend on what was read: of what there
// can be several of, and of other packages' tables.
func (s *Scenario) resolve() {
	s.Extends = ""
	s.Gateway.Buffer = s.Gateway.Buffer.withDefaults()
	for i := range s.PLCs {
		s.PLCs[i] = s.PLCs[i].WithDefaults()
	}
	for i := range s.Lines {
		if s.Lines[i].Crew == 0 {
			s.Lines[i].Crew = 1
		}
	}
	for i := range s.Faults {
		s.Faults[i] = s.Faults[i].WithDefaults()
	}
	for i := range s.Machines {
		spellOut(&s.Machines[i])
	}
	// A child's "fault = []" takes its parent's faults away; written out again
	// that is no fault at all.
	if len(s.Faults) == 0 {
		s.Faults = nil
	}
	if len(s.Expect) == 0 {
		s.Expect = nil
	}
	if s.Dataset != nil {
		*s.Dataset = s.Dataset.withDefaults(s.Duration)
	}
}

// spellOut writes down the parameters that a machine leaves to its kind.
func spellOut(m *plant.MachineConfig) {
	all := map[string]string{}
	for _, p := range kindOf(*m).Params {
		all[p.Name] = strconv.FormatFloat(p.Default, 'g', -1, 64) + " " + p.Unit
	}
	maps.Copy(all, m.Params) // over the defaults, known or not
	m.Params = all
}

func ms(n int) strict.Duration { return strict.Duration(time.Duration(n) * time.Millisecond) }

func seconds(n int) strict.Duration { return strict.Duration(time.Duration(n) * time.Second) }
