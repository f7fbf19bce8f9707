// Package predict tells from the signals of a machine that something is about
// to break, or that a sensor lies.
//
// A model is fitted to a healthy machine, and its limits with it; the run that
// it judges later has no say in either:
//
//	tr := predict.NewTrainer(predict.Spec{Machine: "pump", State: "pump/state",
//		Channels: []signal.ID{"pump/motor/current", "pump/motor/temp", "pump/bearing-de/vib"}})
//	for each second of a healthy run { tr.Add(at, state, values) }
//	model, err := tr.Done()           // plain values: json.Marshal(model) keeps it
//
//	w := predict.NewWatch(model)
//	for each second { alarms := w.Step(at, state, values) }
//
// What happens to a value on its way to an alarm:
//
//	values ── window ── features ── residual ─┬─ EWMA short ─┬─ T2 ── limit ── persist ── episode ── Alarm
//	 1/s      10 s      of the      of what   └─ EWMA long  ─┘                               │
//	          means,    machine's   the others                whose fault: others, scatter, jump, course
//	          steady    past hour   predict
//	          running
//
// Each channel is predicted from all others, so load, product and weather, which
// move all of them, leave no residual where the healthy time held the like. Give it
// a healthy week or more of the work it will do: the limits extrapolate to a week,
// and what a day holds of loads and weather is not what a week holds.
//
// The detector "pca" is that: T2 by all principal components of the residuals;
// "shewhart" is the baseline that anybody could write: three sigma on any one
// channel. docs/DETECTOR.md has what they are worth, and how that is measured.
//
// Nothing here knows the time but from its input, and nothing is random.
package predict

import (
	"math"
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// The names of the detectors, as alarms carry them.
const (
	DetectorPCA      = "pca"
	DetectorShewhart = "shewhart"
)

// The diagnoses of an alarm.
const (
	Sensor  = "sensor"
	Process = "process"
)

// Alarm is the start of an episode.
type Alarm struct {
	At       time.Time
	Machine  string
	Detector string
	// Score is above Limit. For "pca" they are in units of the calibrated
	// limits, so Limit is 1; for "shewhart" in standard deviations.
	Score, Limit float64
	// Class is Sensor or Process; "shewhart" makes no diagnosis.
	Class string
	// Tag is the channel that contributed most.
	Tag signal.ID
}

// Spec says what is watched, and how.
type Spec struct {
	Machine string `json:"machine"`
	// State is the tag of the machine's state; empty means that it always runs.
	State signal.ID `json:"state,omitempty"`
	// Channels are analogue values in any unit. Counters and set points may be
	// among them: what does not vary, or only ever counts, is left out.
	Channels []signal.ID `json:"channels"`
	Options  Options     `json:"options"`
}

// Options tune the detectors; zero fields take their defaults.
type Options struct {
	// Running is the value of State in steady production: 6, Execute.
	Running float64 `json:"running"`
	// Settle is the time after a start that is not looked at, besides the length
	// of the stop before it.
	Settle time.Duration `json:"settle_ns"`
	// Window is what a row is the mean of.
	Window time.Duration `json:"window_ns"`
	// Lambda and Slow are the weights of the newest row in the moving averages
	// over a short and a long time.
	Lambda float64 `json:"lambda"`
	Slow   float64 `json:"slow"`
	// PerWeek is how many false alarms a machine may raise in a week of running.
	PerWeek float64 `json:"per_week"`
	// Margin is what the extrapolated limits are multiplied by.
	Margin float64 `json:"margin"`
	// Persist is how many rows in a row must be over a limit.
	Persist int `json:"persist"`
	// Clear is how many rows under the limits end an episode.
	Clear int `json:"clear"`
	// HoldOff is the least time from the end of an episode to the next.
	HoldOff time.Duration `json:"hold_off_ns"`
}

func (o Options) defaults() Options {
	set(&o.Running, 6)
	set(&o.Settle, time.Minute)
	set(&o.Window, 10*time.Second)
	set(&o.Lambda, 0.1)
	set(&o.Slow, 0.01)
	set(&o.PerWeek, 1)
	set(&o.Margin, 1.4)
	set(&o.Persist, 6)
	set(&o.Clear, 30)
	set(&o.HoldOff, 10*time.Minute)
	return o
}

func set[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// lambda of a scale.
func (o Options) lambda(scale int) float64 { return [scales]float64{o.Lambda, o.Slow}[scale] }

// rowsPerWeek is how many rows a machine makes that runs all week.
func (o Options) rowsPerWeek() float64 {
	return (7 * 24 * time.Hour).Seconds() / o.Window.Seconds()
}

// Missing stands for a value that is not known or not to be trusted.
var Missing = math.NaN()
