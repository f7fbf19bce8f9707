package predict

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// Model is a principal-component model of a healthy machine with its limits
// (Jackson and Mudholkar 1979; MacGregor and Kourti 1995). It is a value: a
// Monitor runs it.
type Model struct {
	// Names are all channels, in the order of a row; Use are the indices of those
	// that the model looks at, and the slices below go with Use.
	Names []string  `json:"names"`
	Use   []int     `json:"use"`
	Left  []LeftOut `json:"left_out,omitempty"`
	Mean  []float64 `json:"mean"`
	Scale []float64 `json:"scale"`
	// Components are orthonormal, the largest first; Variance is along each.
	Components [][]float64 `json:"components"`
	Variance   []float64   `json:"variance"`
	// LimitT2 and LimitSPE are for the statistics of smoothed rows.
	LimitT2  float64 `json:"limit_t2"`
	LimitSPE float64 `json:"limit_spe"`
	// Precision is the inverse of the covariance of smoothed rows. Rest is, for
	// each channel, the 99.9 % quantile in health of the distance of all others,
	// and LimitRest what the distance of all does not exceed in a week of health.
	Precision [][]float64 `json:"precision"`
	Rest      []float64   `json:"rest"`
	LimitRest float64     `json:"limit_rest"`
	// Redundancy is the share of a channel's variance that the others predict.
	Redundancy []float64 `json:"redundancy"`
	// Flat is, for each channel, how many rows without any change mean stuck.
	Flat []int `json:"flat"`
	// Rows is how many rows the model rests on.
	Rows    int     `json:"rows"`
	Options Options `json:"options"`
}

// LeftOut is a channel that the model does not look at.
type LeftOut struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

const (
	// leastRows is how many rows a model needs at least.
	leastRows = 60
	// restQuantile is where the rest of the machine counts as affected too.
	restQuantile = 0.999
	// leastFlat is how many rows without change are always allowed, and
	// flatFactor how many times the longest run in health.
	leastFlat, flatFactor = 12, 3
	// mostSigmas bounds what one row can do. A window that holds a jerk of the
	// drive, a hundred sigmas for a second, is an outlier and no wear; what lasts
	// comes through all the same.
	mostSigmas = 5
	// leastSPE keeps the rounding of channels that are exact copies of each other
	// from being news; SPE is in units of variance.
	leastSPE = 1e-9
	// ridge keeps the covariance of copies invertible, as a share of the variance.
	ridge = 1e-3
)

// Fit takes rows of a healthy machine in the order of time. Channels that do
// not vary, or that only ever count up or down, are left out.
func Fit(rows [][]float64, names []string, opt Options) (*Model, error) {
	opt = opt.defaults()
	if len(rows) < leastRows {
		return nil, fmt.Errorf("predict: %d rows of steady running are too few, %d are needed (one row is %v)", len(rows), leastRows, opt.Window)
	}
	for i, r := range rows {
		if len(r) != len(names) {
			return nil, fmt.Errorf("predict: row %d has %d values for %d channels", i, len(r), len(names))
		}
		if missing(r) {
			return nil, fmt.Errorf("predict: row %d holds a value that is not a finite number", i)
		}
	}
	m := &Model{Names: slices.Clone(names), Rows: len(rows), Options: opt}
	m.choose(rows)
	if len(m.Use) == 0 {
		return nil, fmt.Errorf("predict: none of %d channels varies in health", len(names))
	}
	if len(rows) < 3*len(m.Use) {
		return nil, fmt.Errorf("predict: %d rows are too few for %d channels", len(rows), len(m.Use))
	}
	z := m.standardised(rows)
	if err := m.components(z); err != nil {
		return nil, err
	}
	if err := m.weights(z); err != nil {
		return nil, err
	}
	m.calibrate(rows)
	return m, nil
}

