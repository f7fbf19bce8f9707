package predict

import (
	"math"
	"time"
)

// Row is the mean of a window in which the machine ran steadily and every
// channel was known.
type row struct {
	at   time.Time
	mean []float64
	// flat marks the channels that did not change at all within the window.
	flat []bool
}

// window makes rows of values. A stop of the machine, a change of its state or
// a missing value throws the open window away.
type window struct {
	opt     Options
	running time.Time // since when; zero when it does not
	start   time.Time // of the open window
	n       int
	sum     []float64
	lo, hi  []float64
	row     row
}

func newWindow(opt Options, channels int) *window {
	f := func() []float64 { return make([]float64, channels) }
	return &window{opt: opt, sum: f(), lo: f(), hi: f(), row: row{mean: f(), flat: make([]bool, channels)}}
}

// push takes the values of an instant. It returns a row when this instant is
// the first behind a full window; the row is overwritten by the next.
func (w *window) push(at time.Time, state float64, x []float64) (*row, bool) {
	if state != w.opt.Running { // a missing state, NaN, is no running either
		w.running, w.n = time.Time{}, 0
		return nil, false
	}
	if w.running.IsZero() {
		w.running = at
	}
	if at.Sub(w.running) < w.opt.Settle || missing(x) {
		w.n = 0
		return nil, false
	}
	full := w.n > 0 && at.Sub(w.start) >= w.opt.Window
	if full {
		w.close(at)
	}
	w.add(at, x)
	return &w.row, full
}

func (w *window) add(at time.Time, x []float64) {
	if w.n == 0 {
		w.start = at
		copy(w.sum, x)
		copy(w.lo, x)
		copy(w.hi, x)
		w.n = 1
		return
	}
	for i, v := range x {
		w.sum[i] += v
		w.lo[i] = min(w.lo[i], v)
		w.hi[i] = max(w.hi[i], v)
	}
	w.n++
}

func (w *window) close(at time.Time) {
	w.row.at = at
	for i := range w.sum {
		w.row.mean[i] = w.sum[i] / float64(w.n)
		w.row.flat[i] = w.lo[i] == w.hi[i]
	}
	w.n = 0
}

func missing(x []float64) bool {
	for _, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return true
		}
	}
	return false
}
