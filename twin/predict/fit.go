package predict

import (
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// Model is what a machine does in health, with limits. Each channel is predicted
// from the others, from what they were a while ago, and from how long the machine
// has run; what is left of all channels together is measured by its principal
// components, all of them, each by its variance in health: Hotelling's T2. It is
// a value: a monitor runs it.
type Model struct {
	// Names are all channels, in the order of a row; Use are the indices of those
	// that the model looks at, and the slices below go with Use.
	Names []string  `json:"names"`
	Use   []int     `json:"use"`
	Left  []LeftOut `json:"left_out,omitempty"`
	Mean  []float64 `json:"mean"`
	Scale []float64 `json:"scale"`
	// Whole looks at all channels; Without[k] does as if there were no channel k.
	Whole   View   `json:"whole"`
	Without []View `json:"without"`
	// Redundancy is the share of a channel's variance that the others predict.
	Redundancy []float64 `json:"redundancy"`
	// Switch marks channels that only go between two values. They tell how the
	// machine is worked, and are not judged themselves.
	Switch []bool `json:"switch"`
	// Step is the usual size of the step of a channel from row to row.
	Step []float64 `json:"step"`
	// Spreads is how much each channel scatters within a window.
	Spreads []Spread `json:"spreads"`
	// Flat is, for each channel, how many rows without any change mean stuck.
	Flat []int `json:"flat"`
	// Rows is how many rows the model rests on.
	Rows    int     `json:"rows"`
	Options Options `json:"options"`
}

// View is a model of some channels.
type View struct {
	// Weights predict each channel from the features; none for the one left out.
	Weights [][]float64 `json:"weights"`
	// Bound is what a row's residual of each channel is cut off at, if at all.
	Bound []float64 `json:"bound,omitempty"`
	// Scales are for averages over a short and a long time.
	Scales [scales]Scale `json:"scales"`
}

// Scale measures smoothed residuals.
type Scale struct {
	// Precision is the inverse of their covariance in health.
	Precision [][]float64 `json:"precision"`
	// Limit is what T2 does not exceed in a week of health, Odd its 99.9 %
	// quantile there.
	Limit float64 `json:"limit"`
	Odd   float64 `json:"odd"`
}

// scales is how many; Options.Lambda and Options.Slow are their weights.
const scales = 2

// Spread is the scatter of a channel: mean and limits are of its logarithm.
type Spread struct {
	Known bool `json:"known"`
	// Slope is by how much it grows with the logarithm of the level: 1 for what
	// scatters in proportion, 0 where the scatter is the sensor's own. Where the
	// level is nearly constant in health it is not known, and taken to be 1.
	Slope float64 `json:"slope"`
	Level float64 `json:"level"` // mean logarithm of the level; NaN-free only if Slope is not 0
	Mean  float64 `json:"mean"`
	SD    float64 `json:"sd"` // of the smoothed logarithm
	Limit float64 `json:"limit"`
}

// LeftOut is a channel that the model does not look at.
type LeftOut struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

const (
	// leastRows is how many rows a model needs at least.
	leastRows = 60
	// oddQuantile is where a part of the machine counts as affected.
	oddQuantile = 0.999
	// leastFlat is how many rows without change are always allowed, and
	// flatFactor how many times the longest run in health.
	leastFlat, flatFactor = 12, 3
	// mostSigmas bounds a standardised value, and bound what one row's residual can
	// do, in its standard deviations. A window that holds a jerk of the drive is an
	// outlier and no wear; what lasts comes through all the same.
	mostSigmas, bound = 40, 12
	// ridge keeps the covariance of copies invertible, as a share of the variance.
	ridge = 1e-3
	// folds is how many parts of the healthy time each take their turn at being
	// predicted by a model that has not seen them.
	folds = 6
)

// sample is a row as a model learns from it.
type sample struct {
	at      time.Time
	mean    []float64
	spread  []float64
	running [len(runningS)]float64
}

// fit takes the rows of a healthy machine in the order of time. Channels that do
// not vary, or that only ever count up or down, are left out.
func fit(rows []sample, names []string, opt Options) (*Model, error) {
	opt = opt.defaults()
	if len(rows) < leastRows {
		return nil, fmt.Errorf("predict: %d rows of steady running are too few, %d are needed (one row is %v)", len(rows), leastRows, opt.Window)
	}
	m := &Model{Names: slices.Clone(names), Rows: len(rows), Options: opt}
	m.choose(rows)
	if len(m.Use) == 0 {
		return nil, fmt.Errorf("predict: none of %d channels varies in health", len(names))
	}
	if len(rows) < 3*len(m.Use) {
		return nil, fmt.Errorf("predict: %d rows are too few for %d channels", len(rows), len(m.Use))
	}
	l := m.learn(rows)
	var err error
	if m.Whole, err = l.view(-1, 1); err != nil {
		return nil, fmt.Errorf("predict: %w", err)
	}
	for k := range m.Use {
		m.Redundancy = append(m.Redundancy, max(0, 1-math.Pow(m.Whole.Bound[k]/bound, 2)))
		m.Flat = append(m.Flat, leastFlat)
	}
	for k := range m.Use {
		v, err := l.view(k, othersEvery)
		if err != nil {
			return nil, fmt.Errorf("predict: %w", err)
		}
		m.Without = append(m.Without, v)
	}
	m.spreads(rows)
	return m, nil
}

// choose picks the channels and their mean and scale.
func (m *Model) choose(rows []sample) {
	col := make([]float64, len(rows))
	for j, name := range m.Names {
		for i := range rows {
			col[i] = rows[i].mean[j]
		}
		mean, sd := stat.MeanStdDev(col, nil)
		switch {
		case !(sd > 1e-9*math.Abs(mean)) || math.IsInf(sd, 0):
			m.Left = append(m.Left, LeftOut{name, "constant"})
		case counts(col):
			m.Left = append(m.Left, LeftOut{name, "counter"})
		default:
			m.Use = append(m.Use, j)
			m.Mean = append(m.Mean, mean)
			m.Scale = append(m.Scale, sd)
			m.Switch = append(m.Switch, switches(col))
			m.Step = append(m.Step, usualStep(col)/sd)
		}
	}
}

// switches tells whether nearly all values are one of two.
func switches(col []float64) bool {
	lo, hi, between := slices.Min(col), slices.Max(col), 0
	for _, v := range col {
		if v != lo && v != hi {
			between++
		}
	}
	return between < len(col)/20
}

// usualStep is the standard deviation of the step between neighbours, by their
// median, so that jumps have no part in it.
func usualStep(col []float64) float64 {
	d := make([]float64, 0, len(col))
	for i := 1; i < len(col); i++ {
		d = append(d, math.Abs(col[i]-col[i-1]))
	}
	slices.Sort(d)
	return 1.4826 * quantile(d, 0.5)
}

// counts tells whether values only ever go one way, which noise does not.
func counts(col []float64) bool {
	up, down := 0, 0
	for i := 1; i < len(col); i++ {
		switch d := col[i] - col[i-1]; {
		case d > 0:
			up++
		case d < 0:
			down++
		}
	}
	return (up == 0) != (down == 0)
}

// standardise writes the used channels of a row into dst.
func (m *Model) standardise(dst, row []float64) {
	for k, j := range m.Use {
		dst[k] = max(-mostSigmas, min(mostSigmas, (row[j]-m.Mean[k])/m.Scale[k]))
	}
}

// lesson is the healthy time as feature vectors, in folds.
type lesson struct {
	m     *Model
	x     *mat.Dense         // a feature vector per row
	calm  []int              // the rows that are learnt from
	seen  [scales]*mat.Dense // those, smoothed
	whole *gram
	parts [folds]*gram
}

func (m *Model) learn(rows []sample) *lesson {
	n, p := len(rows), len(m.Use)
	l := &lesson{m: m, x: mat.NewDense(n, featureCount(p), nil), whole: newGram(featureCount(p))}
	for f := range l.parts {
		l.parts[f] = newGram(featureCount(p))
	}
	feat, z, unrest := newFeatures(p), make([]float64, p), newUnrest(m)
	for i, r := range rows {
		m.standardise(z, r.mean)
		x := feat.step(r.at, z, r.running)
		l.x.SetRow(i, x)
		if unrest.step(r.at, z) {
			continue
		}
		l.calm = append(l.calm, i)
		l.parts[l.fold(i)].add(x)
	}
	for s := range scales {
		l.seen[s] = mat.NewDense(len(l.calm), featureCount(p), nil)
		e := newEWMA(m.Options.lambda(s), featureCount(p))
		for n, i := range l.calm {
			l.seen[s].SetRow(n, e.step(l.x.RawRowView(i)))
		}
	}
	for _, g := range l.parts {
		l.whole.n += g.n
		l.whole.sum.AddSym(l.whole.sum, g.sum)
	}
	return l
}

func (l *lesson) fold(row int) int {
	n, _ := l.x.Dims()
	return row * folds / n
}

// weights of a view from a gram matrix.
func (l *lesson) weights(g *gram, without int) ([][]float64, error) {
	out := make([][]float64, len(l.m.Use))
	for k := range l.m.Use {
		if k == without || l.m.Switch[k] {
			continue
		}
		w, err := g.regress(k, without, len(l.m.Use))
		if err != nil {
			return nil, err
		}
		out[k] = w
	}
	return out, nil
}

// othersEvery is of how many rows one is looked at for the views without a
// channel, of which there are many.
const othersEvery = 5

// view fits a view. Its limits come from residuals of each fold under weights
// that have not seen it: those of the rows that a model was fitted to are smaller
// than any to come.
func (l *lesson) view(without, every int) (View, error) {
	v := View{}
	var err error
	if v.Weights, err = l.weights(l.whole, without); err != nil {
		return v, err
	}
	var blind [folds][][]float64
	for f, part := range l.parts {
		if blind[f], err = l.weights(l.whole.less(part), without); err != nil {
			return v, err
		}
	}
	for s := range v.Scales {
		resid := l.smoothed(&v, blind, s, without < 0, every)
		if v.Scales[s], err = l.scale(resid, s, every); err != nil {
			return v, err
		}
	}
	return v, nil
}

// smoothed residuals of the calm rows. Those of the whole machine are cut off
// before they are smoothed, at bounds that are found on the way. Those of a view
// without a channel are not, and come from features that are smoothed already: a
// monitor has no more of what was than that.
func (l *lesson) smoothed(v *View, blind [folds][][]float64, s int, cut bool, every int) [][]float64 {
	p := len(l.m.Use)
	var out [][]float64
	if !cut {
		for n := 0; n < len(l.calm); n += every {
			i := l.calm[n]
			out = append(out, residual(make([]float64, p), blind[l.fold(i)], l.seen[s].RawRowView(n)))
		}
		return out
	}
	for _, i := range l.calm {
		out = append(out, residual(make([]float64, p), blind[l.fold(i)], l.x.RawRowView(i)))
	}
	v.Bound = make([]float64, p)
	for k := range v.Bound {
		for _, e := range out {
			v.Bound[k] += e[k] * e[k] / float64(len(out))
		}
		v.Bound[k] = bound * math.Sqrt(v.Bound[k])
	}
	e := newEWMA(l.m.Options.lambda(s), p)
	for _, r := range out {
		v.cut(r)
		copy(r, e.step(r))
	}
	return out
}

// cut bounds a row's residuals.
func (v *View) cut(resid []float64) {
	for k, b := range v.Bound {
		resid[k] = max(-b, min(b, resid[k]))
	}
}

// residual of each channel with weights.
func residual(dst []float64, weights [][]float64, x []float64) []float64 {
	for k, w := range weights {
		dst[k] = 0
		if w != nil {
			dst[k] = x[k*perChannel] - dot(w, x)
		}
	}
	return dst
}

// scale finds covariance and limits of smoothed residuals.
func (l *lesson) scale(resid [][]float64, s, every int) (Scale, error) {
	p := len(l.m.Use)
	cov := mat.NewSymDense(p, nil)
	for _, r := range resid {
		cov.SymRankOne(cov, 1/float64(len(resid)), mat.NewVecDense(p, r))
	}
	var sc Scale
	prec, err := precision(cov)
	if err != nil {
		return sc, err
	}
	for k := range p {
		sc.Precision = append(sc.Precision, mat.Row(nil, k, prec))
	}
	t2 := make([]float64, len(resid))
	for i, r := range resid {
		t2[i] = quadratic(sc.Precision, r)
	}
	// The scales share what false alarms are allowed.
	o := l.m.Options
	rate := o.PerWeek / scales / o.rowsPerWeek() * float64(every)
	// Independent is what is three time constants of the smoothing apart.
	sc.Limit = o.Margin * returnLevel(t2, rate, int(math.Ceil(3/o.lambda(s)/float64(every))))
	slices.Sort(t2)
	sc.Odd = quantile(t2, oddQuantile)
	return sc, nil
}

// precision is the inverse of a covariance, 0 in the rows and columns of what does
// not vary because it is left out.
func precision(cov *mat.SymDense) (*mat.SymDense, error) {
	n := cov.SymmetricDim()
	c := mat.NewSymDense(n, nil)
	c.CopySym(cov)
	for k := range n {
		c.SetSym(k, k, c.At(k, k)*(1+ridge)+1e-12)
		if cov.At(k, k) == 0 {
			c.SetSym(k, k, 1)
		}
	}
	var chol mat.Cholesky
	if !chol.Factorize(c) {
		return nil, fmt.Errorf("the covariance of %d channels cannot be inverted", n)
	}
	inv := mat.NewSymDense(n, nil)
	if err := chol.InverseTo(inv); err != nil {
		return nil, fmt.Errorf("the covariance of %d channels cannot be inverted: %w", n, err)
	}
	for k := range n {
		if cov.At(k, k) == 0 {
			inv.SetSym(k, k, 0)
		}
	}
	return inv, nil
}

// quadratic is x' P x.
func quadratic(p [][]float64, x []float64) float64 {
	sum := 0.0
	for i, row := range p {
		sum += x[i] * dot(row, x)
	}
	return sum
}

// spreadLambda is the weight of the newest row in the average of a spread's
// logarithm: half an hour.
const spreadLambda = 0.005

// leastVaried is by how much the logarithm of a level must vary in health to show
// whether the scatter follows it.
const leastVaried = 0.03

// spreads finds how much each channel scatters. One that often does not change
// within a window, as integers and switches, tells nothing.
func (m *Model) spreads(rows []sample) {
	for k, j := range m.Use {
		known := 0
		var logs, levels []float64
		for _, r := range rows {
			if !math.IsInf(r.spread[j], 0) {
				known++
				logs = append(logs, max(-30, r.spread[j]))
				levels = append(levels, math.Log(math.Abs(r.mean[j])+1e-9*m.Scale[k]))
			}
		}
		s := Spread{Known: known > len(rows)*9/10 && !m.Switch[k]}
		if s.Known {
			s.Slope = 1
			s.Level = stat.Mean(levels, nil)
			if v := stat.Variance(levels, nil); v > leastVaried*leastVaried {
				s.Slope = max(0, min(1, stat.Covariance(levels, logs, nil)/v))
			}
			s.Mean = stat.Mean(logs, nil)
			m.limitSpread(&s, logs, levels)
		}
		m.Spreads = append(m.Spreads, s)
	}
}

func (m *Model) limitSpread(s *Spread, logs, levels []float64) {
	v := make([]float64, len(logs))
	at, sum := 0.0, 0.0
	for i := range logs {
		at = stepSpread(at, s.beyond(logs[i], levels[i]))
		v[i] = at
		sum += at * at
	}
	s.SD = math.Sqrt(sum / float64(len(v)))
	rate := m.Options.PerWeek / float64(scales*len(m.Use)) / m.Options.rowsPerWeek()
	s.Limit = m.Options.Margin * returnLevel(v, rate, int(math.Ceil(3/spreadLambda)))
}

// beyond is by how much a window scatters more than it should at its level.
func (s *Spread) beyond(log, level float64) float64 {
	return log - s.Mean - s.Slope*(level-s.Level)
}

// stepSpread moves the average on; a window without any scatter, and one with a
// jerk in it, count for no more than three, either way.
func stepSpread(at, x float64) float64 {
	return at + spreadLambda*(max(-3, min(3, x))-at)
}

// calibrateFlat takes the longest runs of rows without change seen in health,
// one for each channel of Names.
func (m *Model) calibrateFlat(longest []int) {
	for k, j := range m.Use {
		m.Flat[k] = max(leastFlat, flatFactor*longest[j])
	}
}
