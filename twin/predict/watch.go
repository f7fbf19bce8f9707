package predict

import (
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// Calibrated is what a healthy run leaves: what is watched and the models.
type Calibrated struct {
	Spec     Spec     `json:"spec"`
	Model    Model    `json:"pca"`
	Shewhart Shewhart `json:"shewhart"`
}

// Watch runs the detectors of one machine.
type Watch struct {
	cal     *Calibrated
	opt     Options
	window  *window
	monitor *Monitor
	pca     episode
	three   episode
	// liar is the channel whose sensor is blamed, or -1, and until when that is
	// remembered; more counts the rows in a row in which the others were over too.
	liar  int
	until time.Time
	more  int
	// flat counts rows without change, per channel in use; stuck has an episode
	// for each.
	flat   []int
	stuck  []episode
	alarms []Alarm
	// OnRow, if set, is told of every row that was judged: the means of the
	// channels, which it may not keep, and what the model makes of them.
	OnRow func(at time.Time, means []float64, r Result)
}

// NewWatch starts at the healthy mean.
func NewWatch(cal *Calibrated) *Watch {
	opt := cal.Spec.Options.defaults()
	w := &Watch{cal: cal, opt: opt, window: newWindow(opt, len(cal.Spec.Channels)), monitor: NewMonitor(&cal.Model),
		liar: -1, pca: newEpisode(opt), three: newEpisode(opt), flat: make([]int, len(cal.Model.Use))}
	w.three.persist = 1
	for range cal.Model.Use {
		e := newEpisode(opt)
		e.persist = 1
		w.stuck = append(w.stuck, e)
	}
	return w
}

// Step takes the machine at an instant: its state, and a value for each channel
// (Missing where it is not known or not fresh). The alarms that start here are
// valid until the next call.
func (w *Watch) Step(at time.Time, state float64, x []float64) []Alarm {
	w.alarms = w.alarms[:0]
	if w.cal.Spec.State == "" {
		state = w.opt.Running
	}
	if r, ok := w.window.push(at, state, x); ok {
		w.judge(at, r)
	}
	return w.alarms
}

func (w *Watch) judge(at time.Time, r *row) {
	res := w.monitor.Step(r.mean)
	if res.Over {
		res.Class = w.monitor.Diagnose()
	}
	if w.OnRow != nil {
		w.OnRow(at, r.mean, res)
	}
	w.judgeModel(at, res)
	w.judgeFlat(at, r)
	if s := w.cal.Shewhart.Step(r.mean); w.three.step(at, s.Over) {
		w.alarm(at, DetectorShewhart, s.Score, shewhartLimit, "", s.Top)
	}
}

// sensorMemory is how long a sensor that was blamed is known to lie: it may come
// back under the limits for a while, and then is no news when it is over again.
const sensorMemory = time.Hour

func (w *Watch) judgeModel(at time.Time, r Result) {
	if w.pca.step(at, r.Over) {
		w.begin(at, r)
	}
	if !w.pca.active || w.liar < 0 {
		return
	}
	w.until = at.Add(sensorMemory)
	// A lying sensor must not hide a fault: when the rest of the machine goes
	// over the limit as well, that is news.
	if w.more++; !w.monitor.othersOver(w.liar) {
		w.more = 0
	}
	if w.more == w.opt.Persist {
		w.liar = -1
		w.alarm(at, DetectorPCA, r.Score, 1, Process, r.Top)
	}
}

// begin is called where an episode of the model starts.
func (w *Watch) begin(at time.Time, r Result) {
	w.more = 0
	if w.knownStuck(r.Top) || r.Top == w.liar && at.Before(w.until) {
		w.liar = r.Top
		return
	}
	class := w.monitor.Diagnose()
	w.liar = -1
	if class == Sensor {
		w.liar = r.Top
	}
	w.alarm(at, DetectorPCA, r.Score, 1, class, r.Top)
}

// knownStuck: a stuck sensor has been reported when the model misses it.
func (w *Watch) knownStuck(channel int) bool {
	for k, j := range w.cal.Model.Use {
		if j == channel {
			return w.stuck[k].active
		}
	}
	return false
}

// judgeFlat finds channels that have lost all variance.
func (w *Watch) judgeFlat(at time.Time, r *row) {
	for k, j := range w.cal.Model.Use {
		if w.flat[k]++; !r.flat[j] {
			w.flat[k] = 0
		}
		if limit := w.cal.Model.Flat[k]; w.stuck[k].step(at, w.flat[k] > limit) {
			w.alarm(at, DetectorPCA, float64(w.flat[k])/float64(limit), 1, Sensor, j)
		}
	}
}

func (w *Watch) alarm(at time.Time, detector string, score, limit float64, class string, channel int) {
	w.alarms = append(w.alarms, Alarm{At: at, Machine: w.cal.Spec.Machine, Detector: detector,
		Score: score, Limit: limit, Class: class, Tag: signal.ID(w.cal.Spec.Channels[channel])})
}
