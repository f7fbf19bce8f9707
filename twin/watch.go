package twin

import (
	"fmt"
	"time"

	"github.com/plantbed/plantbed/sim/signal"
	"github.com/plantbed/plantbed/twin/predict"
)

// watch shows one machine to its detectors, as the twin has it.
type watch struct {
	machine  string
	run      *predict.Watch
	state    int // index of the state tag, -1 where there is none
	channels []int
	values   []float64
}

func newWatch(t *Twin, cal *predict.Calibrated) (*watch, error) {
	w := &watch{machine: cal.Spec.Machine, run: predict.NewWatch(cal), state: -1, values: make([]float64, len(cal.Spec.Channels))}
	find := func(id signal.ID) (int, error) {
		i, ok := t.Index(id)
		if !ok {
			return 0, fmt.Errorf("the model of machine %q watches %q, which no asset has", cal.Spec.Machine, id)
		}
		return i, nil
	}
	var err error
	if cal.Spec.State != "" {
		if w.state, err = find(cal.Spec.State); err != nil {
			return nil, err
		}
	}
	for _, id := range cal.Spec.Channels {
		i, err := find(id)
		if err != nil {
			return nil, err
		}
		w.channels = append(w.channels, i)
	}
	return w, nil
}

// tell passes on what the shipped detector makes of each row.
func (w *watch) tell(score func(machine string, at time.Time, value, limit float64)) {
	if score == nil {
		return
	}
	w.run.OnRow = func(at time.Time, _ []float64, r predict.Result) {
		if r.Judged {
			score(w.machine, at, r.Acting, 1)
		}
	}
}

// step is called at each tick. What is not fresh is not shown: a detector that
// reads last known values takes an outage for a machine that stands still.
func (w *watch) step(t *Twin, now time.Time) []predict.Alarm {
	for k, i := range w.channels {
		w.values[k] = fresh(t, i)
	}
	state := predict.Missing
	if w.state >= 0 {
		state = fresh(t, w.state)
	}
	return w.run.Step(now, state, w.values)
}

func fresh(t *Twin, i int) float64 {
	if !t.Fresh(i) {
		return predict.Missing
	}
	return t.tags[i].value
}
