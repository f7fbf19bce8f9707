package predict

import (
	"fmt"

	"gonum.org/v1/gonum/mat"
)

// gram is the sum of products of feature vectors, all a least-squares fit needs.
type gram struct {
	n   float64
	sum *mat.SymDense
}

func newGram(features int) *gram { return &gram{sum: mat.NewSymDense(features, nil)} }

func (g *gram) add(x []float64) {
	g.n++
	g.sum.SymRankOne(g.sum, 1, mat.NewVecDense(len(x), x))
}

// less is g without what is in other.
func (g *gram) less(other *gram) *gram {
	d := newGram(g.sum.SymmetricDim())
	d.n = g.n - other.n
	for i := range d.sum.SymmetricDim() {
		for j := i; j < d.sum.SymmetricDim(); j++ {
			d.sum.SetSym(i, j, g.sum.At(i, j)-other.sum.At(i, j))
		}
	}
	return d
}

// shrink is the ridge of the fits, as a share of the rows: many features are
// nearly the same as others.
const shrink = 1e-5

// regress predicts a channel from features that are made neither of it nor of
// the channel left out (-1 for none). The weights are for all features, 0 where
// one was not used.
func (g *gram) regress(channel, without, channels int) ([]float64, error) {
	var use []int
	n := g.sum.SymmetricDim()
	for f := range n {
		if of := madeOf(f, channels); of < 0 || of != channel && of != without {
			use = append(use, f)
		}
	}
	a, b := mat.NewSymDense(len(use), nil), mat.NewVecDense(len(use), nil)
	for i, f := range use {
		for j := i; j < len(use); j++ {
			a.SetSym(i, j, g.sum.At(f, use[j]))
		}
		a.SetSym(i, i, a.At(i, i)+shrink*g.n)
		b.SetVec(i, g.sum.At(f, channel*perChannel))
	}
	var chol mat.Cholesky
	if !chol.Factorize(a) {
		return nil, fmt.Errorf("%d features of %.0f rows cannot be told apart", len(use), g.n)
	}
	var w mat.VecDense
	if err := chol.SolveVecTo(&w, b); err != nil {
		return nil, fmt.Errorf("%d features of %.0f rows cannot be told apart: %w", len(use), g.n, err)
	}
	out := make([]float64, n)
	for i, f := range use {
		out[f] = w.AtVec(i)
	}
	return out, nil
}
