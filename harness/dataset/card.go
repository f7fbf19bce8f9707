package dataset

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// card is README.md of a data set: what is in it, how it was made, what it is
// not good for.
func card(m *manifest, p *plan, sums []summary) []byte {
	var b bytes.Buffer
	say := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	say("# %s, seed %d\n", m.Scenario, m.Seed)
	say("%s\n", m.Summary)
	say("%d runs of %v of %d physical plants, simulated by Plantbed %s. %d rows, one every %v; %d sensor values in %d columns.\n",
		m.Runs, p.sc.Duration.D(), m.Units, m.Version, m.Rows, p.ds.Every.D(), m.Values, countRole(m.Columns, "sensor"))
	files(say, m, p)
	contents(say, m, p)
	making(say, m, p)
	findings(say, m, p, sums)
	limits(say, m)
	return b.Bytes()
}

func countRole(columns []Column, role string) (n int) {
	for _, c := range columns {
		if c.Role == role {
			n++
		}
	}
	return n
}

func files(say func(string, ...any), m *manifest, p *plan) {
	say("## Files\n")
	switch m.Format {
	case "parquet":
		say("- `data-*.parquet`: the rows, one row group per run. Units, roles and descriptions of the columns stand in the file's metadata under `plantbed.columns`.")
		if p.ds.BurstEvery > 0 {
			say("- `bursts-*.parquet`: waveforms of each bearing, %d samples at %g Hz every %v, in the list column `samples_g`. %s.", p.ds.BurstSamples, p.ds.BurstRateHz, p.ds.BurstEvery.D(), bearingOrders())
		}
		say("- `events.parquet`: what truly happened: states, onset, detectable, failure, repair, changes that are no fault, lying sensors.")
	case "csv":
		say("- `data-*.csv`: the rows, with one line of names. An empty field is a value that is not there. Waveforms are in the Parquet format only.")
		say("- `events.csv`: what truly happened.")
	case "cmapss":
		say("- `train_M.txt`, `test_M.txt`, `RUL_M.txt` for each machine M, in the layout of NASA's C-MAPSS files: unit, cycle, three settings (load, hall, recipe), sensors; a cycle is %v. Only runs in which M fails; test runs are cut off before it, and the RUL file says how many cycles were left.", p.ds.Cycle.D())
		say("- `events.csv`: what truly happened.")
		if n := emptyFiles(m); n > 0 {
			say("- %d of the files are empty: of a machine no run that fails is in the split. More runs, or a higher `dataset.failing`, fill them.", n)
		}
	}
	say("- `manifest.json`: seeds, units, splits, faults of each run, SHA-256 of each file.\n- `scenario.toml`: the plant; with the seed of a run it can be made again.\n")
	say("The splits are by physical unit, never by window: no machine is on both sides. Of %d units %d are for training, %d for validation, %d for testing.\n",
		m.Units, len(m.Splits.Train), len(m.Splits.Validation), len(m.Splits.Test))
}

// bearingOrders says where the lines of a defect stand, in turns of the shaft.
func bearingOrders() string {
	f := defectsHz(1)
	return fmt.Sprintf("All bearings are of size 6205: a defect of the outer race is struck %.3f times a turn of the shaft, of the inner race %.3f, of a ball %.3f", f[0], f[1], f[2])
}

func emptyFiles(m *manifest) (n int) {
	for _, f := range m.Files {
		if f.Bytes == 0 {
			n++
		}
	}
	return n
}

func contents(say func(string, ...any), m *manifest, p *plan) {
	t := m.Totals
	say("## What is in it\n")
	say("%.0f machine-hours, %.1f %% of them healthy. %d lives of components: %d ended in a failure, %d were cut off by the end of the run or by maintenance (`censored`), %d never became detectable. %d spells of a lying sensor. %d changes of load, recipe or surroundings that are no fault, %d of which look like the wear of some component.\n",
		t.MachineHours, 100*t.HealthyMachineHours/max(t.MachineHours, 1e-9), t.Lives, t.Failures, t.Censored, t.Undetectable, t.Lies, t.Changes, t.LookAlikes)
	if len(t.ByMode) > 0 {
		say("| component and mode | lives |\n|---|---|")
		for _, mode := range slices.Sorted(maps.Keys(t.ByMode)) {
			say("| %s | %d |", mode, t.ByMode[mode])
		}
		say("")
	}
	say("| sensor | unit | what |\n|---|---|---|")
	for _, c := range m.Columns {
		if c.Role == "sensor" {
			say("| `%s` | %s | %s |", c.Name, c.Unit, c.Doc)
		}
	}
	say("\nLabels, for each machine:\n\n| label | unit | what |\n|---|---|---|")
	first := ""
	for _, c := range m.Columns {
		if c.Role != "label" {
			continue
		}
		machine, name, _ := strings.Cut(strings.TrimPrefix(c.Name, "label/"), "/")
		if first == "" {
			first = machine
		}
		if machine == first {
			say("| `label/<machine>/%s` | %s | %s |", name, c.Unit, c.Doc)
		}
	}
	say("")
}

