package harness

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"github.com/plantbed/plantbed/harness/evaluate"
	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/scenarios"
	"github.com/plantbed/plantbed/sim/plant"
	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/twin/predict"
)

// Exam is the detectors' examination in the fast gear: bottling lines whose
// units differ, worked with loads, recipes and weather that change, with parts
// that wear out and sensors that lie, all without a network. The detectors read
// the PLCs' images once a second, as they would through a perfect pipe.
//
//	table, err := harness.DefaultExam().Run()
//	table.Print(os.Stdout)
//
// A line is calibrated on a healthy time of its own under CalibrationSeed, which
// is never scored: Seed has no part in any limit.
type Exam struct {
	// Seed of the scored time, and CalibrationSeed of the healthy one.
	Seed, CalibrationSeed uint64
	// Lines of five machines each, with serial numbers from FirstSerial on.
	Lines       int
	FirstSerial uint64
	// Calibration and Scored time per line.
	Calibration, Scored time.Duration
	// Failures and SensorFaults per line; Failures at most 12, SensorFaults at
	// most one per machine.
	Failures, SensorFaults int
	// ShortestLife and LongestLife from onset to failure.
	ShortestLife, LongestLife time.Duration
	Resamples                 int
	Progress                  func(done, all int)
	// Options tune the detectors; zero for the shipped ones.
	Options predict.Options
}

// DefaultExam has the exposure that the figures are published with.
func DefaultExam() Exam {
	return Exam{Seed: 880_003, CalibrationSeed: 3_300_019, Lines: 10, FirstSerial: 901, Calibration: 168 * time.Hour, Scored: 100 * time.Hour,
		Failures: 6, SensorFaults: 5, ShortestLife: 3 * time.Hour, LongestLife: 16 * time.Hour, Resamples: 1000}
}

// QuickExam is too small to prove anything but that it works.
func QuickExam() Exam {
	e := DefaultExam()
	e.Lines, e.Calibration, e.Scored, e.Failures, e.SensorFaults, e.LongestLife, e.Resamples = 2, 72*time.Hour, 30*time.Hour, 4, 4, 6*time.Hour, 200
	return e
}

// examLead is how long before the failure an alarm is still of use: the crew is
// called, and the line run empty.
const examLead = 10 * time.Minute

// echo is how long after a repair, or after a sensor is itself again, alarms are
// put down to it: machines and averages settle.
const echo = time.Hour

// Run calibrates and watches all lines, as many at a time as there are cores;
// the result does not depend on how many.
func (e Exam) Run() (evaluate.Table, error) {
	exam, err := e.exam()
	if err != nil {
		return evaluate.Table{}, err
	}
	return exam.Table(), nil
}

func (e Exam) exam() (*evaluate.Exam, error) {
	if err := e.validate(); err != nil {
		return nil, err
	}
	units := make([][]*evaluate.Unit, e.Lines)
	errs := make([]error, e.Lines)
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	turn := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i := range e.Lines {
		wg.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			units[i], errs[i] = e.line(i)
			mu.Lock()
			defer mu.Unlock()
			if done++; e.Progress != nil {
				e.Progress(done, e.Lines)
			}
		})
	}
	wg.Wait()
	exam := &evaluate.Exam{Lead: examLead, Rule: evaluate.Rule{Persist: 3, Clear: 30, HoldOff: 10 * time.Minute}, Seed: e.Seed, Resamples: e.Resamples}
	for i, u := range units {
		if errs[i] != nil {
			return nil, fmt.Errorf("line %d: %w", i, errs[i])
		}
		exam.Units = append(exam.Units, u...)
	}
	return exam, nil
}

// validate refuses what would be no examination.
func (e Exam) validate() error {
	for i := range e.Lines {
		for j := range e.Lines {
			if lineSeed(e.Seed, i) == lineSeed(e.CalibrationSeed, j) {
				return fmt.Errorf("seed %d: line %d would be scored on the time that sets the limits of line %d (calibration seed %d)", e.Seed, i, j, e.CalibrationSeed)
			}
		}
	}
	return nil
}

// scenario is one line with its PLC.
func (e Exam) scenario(line int) *scenarios.Scenario {
	serial := e.FirstSerial + uint64(line)
	sc := &scenarios.Scenario{}
	l := plant.LineConfig{Name: "line", Buffers: []int{40, 24, 24, 60}}
	for _, m := range examMachines {
		sc.Machines = append(sc.Machines, plant.MachineConfig{Name: m.name, Kind: m.kind, Serial: serial})
		l.Stations = append(l.Stations, m.name)
	}
	sc.Lines = []plant.LineConfig{l}
	cfg := plc.Config{Name: "plc", Protocol: "opcua", Scan: strict.Duration(time.Second), Machines: l.Stations}.WithDefaults()
	cfg.InstallSeed = serial
	sc.PLCs = []plc.Config{cfg}
	return sc
}

// line is the life of one line: a healthy time that sets the limits, then the
// scored one, on another seed.
func (e Exam) line(i int) ([]*evaluate.Unit, error) {
	cals, err := e.calibrate(i)
	if err != nil {
		return nil, err
	}
	return e.score(i, cals)
}

func lineSeed(seed uint64, line int) uint64 { return seed + 1009*uint64(line) }

