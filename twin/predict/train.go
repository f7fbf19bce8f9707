package predict

import (
	"fmt"
	"slices"
	"time"
)

// Trainer collects a healthy run of one machine.
type Trainer struct {
	spec    Spec
	window  *window
	rows    []sample
	flat    []int // rows without change so far, per channel
	longest []int
}

// NewTrainer starts empty.
func NewTrainer(spec Spec) *Trainer {
	spec.Options = spec.Options.defaults()
	n := len(spec.Channels)
	return &Trainer{spec: spec, window: newWindow(spec.Options, n), flat: make([]int, n), longest: make([]int, n)}
}

// Add takes the machine at an instant, as Watch.Step does.
func (t *Trainer) Add(at time.Time, state float64, x []float64) {
	if t.spec.State == "" {
		state = t.spec.Options.Running
	}
	if r, ok := t.window.push(at, state, x); ok {
		t.add(at, r)
	}
}

func (t *Trainer) add(at time.Time, r *row) {
	t.rows = append(t.rows, sample{at, slices.Clone(r.mean), slices.Clone(r.spread), r.running})
	for i, flat := range r.flat {
		if t.flat[i]++; !flat {
			t.flat[i] = 0
		}
		t.longest[i] = max(t.longest[i], t.flat[i])
	}
}

// Done fits the models.
func (t *Trainer) Done() (*Calibrated, error) {
	names := make([]string, len(t.spec.Channels))
	for i, c := range t.spec.Channels {
		names[i] = string(c)
	}
	m, err := fit(t.rows, names, t.spec.Options)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.spec.Machine, err)
	}
	m.calibrateFlat(t.longest)
	return &Calibrated{Spec: t.spec, Model: *m, Shewhart: m.Baseline()}, nil
}