// choose picks the channels and their mean and scale.
func (m *Model) choose(rows [][]float64) {
	col := make([]float64, len(rows))
	for j, name := range m.Names {
		for i := range rows {
			col[i] = rows[i][j]
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
		}
	}
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

func (m *Model) standardised(rows [][]float64) *mat.Dense {
	z := mat.NewDense(len(rows), len(m.Use), nil)
	for i, r := range rows {
		m.standardise(z.RawRowView(i), r)
	}
	return z
}

// standardise writes the used channels of a row into dst.
func (m *Model) standardise(dst, row []float64) {
	for k, j := range m.Use {
		dst[k] = max(-mostSigmas, min(mostSigmas, (row[j]-m.Mean[k])/m.Scale[k]))
	}
}

// components keeps as many as explain the wanted share, but leaves one
// direction for the residual where there is more than one channel.
func (m *Model) components(z *mat.Dense) error {
	var pc stat.PC
	if !pc.PrincipalComponents(z, nil) {
		return fmt.Errorf("predict: the principal components of %d rows cannot be found", m.Rows)
	}
	vars := pc.VarsTo(nil)
	var vecs mat.Dense
	pc.VectorsTo(&vecs)
	total, sum := 0.0, 0.0
	for _, v := range vars {
		total += v
	}
	most := max(1, len(m.Use)-1)
	for a := 0; a < len(vars) && a < most && (a == 0 || sum < m.Options.Variance*total); a++ {
		sum += vars[a]
		m.Components = append(m.Components, mat.Col(nil, a, &vecs))
		m.Variance = append(m.Variance, max(vars[a], 1e-9))
	}
	return nil
}

// weights finds the precision matrix of the smoothed rows, and from that of the
// rows how well each channel is predicted by the others: the squared multiple
// correlation is 1 - 1/(v_k (V^-1)_kk).
func (m *Model) weights(z *mat.Dense) error {
	n, p := z.Dims()
	smoothed := mat.NewDense(n, p, nil)
	e := newEWMA(m.Options.Lambda, p)
	for i := range n {
		smoothed.SetRow(i, e.step(z.RawRowView(i)))
	}
	prec, err := precision(smoothed)
	if err != nil {
		return fmt.Errorf("predict: %w", err)
	}
	for k := range p {
		m.Precision = append(m.Precision, mat.Row(nil, k, prec))
	}
	rows, err := precision(z)
	if err != nil {
		return fmt.Errorf("predict: %w", err)
	}
	for k := range p {
		m.Redundancy = append(m.Redundancy, max(0, 1-1/rows.At(k, k))) // v_k is 1: z is standardised
	}
	return nil
}

// precision is the inverse of the covariance of the columns.
func precision(z *mat.Dense) (*mat.SymDense, error) {
	var cov, inv mat.SymDense
	stat.CovarianceMatrix(&cov, z, nil)
	for k := range cov.SymmetricDim() {
		cov.SetSym(k, k, cov.At(k, k)*(1+ridge))
	}
	var chol mat.Cholesky
	if !chol.Factorize(&cov) {
		return nil, fmt.Errorf("the covariance of %d channels cannot be inverted", cov.SymmetricDim())
	}
	if err := chol.InverseTo(&inv); err != nil {
		return nil, fmt.Errorf("the covariance of %d channels cannot be inverted: %w", cov.SymmetricDim(), err)
	}
	return &inv, nil
}

// calibrate runs the monitor over the healthy rows and sets the limits.
func (m *Model) calibrate(rows [][]float64) {
	mon := NewMonitor(m)
	t2, spe, all := make([]float64, len(rows)), make([]float64, len(rows)), make([]float64, len(rows))
	rest := make([][]float64, len(m.Use))
	for i, r := range rows {
		res := mon.Step(r)
		t2[i], spe[i], all[i] = res.T2, res.SPE, mon.distance()
		for k := range rest {
			rest[k] = append(rest[k], mon.without(k))
		}
	}
	rate := m.Options.PerWeek / m.Options.rowsPerWeek()
	apart := int(math.Ceil(3 / m.Options.Lambda)) // three time constants of the smoothing
	// T2 and SPE share what false alarms are allowed.
	m.LimitT2 = m.Options.Margin * returnLevel(t2, rate/2, apart)
	if len(m.Components) < len(m.Use) {
		m.LimitSPE = max(m.Options.Margin*returnLevel(spe, rate/2, apart), leastSPE)
	}
	m.LimitRest = m.Options.Margin * returnLevel(all, rate, apart)
	for k := range rest {
		slices.Sort(rest[k])
		m.Rest = append(m.Rest, quantile(rest[k], restQuantile))
		m.Flat = append(m.Flat, leastFlat)
	}
}

// calibrateFlat takes the longest runs of rows without change seen in health,
// one for each channel of Names.
func (m *Model) calibrateFlat(longest []int) {
	for k, j := range m.Use {
		m.Flat[k] = max(leastFlat, flatFactor*longest[j])
	}
}
