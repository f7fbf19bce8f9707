package predict

import (
	"math"
	"slices"
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
	monitor *monitor
	pca     episode
	three   episode
	// liar is the channel (an index into Use) whose sensor is blamed, or -1, and
	// until when that is remembered; more counts rows in a row that say otherwise.
	liar  int
	until time.Time
	more  int
	// joined counts rows in a row in which the others were over their limit too.
	joined int
	// waiting: an episode that began at begun may be a sensor's.
	waiting      bool
	begun, since time.Time
	last         time.Time // of the row before
	// flat counts rows without change, per channel in use; stuck has an episode
	// for each.
	flat   []int
	stuck  []episode
	noisy  []episode
	alarms []Alarm
	// OnRow, if set, is told of every row that was judged: the means of the
	// channels, which it may not keep, and what the model makes of them.
	OnRow func(at time.Time, means []float64, r Result)
}

// NewWatch starts at the healthy mean.
func NewWatch(cal *Calibrated) *Watch {
	opt := cal.Spec.Options.defaults()
	w := &Watch{cal: cal, opt: opt, window: newWindow(opt, len(cal.Spec.Channels)), monitor: newMonitor(&cal.Model),
		liar: -1, pca: newEpisode(opt), three: newEpisode(opt), flat: make([]int, len(cal.Model.Use))}
	w.three.persist = 1
	for range cal.Model.Use {
		e := newEpisode(opt)
		e.persist = 1
		w.stuck = append(w.stuck, e)
		e = newEpisode(opt)
		e.persist *= noisePatience
		w.noisy = append(w.noisy, e)
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
	if w.since.IsZero() {
		w.since = at
	}
	if at.Sub(w.last) > longStop {
		w.monitor.forget()
		w.pca.end(at)
	}
	w.last = at
	res := w.monitor.step(at, r)
	res.temper(at.Sub(w.since))
	if res.Acting = res.Score; w.ignoring(at) {
		_, res.Acting = w.monitor.without(w.liar)
	}
	if w.OnRow != nil {
		w.OnRow(at, r.mean, res)
	}
	if res.Judged {
		w.judgeModel(at, res)
		w.judgeNoise(at, res)
	}
	w.judgeFlat(at, r)
	if s := w.cal.Shewhart.Step(r.mean); w.three.step(at, s.Over) {
		w.alarm(at, DetectorShewhart, s.Score, shewhartLimit, "", s.Top)
	}
}

// temper raises the limits while little is known of the machine's past.
func (r *Result) temper(known time.Duration) {
	r.Score /= 1 + 20*math.Exp(-known.Minutes()/30)
	r.Over = r.Score > 1
	r.Judged = r.Judged && known >= warmUp
}

const (
	// longStop ends what was going on: somebody has been at the machine.
	longStop = 6 * time.Minute
	// warmUp is how long nothing is judged at first.
	warmUp = 30 * time.Minute
	// sensorMemory is how long the machine is looked at as if there were no such
	// channel after its sensor was last seen to lie: what it said stays in the
	// averages.
	sensorMemory = 2 * time.Hour
	// firstLook is how long what has jumped must stay there. One channel must be alone
	// in being odd for partPatience before the part that it looks at is blamed by its
	// course, or because others could not know better, and for patience before its
	// sensor is; after longPatience the likelier is.
	firstLook, partPatience = 10 * time.Minute, 30 * time.Minute
	patience, longPatience  = 45 * time.Minute, 150 * time.Minute
	// wears and lies are courses that can be told.
	wears, lies = 0.6, -1.5
	// quickly: what is far off within so little time goes faster than anything wears.
	quickly = 20 * time.Minute
	// manyTimes the usual number of rows in a row the others must be odd to count,
	// where they are under their limit.
	manyTimes = 10
	// secondThoughts is how many times the usual number of rows it takes to take a
	// sensor's blame back.
	secondThoughts = 3
)

// judgeModel follows an episode of the model:
//
//	over ──┬─ more than one channel ───────────────────────────── Process
//	       └─ one alone ─┬─ others join, scatter, course ──────── Process
//	                     ├─ it jumped, scatter stays, course ──── Sensor ── second thoughts ── Process
//	                     └─ patience ──────────────────────────── the likelier by its course
func (w *Watch) judgeModel(at time.Time, r Result) {
	over := r.Acting > 1
	if w.ignoring(at) {
		if r.Over && !over {
			w.until = at.Add(sensorMemory)
		}
		w.secondThoughts(at, r)
	}
	if w.pca.step(at, over) {
		w.begin(at, r)
	}
	if !w.pca.active {
		w.waiting = false
	}
	if w.waiting && r.Over {
		w.wait(at, r)
	}
}

func (w *Watch) ignoring(at time.Time) bool { return w.liar >= 0 && at.Before(w.until) }

// begin is called where an episode starts.
func (w *Watch) begin(at time.Time, r Result) {
	switch {
	case w.ignoring(at) || r.Class == Process:
		w.alarm(at, DetectorPCA, r.Score, 1, Process, r.Top)
	case w.knownStuck(r.Top):
	default:
		w.waiting, w.begun, w.more, w.joined = true, at, 0, 0
	}
}

// wait is for one channel that is alone in being odd.
func (w *Watch) wait(at time.Time, r Result) {
	if w.knownStuck(r.Top) {
		w.waiting = false
		return
	}
	k := slices.Index(w.cal.Model.Use, r.Top)
	now := w.monitor.off(k)
	_, limit := w.monitor.without(k)
	if w.joined++; limit <= 1 {
		w.joined = 0
	}
	if w.more++; r.Class != Process {
		w.more = 0
	}
	waited := at.Sub(w.begun)
	wear := w.monitor.course(k, w.begun, at)
	switch {
	case w.joined >= w.opt.Persist || w.more >= manyTimes*w.opt.Persist:
		w.settle(at, r, Process)
	case w.more > 0:
	case r.Class == Sensor || w.monitor.runsOff(k, now) && waited < quickly || waited >= firstLook && w.monitor.unrest.jumpedAlone(k, now, at):
		w.settle(at, r, Sensor)
	case waited >= partPatience && (wear > wears || w.cal.Model.Redundancy[k] < leastRedundancy && wear > 0):
		w.settle(at, r, Process)
	case waited >= patience && wear < lies:
		w.settle(at, r, Sensor)
	case waited >= longPatience && wear < 0:
		w.settle(at, r, Sensor)
	case waited >= longPatience:
		w.settle(at, r, Process)
	}
}

// settle ends the waiting.
func (w *Watch) settle(at time.Time, r Result, class string) {
	w.waiting = false
	w.alarm(at, DetectorPCA, r.Score, 1, class, r.Top)
	if class == Sensor {
		w.blame(at, r.Top)
	}
}

// blame has a channel (an index into Names) ignored from now on.
func (w *Watch) blame(at time.Time, channel int) {
	if k := slices.Index(w.cal.Model.Use, channel); k >= 0 {
		w.liar, w.until, w.more = k, at.Add(sensorMemory), 0
	}
}

// secondThoughts takes the blame back from a sensor whose scatter follows.
func (w *Watch) secondThoughts(at time.Time, r Result) {
	if w.more++; !r.Over || w.stuck[w.liar].active || w.monitor.scatter(w.liar) <= 0 {
		w.more = 0
	}
	if w.more == secondThoughts*w.opt.Persist {
		w.alarm(at, DetectorPCA, r.Score, 1, Process, w.cal.Model.Use[w.liar])
		w.liar = -1
	}
}

// judgeNoise finds channels that scatter more than they ever do in health, while
// their level and all else stays where it was.
func (w *Watch) judgeNoise(at time.Time, r Result) {
	m := &w.cal.Model
	for k, j := range m.Use {
		over := m.Spreads[k].Known && w.monitor.spread[k] > max(leastNoise, m.Spreads[k].Limit)
		quiet := r.T2[scales-1] < m.Whole.Scales[scales-1].Limit
		if w.noisy[k].step(at, over && quiet) {
			w.blame(at, j)
			w.alarm(at, DetectorPCA, w.monitor.spread[k]/m.Spreads[k].Limit, 1, Sensor, j)
		}
	}
}

const (
	// noisePatience is how many times the usual number of rows a channel must scatter
	// before its sensor is blamed: a part that goes scatters first and moves a little
	// later.
	noisePatience = 10
	// leastNoise is the logarithm of by how much a channel must scatter more: other
	// work makes it scatter a little more as well.
	leastNoise = 0.4
)

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
		if limit := w.cal.Model.Flat[k]; w.stuck[k].step(at, w.flat[k] > limit) && !(w.ignoring(at) && w.liar == k) {
			w.blame(at, j)
			w.alarm(at, DetectorPCA, float64(w.flat[k])/float64(limit), 1, Sensor, j)
		}
	}
}

func (w *Watch) alarm(at time.Time, detector string, score, limit float64, class string, channel int) {
	w.alarms = append(w.alarms, Alarm{At: at, Machine: w.cal.Spec.Machine, Detector: detector,
		Score: score, Limit: limit, Class: class, Tag: signal.ID(w.cal.Spec.Channels[channel])})
}