func making(say func(string, ...any), _ *manifest, p *plan) {
	say("## How it was made\n")
	say("Each run is the plant of `scenario.toml` under a seed of its own, built of one unit's machines and instruments: constants, healthy vibration and install offsets differ from unit to unit and stay the same for a unit. "+
		"Values are read every %v through the whole chain of each instrument (lag, gain, offset, noise, 1/f, span, wire type); a bad reading is null. No network and no gateway lies between; for data as a stack delivers it, see `plantbed dataset --from`.\n", p.ds.Every.D())
	say("With a chance of %g one component wears out: any of the plant's with equal chance, from a uniform onset between %v and %v, over a life whose logarithm is uniform between %v and %v. "+
		"Damage grows from the onset to the failure as a bridge of the component's law: spalls exponentially, abrasion in proportion, erosion faster and faster, fouling slower and slower. `rul_q*` are the quantiles of the remaining life for an observer who knows the damage, the onset and this law; nobody can know more from the present. "+
		"With a chance of %g an instrument lies for 10 to 60 minutes: bias, drift, gain, stuck, noise, spikes or dropout. %g times an hour, on average, something changes that is no fault. What [[fault]] says of machines and sensors is the same in every run. "+
		"Components of [[machine.life]] live by themselves: their quantiles are those of their law at their present exposure, and a life that maintenance ends has `maintained_s` instead of a failure.\n",
		p.ds.Failing, p.ds.Onset[0].D(), p.ds.Onset[1].D(), p.ds.Life[0].D(), p.ds.Life[1].D(), p.ds.SensorFailing, p.ds.ChangesPerHour)
}

func findings(say func(string, ...any), m *manifest, p *plan, sums []summary) {
	say("## What was checked\n")
	say("On the first %d runs, as they were written; totals are over all runs. Means over a minute in which the machine executes.\n", len(sums))
	say("| check | value | wanted | holds | what |\n|---|---|---|---|---|")
	for _, c := range m.Checks {
		holds := "yes"
		switch {
		case c.Unknown:
			holds = "too little data"
		case !c.Holds:
			holds = "**no**"
		}
		say("| %s | %.4g | %s | %s | %s |", c.Name, c.Value, c.Want, holds, c.Doc)
	}
	machines := p.machineNames()
	lay := &layout{columns: m.Columns}
	best := charts(sums, lay, machines)
	if len(best) == 0 {
		say("")
		return
	}
	say("\nThe best single channel of each machine:\n\n| machine | channel | found | of | false alarms | machine-weeks |\n|---|---|---|---|---|---|")
	for _, c := range best {
		say("| %s | `%s` | %d | %d | %d | %.1f |", machines[c.machine], c.column, c.found, c.of, c.falseAlarms, c.weeks)
	}
	say("")
}

func limits(say func(string, ...any), m *manifest) {
	say("## What it is not good for\n")
	say("- Calibrating alarm limits for a real machine. Levels, noise and spread are plausible, not measured on yours.")
	say("- Training a detector on waveforms alone. The background of the bursts is synthetic. It differs widely from unit to unit (`bursts.background_spread`), but detectors trained on synthetic backgrounds alone have been seen to call every real healthy record a fault: calibrate on healthy records of your own.")
	say("- Absolute amplitudes. They do not transfer from unit to unit or machine to machine: normalise each unit by its own healthy time, and frequencies by the shaft's speed.")
	say("- Rates of failure. About as many components fail here as a plant sees in years; priors must come from elsewhere.")
	say("- Learning what a network does to data: nothing here is late, lost or repeated.")
	say("- Judging a model by windows drawn at random. Use the splits.")
	if m.Totals.Censored > 0 {
		say("- Treating the end of a run as a failure: %d of %d lives are censored.", m.Totals.Censored, m.Totals.Lives)
	}
	say("")
}
