package plant

import (
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// A few common causes move many signals: half of the principal components
// carry nearly all of the variance, and not half of it, as they would if the
// signals were independent.
func TestSignalsHaveCommonCauses(t *testing.T) {
	k, p := build(t, 13, bottling())
	p.Start()
	for _, name := range []string{"pump", "filler"} {
		m := p.Machine(name)
		var rows []float64
		columns := 0
		for range 7200 {
			at := k.Now() + time.Second
			k.Run(at)
			columns = 0
			for _, g := range m.Signals()[flowSignals:] {
				v := g.Read(at)
				if g.Type != "bool" {
					rows = append(rows, v)
					columns++
				}
			}
		}
		x := mat.NewDense(len(rows)/columns, columns, rows)
		var corr mat.SymDense
		stat.CorrelationMatrix(&corr, x, nil)
		var eig mat.EigenSym
		if !eig.Factorize(&corr, false) {
			t.Fatal("no eigenvalues")
		}
		values := eig.Values(nil) // ascending
		top := 0.0
		for _, v := range values[len(values)-len(values)/2:] {
			top += v
		}
		share := top / float64(columns)
		t.Logf("%s: the first half of %d components carries %.3f of the variance", name, columns, share)
		if share < 0.8 || share > 0.999 {
			t.Errorf("%s: %.3f is too little or too much", name, share)
		}
	}
}
