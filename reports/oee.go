package reports

import (
	"fmt"
	"strconv"

	"github.com/plantbed/plantbed/harness/score"
)

// waterfall shows how the planned time melts down to the overall equipment
// effectiveness: what was lost because the machine stood, ran slower than it
// could, or made scrap; in truth and as the twin shows it.
type waterfall struct {
	Machine     string
	W, H        int
	Shapes      []shape
	Labels      []label
	Title, Desc string
	Rows        []oeeRow
	Note        string
}

type oeeRow struct {
	Name, Doc   string
	Truth, Twin string
}

func oeeFall(r score.Result) *waterfall {
	if len(r.Story.OEE) == 0 {
		return nil
	}
	w := &waterfall{Machine: r.Story.OEE[0].Machine, W: 570, H: 236, Title: "OEE, step by step"}
	var by [2]*score.OEE // truth, twin
	for i, o := range r.Story.OEE {
		k := 0
		if o.Of == "twin" {
			k = 1
		}
		by[k] = &r.Story.OEE[i]
		w.Desc += fmt.Sprintf("%s: availability %s, performance %s, quality %s, OEE %s. ", o.Of, percent(o.Availability), percent(o.Performance), percent(o.Quality), percent(o.Value))
	}
	w.draw(by)
	cell := func(k int, of func(*score.OEE) string) string {
		if by[k] == nil {
			return "unknown"
		}
		return of(by[k])
	}
	row := func(name, doc string, of func(*score.OEE) string) {
		w.Rows = append(w.Rows, oeeRow{name, doc, cell(0, of), cell(1, of)})
	}
	row("planned time", "in which the line was to run", func(o *score.OEE) string { return span(o.PlannedS) })
	row("availability", "time in production / planned time", func(o *score.OEE) string { return percent(o.Availability) + " (" + span(o.RanS) + ")" })
	row("performance", "units × ideal cycle / time in production", func(o *score.OEE) string {
		return percent(o.Performance) + " (" + number(o.Units) + " × " + quantity(o.IdealCycleS, "s") + ")"
	})
	row("quality", "good units / units", func(o *score.OEE) string { return percent(o.Quality) + " (" + number(o.Good) + " good)" })
	row("OEE", "availability × performance × quality", func(o *score.OEE) string { return percent(o.Value) })
	if by[0] != nil && by[1] != nil {
		w.Note = fmt.Sprintf("The twin is off by %s percentage points.", strconv.FormatFloat(abs(by[0].Value-by[1].Value)*100, 'g', 2, 64))
	}
	return w
}

func abs(v float64) float64 {
	if v < 0 {
		return -v
	}
	return v
}

// short is a share in percent that fits over a bar; the table has it in full.
func short(v float64) string {
	if v >= 0.1 {
		return strconv.FormatFloat(v*100, 'f', 1, 64) + " %"
	}
	return strconv.FormatFloat(v*100, 'g', 2, 64) + " %"
}

// draw puts two bars, truth and twin, into each of five columns.
func (w *waterfall) draw(by [2]*score.OEE) {
	const (
		left, top, height = 10.0, 24.0, 160.0
		column, bar       = 112.0, 48.0
	)
	text := func(x, y float64, class, s string) {
		w.Labels = append(w.Labels, label{f1(x), f1(y), class, s})
	}
	y := func(share float64) float64 { return top + height*(1-min(1, max(0, share))) }
	w.Shapes = append(w.Shapes, shape{"rule", fmt.Sprintf("M%s %sH%d", f1(left), f1(y(0)), w.W-10), ""})
	for i, name := range []string{"planned", "availability", "performance", "quality", "OEE"} {
		x := left + float64(i)*column
		text(x+bar+2, y(0)+18, "time", name)
		if i > 0 && i < 4 {
			text(x+bar+2, y(0)+32, "time", "loss")
		}
		for k, o := range by {
			if o == nil {
				continue
			}
			a, b, c := o.Availability, o.Availability*o.Performance, o.Value
			span := [5][2]float64{{0, 1}, {a, 1}, {b, a}, {c, b}, {0, c}}[i]
			class, who := [2]string{"oee-truth", "oee-twin"}[k], [2]string{"truth", "twin"}[k]
			x0 := x + float64(k)*(bar+4)
			if i > 0 && i < 4 {
				class += " loss"
			}
			low, high := min(span[0], span[1]), max(span[0], span[1])
			w.Shapes = append(w.Shapes, shape{class, box(x0, y(high), x0+bar, max(y(low), y(high)+1)), who + ", " + name + " " + percent(span[1]-span[0])})
			sign := ""
			if i > 0 && i < 4 {
				sign = "−"
				if span[1] < span[0] {
					sign = "+"
				}
			}
			text(x0+bar/2, y(high)-5, "value", sign+short(abs(span[1]-span[0])))
		}
	}
}
