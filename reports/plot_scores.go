package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/plantbed/plantbed/harness/score"
)

const (
	// maxScores is how many machines have a row of their own; the others share one.
	maxScores = 6
	scoreH    = 30
	// leastScore is the bottom of the scale, in units of the limit.
	leastScore = 0.1
)

// scores are what the shipped detector makes of each machine: a row for those
// that a fault was aimed at or that came over their limit, on one logarithmic
// scale, with the limit as a line across.
func (c *canvas) scores(r score.Result) {
	rows, others := scoreRows(r)
	if len(rows)+others.n == 0 {
		return
	}
	most := 1.0
	for _, row := range append(slices.Clone(rows), others) {
		most = max(most, row.most)
	}
	top := math.Log(math.Max(2, most) / leastScore)
	c.y += laneGap
	c.text(plotX0-8, c.y+4, "name", "detector score")
	c.y += 10 - laneGap
	if others.n > 0 {
		others.name = plural(others.n, "machine") + " more"
		rows = append(rows, others)
	}
	for i, row := range rows {
		if i > 0 {
			c.y -= laneGap - 4
		}
		bottom := c.lane("", scoreH)
		h := func(v float64) float64 {
			return math.Max(0, math.Log(math.Min(math.Max(v, leastScore), 1e12)/leastScore)) / top * (scoreH - 2)
		}
		c.text(plotX0-8, bottom-scoreH+14, "axis", cut(row.name, 18))
		c.text(plotX0-8, bottom-3, "axis", "most "+times(row.most)+" limit")
		limit := h(1)
		c.zoom("calm-score", area(c, row, bottom, func(v float64) (lo, hi float64) { return 0, math.Min(h(v), limit) }), "")
		c.zoom("high-score", area(c, row, bottom, func(v float64) (lo, hi float64) { return limit, h(v) }),
			fmt.Sprintf("%s: over the limit, %s at most", row.name, times(row.most)))
		c.shape("limit", fmt.Sprintf("M%d %sH%d", plotX0, f1(bottom-limit), plotX1), "the limit over which the detector speaks up")
		c.y = bottom
	}
}

// scoreRow is one machine's, or the greatest of several.
type scoreRow struct {
	name string
	of   []float64
	step float64 // seconds
	most float64
	n    int // machines
}

func (r *scoreRow) join(v []float64) {
	if r.of == nil {
		r.of = make([]float64, len(v))
		for i := range r.of {
			r.of[i] = -1
		}
	}
	r.n++
	for i, x := range v[:min(len(v), len(r.of))] {
		r.of[i] = max(r.of[i], x)
		if !math.IsInf(x, 0) {
			r.most = max(r.most, x)
		}
	}
}

// scoreRows are those with something to tell, in the order of the record, and
// the rest as one.
func scoreRows(r score.Result) (rows []scoreRow, others scoreRow) {
	s := r.Story
	struck := func(machine string) bool {
		return slices.ContainsFunc(r.Card.ByFault, func(f score.FaultCount) bool {
			m, _, _ := strings.Cut(f.Target, "/")
			return m == machine && (f.Class == "process" || f.Class == "sensor")
		})
	}
	others.step = s.BucketS
	var own []scoreRow
	for _, t := range s.Scores {
		if len(s.Detectors) == 0 || t.Detector != s.Detectors[0] {
			continue
		}
		row := scoreRow{name: t.Machine, step: s.BucketS}
		row.join(t.Max)
		own = append(own, row)
	}
	ranked := slices.Clone(own)
	slices.SortStableFunc(ranked, func(a, b scoreRow) int { return cmp.Compare(b.most, a.most) })
	for _, row := range own {
		rank := slices.IndexFunc(ranked, func(x scoreRow) bool { return x.name == row.name })
		if rank < maxScores && (struck(row.name) || row.most > 1) {
			rows = append(rows, row)
		} else {
			others.join(row.of)
		}
	}
	return rows, others
}

// area is what lies between two heights over the lane's lower edge, in steps.
func area(c *canvas, row scoreRow, bottom float64, of func(float64) (lo, hi float64)) string {
	var d strings.Builder
	for i := 0; i < len(row.of); i++ {
		if row.of[i] < 0 || math.IsNaN(row.of[i]) {
			continue
		}
		lo, hi := of(row.of[i])
		j := i + 1
		for j < len(row.of) && row.of[j] >= 0 {
			if _, next := of(row.of[j]); f1(next) != f1(hi) {
				break
			}
			j++
		}
		if hi > lo {
			d.WriteString(box(c.x(float64(i)*row.step), bottom-lo, c.x(float64(j)*row.step), bottom-hi))
		}
		i = j - 1
	}
	return d.String()
}
