package scenarios

import (
	"bytes"
	"fmt"

	"github.com/BurntSushi/toml"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/harness/sut"
	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/plant"
	"github.com/plantbed/plantbed/sim/plc"
)

// Scenario is a whole scenario, with every default spelled out once it has
// been loaded.
type Scenario struct {
	Name    string `toml:"name"`
	Summary string `toml:"summary"`
	// Extends names the scenario this one is built on: a file beside it or a
	// shipped name. It is empty in a loaded scenario, which stands alone.
	Extends  string          `toml:"extends,omitempty"`
	Seed     uint64          `toml:"seed"`
	Duration strict.Duration `toml:"duration"`
	// Gear is fast, virtual or live.
	Gear    string  `toml:"gear"`
	Gateway Gateway `toml:"gateway"`
	// SUT is another gateway in the place of the built-in one, under the same
	// contract; nil for none.
	SUT      *sut.Config           `toml:"sut,omitempty"`
	Twin     Twin                  `toml:"twin"`
	Detector Detector              `toml:"detector"`
	Broker   Broker                `toml:"broker"`
	Disk     Disk                  `toml:"disk"`
	Machines []plant.MachineConfig `toml:"machine,omitempty"`
	Lines    []plant.LineConfig    `toml:"line,omitempty"`
	PLCs     []plc.Config          `toml:"plc,omitempty"`
	Faults   []faults.Config       `toml:"fault,omitempty"`
	// Desired are values that somebody wants devices to have.
	Desired []Desired `toml:"desired,omitempty"`
	Expect  []Expect  `toml:"expect,omitempty"`
	// Dataset says how the runs of a data set vary; nil for a scenario that
	// leaves it at the defaults.
	Dataset *Dataset `toml:"dataset,omitempty"`

	src  *strict.Source  // where it was read, for the places of problems
	told strict.Problems // what Load has complained of already
	lost bool            // it could not be read at all
}

// The gears.
const (
	GearFast    = "fast"
	GearVirtual = "virtual"
	GearLive    = "live"
)

var gears = []string{GearFast, GearVirtual, GearLive}

// Detector is how the twin's detectors get their limits.
type Detector struct {
	// CalibrationSeed is the seed of the healthy run that limits come from. It
	// is never the scored one.
	CalibrationSeed     uint64          `toml:"calibration_seed"`
	CalibrationDuration strict.Duration `toml:"calibration_duration"`
}

// Broker is the MQTT broker between gateway and twin.
type Broker struct {
	// URL of a broker that runs already; empty means the embedded one.
	URL string `toml:"url"`
}

// Disk is the modelled disk of the virtual gear.
type Disk struct {
	// Sync is how long making something durable takes.
	Sync strict.Duration `toml:"sync"`
	// Capacity is when the disk is full; 0 means never.
	Capacity strict.Bytes `toml:"capacity"`
}

// Expect bounds one metric of the card from below, above or both.
type Expect struct {
	Metric string   `toml:"metric"`
	Min    *float64 `toml:"min,omitempty"`
	Max    *float64 `toml:"max,omitempty"`
	// MinN is how many things the metric has to rest on to count; with fewer
	// the verdict is unknown.
	MinN int `toml:"min_n,omitempty"`
}

// Encode writes the resolved scenario: every default spelled out, standing
// alone. Loading it gives the same scenario again.
func (s *Scenario) Encode() ([]byte, error) {
	var b bytes.Buffer
	enc := toml.NewEncoder(&b)
	enc.Indent = ""
	if err := enc.Encode(s); err != nil {
		return nil, fmt.Errorf("write scenario %s: %w", s.Name, err)
	}
	return b.Bytes(), nil
}