func (e Exam) calibrate(line int) ([]*predict.Calibrated, error) {
	seed := lineSeed(e.CalibrationSeed, line)
	w, spies, specs, err := e.world(line, seed)
	if err != nil {
		return nil, err
	}
	var trainers []*predict.Trainer
	for _, s := range specs {
		trainers = append(trainers, predict.NewTrainer(s))
	}
	changes := examChanges(w, seed, e.Calibration)
	w.start()
	e.each(w, spies, e.Calibration, func(at time.Time, m int, state float64, x []float64) { trainers[m].Add(at, state, x) })
	if *changes != nil {
		return nil, *changes
	}
	out := make([]*predict.Calibrated, len(trainers))
	for i, t := range trainers {
		if out[i], err = t.Done(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (e Exam) world(line int, seed uint64) (*world, []*spy, []predict.Spec, error) {
	w, err := newWorld(e.scenario(line), seed, time.Unix(0, 0).UTC())
	if err != nil {
		return nil, nil, nil, err
	}
	specs := detectorSpecs(w)
	var spies []*spy
	for i := range specs {
		specs[i].Options = e.Options
		spies = append(spies, newSpy(w, specs[i]))
	}
	return w, spies, specs, nil
}

// each runs the world and shows every machine once a second.
func (e Exam) each(w *world, spies []*spy, until time.Duration, show func(at time.Time, machine int, state float64, x []float64)) {
	start := time.Unix(0, 0).UTC()
	for t := time.Second; t <= until; t += time.Second {
		w.kernel.Run(t)
		for i, s := range spies {
			state, x := s.look(w)
			show(start.Add(t), i, state, x)
		}
	}
}

func (e Exam) score(line int, cals []*predict.Calibrated) ([]*evaluate.Unit, error) {
	seed := lineSeed(e.Seed, line)
	w, spies, specs, err := e.world(line, seed)
	if err != nil {
		return nil, err
	}
	units, index := e.units(line, specs)
	watches := make([]*predict.Watch, len(cals))
	for i, c := range cals {
		watches[i] = predict.NewWatch(c)
		watches[i].OnRow = rowKeeper(units[i], c)
	}
	changes := examChanges(w, seed, e.Scored)
	if err := e.breakThings(w, line, seed, units, index); err != nil {
		return nil, err
	}
	followRepairs(w, units, index)
	w.start()
	e.each(w, spies, e.Scored, func(at time.Time, m int, state float64, x []float64) {
		for _, a := range watches[m].Step(at, state, x) {
			if a.Detector == predict.DetectorPCA {
				units[m].Alarms = append(units[m].Alarms, evaluate.Alarm{At: time.Duration(a.At.UnixNano()), Sensor: a.Class == predict.Sensor, Tag: string(a.Tag)})
			}
		}
	})
	return units, *changes
}

// units are a line's machines, by name.
func (e Exam) units(line int, specs []predict.Spec) ([]*evaluate.Unit, map[string]int) {
	units, index := make([]*evaluate.Unit, len(specs)), map[string]int{}
	for i, s := range specs {
		units[i] = &evaluate.Unit{Name: fmt.Sprintf("line-%d/%s", line, s.Machine), Until: e.Scored}
		index[s.Machine] = i
	}
	return units, index
}

// planned is what will break on a line.
func (e Exam) planned(line int) ([]*evaluate.Unit, error) {
	seed := lineSeed(e.Seed, line)
	w, _, specs, err := e.world(line, seed)
	if err != nil {
		return nil, err
	}
	units, index := e.units(line, specs)
	return units, e.breakThings(w, line, seed, units, index)
}

// followRepairs has each failure excused until its repair and some more.
func followRepairs(w *world, units []*evaluate.Unit, index map[string]int) {
	w.plant.OnEvent(func(ev plant.Event) {
		if i, ok := index[ev.Machine]; ok && ev.Kind == "repair" {
			for j := range units[i].Failures {
				if f := &units[i].Failures[j]; f.Component == ev.Component {
					f.Excused = ev.At + echo
				}
			}
		}
	})
}

// rowKeeper keeps what the detectors make of each row.
func rowKeeper(u *evaluate.Unit, c *predict.Calibrated) func(time.Time, []float64, predict.Result) {
	shewhart := c.Shewhart
	var last []float64
	return func(at time.Time, means []float64, r predict.Result) {
		u.At = append(u.At, int32(at.Unix()))
		own := r.Score
		if r.Class == predict.Sensor || !r.Judged {
			own = 0
		}
		u.Own = append(u.Own, float32(own))
		u.Scores[evaluate.Shewhart] = append(u.Scores[evaluate.Shewhart], float32(shewhart.Step(means).Score))
		step := 0.0
		for k, j := range shewhart.Use {
			if last != nil {
				// The step between two rows of independent noise has twice the variance.
				step = max(step, math.Abs(means[j]-last[j])/(shewhart.Scale[k]*math.Sqrt2))
			}
		}
		last = append(last[:0], means...)
		u.Scores[evaluate.LastValue] = append(u.Scores[evaluate.LastValue], float32(step))
	}
}

// lifeScaleH and lifeShape are of the Weibull law that components live by, in
// hours of service; the age alone knows no more.
const lifeScaleH, lifeShape = 2000, 2

func life(rng *rand.Rand) float64 {
	return lifeScaleH * math.Pow(-math.Log(1-rng.Float64()), 1./lifeShape)
}
