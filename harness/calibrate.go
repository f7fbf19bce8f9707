package harness

import (
	"fmt"
	"time"

	"github.com/plantbed/plantbed/scenarios"
	"github.com/plantbed/plantbed/sim/signal"
	"github.com/plantbed/plantbed/twin/predict"
)

// Train fits the detectors to a healthy plant: the scenario's own without any
// fault, under the calibration seed, in the fast gear. The seed of the scored
// run has no part in it, so it cannot move a limit.
func Train(sc *scenarios.Scenario) ([]*predict.Calibrated, error) {
	start := time.Unix(0, 0).UTC()
	w, err := newWorld(sc, sc.Detector.CalibrationSeed, start)
	if err != nil {
		return nil, fmt.Errorf("calibrate: %w", err)
	}
	w.start()
	var trainers []*predict.Trainer
	var spies []*spy
	for _, spec := range detectorSpecs(w) {
		trainers = append(trainers, predict.NewTrainer(spec))
		spies = append(spies, newSpy(w, spec))
	}
	for t := time.Second; t <= sc.Detector.CalibrationDuration.D(); t += time.Second {
		w.kernel.Run(t)
		for i, s := range spies {
			state, x := s.look(w)
			trainers[i].Add(start.Add(t), state, x)
		}
	}
	var out []*predict.Calibrated
	for _, t := range trainers {
		c, err := t.Done()
		if err != nil {
			return nil, fmt.Errorf("calibrate the detector of %w", err)
		}
		out = append(out, c)
	}
	return out, nil
}

// detectorSpecs says what is watched of each machine: every tag but its state.
func detectorSpecs(w *world) []predict.Spec {
	var out []predict.Spec
	for _, m := range w.machines {
		s := predict.Spec{Machine: m.Name}
		for i, t := range w.tags {
			switch {
			case t.Machine != m.Name:
			case i == m.StateTag:
				s.State = t.ID
			default:
				s.Channels = append(s.Channels, t.ID)
			}
		}
		if len(s.Channels) > 1 {
			out = append(out, s)
		}
	}
	return out
}

// spy reads a machine's tags straight from the PLCs' images.
type spy struct {
	state    place
	channels []place
	x        []float64
}

// place is where a tag's value stands: in which PLC, task and column.
type place struct{ plc, task, column int }

func newSpy(w *world, spec predict.Spec) *spy {
	s := &spy{state: place{plc: -1}, x: make([]float64, len(spec.Channels))}
	if spec.State != "" {
		s.state = w.placeOf(spec.State)
	}
	for _, id := range spec.Channels {
		s.channels = append(s.channels, w.placeOf(id))
	}
	return s
}

func (w *world) placeOf(id signal.ID) place {
	i := w.tagIndex[id]
	task := w.tags[i].Task
	p := place{plc: w.tasks[task].PLC}
	p.task = task - w.firstTask[p.plc]
	for c, t := range w.tasks[task].Tags {
		if t == i {
			p.column = c
		}
	}
	return p
}

func (w *world) valueAt(p place) float64 {
	if p.plc < 0 {
		return 0
	}
	b := w.plcs[p.plc].Latest(p.task)
	if b == nil || !b.Quality[p.column].IsGood() {
		return predict.Missing
	}
	return b.Values[p.column]
}

// look returns the state and the values now; those are overwritten by the next.
func (s *spy) look(w *world) (state float64, x []float64) {
	for i, p := range s.channels {
		s.x[i] = w.valueAt(p)
	}
	return w.valueAt(s.state), s.x
}
