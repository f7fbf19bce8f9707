package scenarios

import (
	"fmt"
	"slices"

	"github.com/plantbed/plantbed/internal/strict"
)

// Dataset says how the runs of a data set differ from one another. A scenario
// without the table, or a key of it, has that of DefaultDataset.
//
// The faults of [[fault]] that machines and sensors have are the same in every
// run; what is drawn here comes on top, from the seed of each run.
type Dataset struct {
	// Every is the time between two rows.
	Every strict.Duration `toml:"every"`
	// Components are those that may wear out, as "machine/component"; none
	// means all of the plant's.
	Components []string `toml:"components,omitempty"`
	// Failing is the share of runs in which one of them does.
	Failing float64 `toml:"failing"`
	// Onset is when, at the earliest and at the latest; uniform.
	Onset []strict.Duration `toml:"onset"`
	// Life is how long it takes from the onset to the failure, at least and at
	// most; its logarithm is uniform. A life that ends behind the end of the
	// run is censored.
	Life []strict.Duration `toml:"life"`
	// SensorFailing is the share of runs in which an instrument lies for a while.
	SensorFailing float64 `toml:"sensor_failing"`
	// ChangesPerHour is how often, on average, something changes though nothing
	// is wrong: load, recipe, the hall's temperature.
	ChangesPerHour float64 `toml:"changes_per_hour"`
	// Units is how many physical plants the runs are of, each with machines and
	// instruments of its own; 0 means one for every four runs.
	Units int `toml:"units"`
	// Splits are the shares of units for training, validation and test.
	Splits []float64 `toml:"splits"`
	// BurstEvery is the time between two waveforms of each bearing; 0 means none.
	BurstEvery strict.Duration `toml:"burst_every"`
	// BurstSamples is their length, and BurstRateHz the rate, in samples per second.
	BurstSamples int     `toml:"burst_samples"`
	BurstRateHz  float64 `toml:"burst_rate_hz"`
	// Cycle is what the C-MAPSS layout counts: one row for so much time.
	Cycle strict.Duration `toml:"cycle"`
}

// DefaultDataset is that of a scenario which says nothing, for runs of a
// duration: half of them fail, and the plant is never left alone.
func DefaultDataset(duration strict.Duration) Dataset {
	return usual().withDefaults(duration)
}

// usual are the defaults of what may be 0: they are there before a table is read.
func usual() Dataset {
	return Dataset{Failing: 0.5, SensorFailing: 0.2, ChangesPerHour: 6, BurstEvery: seconds(600)}
}

func (d Dataset) withDefaults(duration strict.Duration) Dataset {
	if d.Every == 0 {
		d.Every = seconds(1)
	}
	if len(d.Onset) == 0 {
		d.Onset = []strict.Duration{duration / 8, duration * 5 / 8}
	}
	if len(d.Life) == 0 {
		d.Life = []strict.Duration{duration / 8, duration}
	}
	if len(d.Splits) == 0 {
		d.Splits = []float64{0.7, 0.1, 0.2}
	}
	if d.BurstSamples == 0 {
		d.BurstSamples = 2048
	}
	if d.BurstRateHz == 0 {
		d.BurstRateHz = 12_800
	}
	if d.Cycle == 0 {
		d.Cycle = seconds(60)
	}
	return d
}

// validate reports all that is wrong; what a component is, targets know.
func (d Dataset) validate(duration strict.Duration, knobs []string) strict.Problems {
	var ps strict.Problems
	atLeast(&ps, "every", d.Every, ms(10))
	atLeast(&ps, "cycle", d.Cycle, d.Every)
	for i, c := range d.Components {
		if !slices.Contains(knobs, c) {
			ps.AddName(fmt.Sprintf("components[%d]", i), fmt.Sprintf("there is no component %q", c), c, knobs)
		}
	}
	checkShare(&ps, "failing", d.Failing)
	checkShare(&ps, "sensor_failing", d.SensorFailing)
	if !(d.ChangesPerHour >= 0 && d.ChangesPerHour <= 60) {
		ps.Addf("changes_per_hour", "%v is out of range; it goes from 0 to 60", d.ChangesPerHour)
	}
	checkBounds(&ps, "onset", d.Onset, duration)
	checkBounds(&ps, "life", d.Life, 0)
	if d.Units < 0 {
		ps.Addf("units", "%d is negative", d.Units)
	}
	d.validateSplits(&ps)
	if d.BurstEvery != 0 {
		atLeast(&ps, "burst_every", d.BurstEvery, d.Every)
	}
	if d.BurstSamples < 64 || d.BurstSamples > 1<<20 {
		ps.Addf("burst_samples", "%d is out of range; it goes from 64 to %d", d.BurstSamples, 1<<20)
	}
	if !(d.BurstRateHz >= 1000 && d.BurstRateHz <= 200_000) {
		ps.Addf("burst_rate_hz", "%v is out of range; it goes from 1000 to 200000", d.BurstRateHz)
	}
	return ps
}

func (d Dataset) validateSplits(ps *strict.Problems) {
	sum := 0.0
	for _, s := range d.Splits {
		if !(s >= 0 && s <= 1) {
			sum = -1
			break
		}
		sum += s
	}
	if len(d.Splits) != 3 || sum < 0.999 || sum > 1.001 {
		ps.Addf("splits", "%v are not three shares that sum up to 1: training, validation, test", d.Splits)
	}
}

func checkShare(ps *strict.Problems, path string, v float64) {
	if !(v >= 0 && v <= 1) {
		ps.Addf(path, "%v is not a share between 0 and 1", v)
	}
}

// checkBounds wants two durations in order, the second within limit, if there
// is one.
func checkBounds(ps *strict.Problems, path string, d []strict.Duration, limit strict.Duration) {
	switch {
	case len(d) != 2:
		ps.Addf(path, "needs two durations, the least and the most, such as [\"20m\", \"90m\"]")
	case d[0] <= 0 || d[1] < d[0]:
		ps.Addf(path, "%v to %v is no range of durations above 0", d[0], d[1])
	case limit > 0 && d[1] >= limit:
		ps.Addf(path+"[1]", "%v is not before the end of the run at %v", d[1], limit)
	}
}
