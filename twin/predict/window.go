package predict

import (
	"math"
	"slices"
	"time"
)

const (
	// longestSettle bounds how long a machine is left alone after a long stop.
	longestSettle = 30 * time.Minute
	// trim is the share of a window's values that is cut off at either end.
	trim = 0.2
)

// row is a window in which the machine ran steadily and every channel was known.
type row struct {
	// mean is the mean of the middle values, so that a jerk of a second or two,
	// or a spike, is not in it.
	mean []float64
	// flat marks the channels that did not change at all within the window.
	flat []bool
	// spread is the logarithm of the mean step from one value to the next, -Inf
	// where there was none: how much a channel scatters, whatever its trend.
	spread []float64
	// running is the share of the last ten minutes and of the last hour in which
	// the machine ran, exponentially weighted: how warm it can be.
	running [len(runningS)]float64
}

// runningS are the time constants of row.running, in seconds.
var runningS = [...]float64{600, 3600}

// window makes rows of values. A stop of the machine, a change of its state or
// a missing value throws the open window away.
type window struct {
	opt     Options
	running time.Time // since when; zero when it does not
	settle  time.Duration
	stopped time.Time // since when; zero when it is not known to be
	start   time.Time // of the open window
	open    [][]float64
	row     row
	ran     [len(runningS)]float64
	last    time.Time // of the push before
}

func newWindow(opt Options, channels int) *window {
	return &window{opt: opt, open: make([][]float64, channels),
		ran: [len(runningS)]float64{1, 1},
		row: row{mean: make([]float64, channels), flat: make([]bool, channels), spread: make([]float64, channels)}}
}

// push takes the values of an instant. It returns a row when this instant is
// the first behind a full window; the row is overwritten by the next.
func (w *window) push(at time.Time, state float64, x []float64) (*row, bool) {
	w.keepRunning(at, state)
	if state != w.opt.Running { // a missing state, NaN, is no running either
		if w.stopped.IsZero() && !math.IsNaN(state) {
			w.stopped = at
		}
		w.running = time.Time{}
		w.clear()
		return nil, false
	}
	w.run(at)
	if at.Sub(w.running) < w.settle || missing(x) {
		w.clear()
		return nil, false
	}
	full := !w.empty() && at.Sub(w.start) >= w.opt.Window
	if full {
		w.close()
	}
	if w.empty() {
		w.start = at
	}
	for i, v := range x {
		w.open[i] = append(w.open[i], v)
	}
	return &w.row, full
}

// keepRunning follows the share of time in which the machine runs; where its
// state is not known, that stays as it is.
func (w *window) keepRunning(at time.Time, state float64) {
	if !w.last.IsZero() && !math.IsNaN(state) {
		on := 0.0
		if state == w.opt.Running {
			on = 1
		}
		for i, tau := range runningS {
			w.ran[i] += (on - w.ran[i]) * -math.Expm1(-at.Sub(w.last).Seconds()/tau)
		}
	}
	w.last = at
}

// spread of values in the order of time.
func spread(v []float64) float64 {
	sum := 0.0
	for i := 1; i < len(v); i++ {
		sum += math.Abs(v[i] - v[i-1])
	}
	return math.Log(sum / float64(len(v)-1))
}

// run notes a start. What has stood for long has grown cold: it takes about as
// long again to be itself.
func (w *window) run(at time.Time) {
	if !w.running.IsZero() {
		return
	}
	w.running, w.settle = at, w.opt.Settle
	if !w.stopped.IsZero() {
		w.settle += min(at.Sub(w.stopped), longestSettle)
	}
	w.stopped = time.Time{}
}

func (w *window) empty() bool { return len(w.open) == 0 || len(w.open[0]) == 0 }

func (w *window) clear() {
	for i := range w.open {
		w.open[i] = w.open[i][:0]
	}
}

func (w *window) close() {
	w.row.running = w.ran
	for i, v := range w.open {
		w.row.spread[i] = spread(v)
		slices.Sort(v)
		w.row.flat[i] = v[0] == v[len(v)-1]
		w.row.mean[i] = middle(v)
	}
	w.clear()
}

// middle is the mean of sorted values without the outer fifths.
func middle(sorted []float64) float64 {
	cut := int(trim * float64(len(sorted)))
	sum := 0.0
	for _, v := range sorted[cut : len(sorted)-cut] {
		sum += v
	}
	return sum / float64(len(sorted)-2*cut)
}

func missing(x []float64) bool {
	for _, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return true
		}
	}
	return false
}
