package predict

import "fmt"

// Check says what is wrong with models that came from a file: Step takes their
// shapes for granted.
func (c *Calibrated) Check() error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("the model of machine %q: %s", c.Spec.Machine, fmt.Sprintf(format, args...))
	}
	m, n, p := &c.Model, len(c.Spec.Channels), len(c.Model.Use)
	switch {
	case c.Spec.Machine == "":
		return fmt.Errorf("a model names no machine")
	case n == 0:
		return fail("spec.channels is empty")
	case len(m.Names) != n:
		return fail("pca.names has %d names for %d channels", len(m.Names), n)
	case p == 0:
		return fail("pca.use is empty")
	}
	for _, l := range []struct {
		name string
		got  int
	}{{"pca.mean", len(m.Mean)}, {"pca.scale", len(m.Scale)}, {"pca.redundancy", len(m.Redundancy)}, {"pca.switch", len(m.Switch)}, {"pca.step", len(m.Step)},
		{"pca.spreads", len(m.Spreads)}, {"pca.flat", len(m.Flat)}, {"pca.without", len(m.Without)}, {"pca.whole.bound", len(m.Whole.Bound)},
		{"shewhart.use", len(c.Shewhart.Use)}, {"shewhart.mean", len(c.Shewhart.Mean)}, {"shewhart.scale", len(c.Shewhart.Scale)}} {
		if l.got != p {
			return fail("%s has %d values for the %d channels in use", l.name, l.got, p)
		}
	}
	for k := range p {
		switch {
		case m.Use[k] < 0 || m.Use[k] >= n || k > 0 && m.Use[k] <= m.Use[k-1]:
			return fail("pca.use[%d] is %d, which is no channel or out of order", k, m.Use[k])
		case c.Shewhart.Use[k] != m.Use[k]:
			return fail("shewhart.use[%d] is not pca.use[%d]", k, k)
		case !(m.Scale[k] > 0 && c.Shewhart.Scale[k] > 0):
			return fail("the scale of channel %q is not positive", m.Names[m.Use[k]])
		}
		if err := m.Without[k].check(p); err != nil {
			return fail("pca.without[%d].%v", k, err)
		}
	}
	if err := m.Whole.check(p); err != nil {
		return fail("pca.whole.%v", err)
	}
	if err := c.Spec.Options.defaults().check(); err != nil {
		return fail("spec.options.%v", err)
	}
	if err := m.Options.check(); err != nil {
		return fail("pca.options.%v", err)
	}
	return nil
}

// check a view at p channels; what it does not predict has no weights.
func (v *View) check(p int) error {
	if len(v.Weights) != p {
		return fmt.Errorf("weights has %d rows for %d channels", len(v.Weights), p)
	}
	for k, w := range v.Weights {
		if want := featureCount(p); len(w) != want && len(w) > 0 {
			return fmt.Errorf("weights[%d] has %d values for %d features", k, len(w), want)
		}
	}
	if n := len(v.Bound); n != 0 && n != p {
		return fmt.Errorf("bound has %d values for %d channels", n, p)
	}
	for s := range v.Scales {
		if n := len(v.Scales[s].Precision); n != p {
			return fmt.Errorf("scales[%d].precision has %d rows for %d channels", s, n, p)
		}
		for k, row := range v.Scales[s].Precision {
			if len(row) != p {
				return fmt.Errorf("scales[%d].precision[%d] has %d values for %d channels", s, k, len(row), p)
			}
		}
	}
	return nil
}

func (o Options) check() error {
	weight := func(w float64) bool { return w > 0 && w <= 1 }
	switch {
	case o.Window <= 0:
		return fmt.Errorf("window_ns is %d, not positive", o.Window)
	case o.Settle < 0 || o.HoldOff < 0:
		return fmt.Errorf("settle_ns or hold_off_ns is negative")
	case !weight(o.Lambda) || !weight(o.Slow):
		return fmt.Errorf("lambda or slow is not in (0, 1]")
	case o.Persist < 1 || o.Clear < 1:
		return fmt.Errorf("persist or clear is under 1")
	}
	return nil
}
