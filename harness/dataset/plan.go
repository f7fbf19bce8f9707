package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/plantbed/plantbed/scenarios"
	"github.com/plantbed/plantbed/sim"
)

// Splits of a data set, by physical unit.
var splitNames = []string{"train", "validation", "test"}

// Options of a data set. Dir and Runs must be set.
type Options struct {
	Dir  string
	Runs int
	// Seed is the root of everything that is drawn.
	Seed uint64
	// Workers write side by side; 0 means one for each core. The bytes do not
	// depend on it.
	Workers int
	// Format is "parquet" (the default), "csv" or "cmapss".
	Format string
	// Version of the program, for the manifest.
	Version  string
	Progress func(Progress)

	// stopAfter ends the writing after so many shards, for tests.
	stopAfter int
}

// Progress is how far the writing is. Values are those of sensors.
type Progress struct {
	Runs, Total int
	Values      int64
}

// Formats that can be written.
var Formats = []string{"parquet", "csv", "cmapss"}

// plan is what a data set will be: a function of the scenario and the options
// that shape its bytes.
type plan struct {
	sc    *scenarios.Scenario
	ds    scenarios.Dataset
	opts  Options
	shard int // runs in each file
	units int
	// asItWas leaves the scenario's own units and fast scans alone.
	asItWas bool
}

func newPlan(sc *scenarios.Scenario, opts Options) (*plan, error) {
	if opts.Format == "" {
		opts.Format = Formats[0]
	}
	if sc.Dataset == nil { // spelled out, as in scenario.toml of the data set
		d, whole := scenarios.DefaultDataset(sc.Duration), *sc
		whole.Dataset = &d
		sc = &whole
	}
	p := &plan{sc: sc, ds: *sc.Dataset, opts: opts}
	switch {
	case opts.Dir == "":
		return nil, fmt.Errorf("dataset: no directory to write to")
	case opts.Runs < 1:
		return nil, fmt.Errorf("dataset: %d runs are none; 1 is the least", opts.Runs)
	case !slices.Contains(Formats, opts.Format):
		return nil, fmt.Errorf("dataset: there is no format %q; there are parquet, csv and cmapss", opts.Format)
	}
	// Enough files to keep many cores busy, and few enough to handle.
	p.shard = min(max(opts.Runs/16, 1), 64)
	if p.units = p.ds.Units; p.units == 0 {
		p.units = (opts.Runs + 3) / 4
	}
	return p, nil
}

func (p *plan) shards() int { return (p.opts.Runs + p.shard - 1) / p.shard }

// runsOf are the runs of a shard.
func (p *plan) runsOf(shard int) (from, to int) {
	return shard * p.shard, min((shard+1)*p.shard, p.opts.Runs)
}

// exactInJSON is the number of bits that every reader of JSON keeps.
const exactInJSON = 53

// seedOf is the seed of a run. It is hashed, so that two data sets of
// neighbouring seeds have no run in common.
func (p *plan) seedOf(run int) uint64 {
	return sim.Rand(p.opts.Seed, fmt.Sprintf("dataset/run/%d", run)).Uint64() >> (64 - exactInJSON)
}

// unitOf is the physical plant that a run is of: in turn, so that all have
// equally many.
func (p *plan) unitOf(run int) int { return run % p.units }

// serialOf is what tells the machines and instruments of a unit from those of
// others.
func (p *plan) serialOf(unit int) uint64 {
	return sim.Rand(p.opts.Seed, fmt.Sprintf("dataset/unit/%d", unit)).Uint64() >> (64 - exactInJSON)
}

// splitOf deals units, in an order that the seed shuffles, to the splits.
func (p *plan) splitsOfUnits() []int {
	order := sim.Rand(p.opts.Seed, "dataset/splits").Perm(p.units)
	out := make([]int, p.units)
	for at, unit := range order {
		share := (float64(at) + 0.5) / float64(p.units)
		sum := 0.0
		for i, s := range p.ds.Splits {
			out[unit] = i
			if sum += s; share < sum {
				break
			}
		}
	}
	return out
}

// fingerprint names the bytes that will be written: of the same fingerprint
// is the same data set.
func (p *plan) fingerprint() (string, error) {
	text, err := p.sc.Encode()
	if err != nil {
		return "", err
	}
	key, err := json.Marshal(struct {
		Schema, Scenario, Format, Version string
		Runs                              int
		Seed                              uint64
		Dataset                           scenarios.Dataset
	}{Schema, string(text), p.opts.Format, p.opts.Version, p.opts.Runs, p.opts.Seed, p.ds})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:]), nil
}

// rows of a run.
func (p *plan) rows() int { return int(p.sc.Duration / p.ds.Every) }

// null is a value that is not there.
var null = math.NaN()

// isNull tells it.
func isNull(v float64) bool { return v != v }
