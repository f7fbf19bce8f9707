package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plantbed/plantbed/harness/score"
)

// The material's way is drawn to the left of the machines: an arrow from each
// station to the next, with the room of the buffer between them.
//
//	 ┌── filler
//	24
//	 └─▶ capper
const (
	railX  = 14 // of the first arrow, left of the machines
	railW  = 18 // from there to the paper's edge, half a figure
	passW  = 26 // to an arrow that passes others
	flowMT = 6  // between an arrow's end and the middle of its machine
)

// flowRoom is the figure on an arrow.
type flowRoom struct {
	X, Y        int
	Text, Title string
}

// margin is how much room the arrows need.
func (p *painter) margin(flows []score.Flow) int {
	if len(flows) == 0 {
		return 0
	}
	for i, f := range flows[1:] {
		if f.From != flows[i].To {
			return railX + passW + railW
		}
	}
	return railX + railW
}

// material draws the flows between machines that are drawn; left is where the
// machines begin. Arrows that pass each other stand side by side as far as there
// is room for two.
func (p *painter) material(flows []score.Flow, left int) {
	if p.margin(flows) == 0 {
		return
	}
	var d strings.Builder
	var taken [][2]int // of the inner rail
	for _, f := range flows {
		from, ok := p.at[f.From]
		to, ok2 := p.at[f.To]
		if !ok || !ok2 || from == to {
			continue
		}
		y0, y1 := from+flowMT, to-flowMT
		if to < from {
			y0, y1 = from-flowMT, to+flowMT
		}
		span := [2]int{min(y0, y1), max(y0, y1)}
		x := left - railX
		if slices.ContainsFunc(taken, func(t [2]int) bool { return span[0] < t[1] && t[0] < span[1] }) {
			x = max(railW, x-passW)
		} else {
			taken = append(taken, span)
		}
		fmt.Fprintf(&d, "M%d %dH%dV%dH%dm-5 -3l5 3l-5 3", left, y0, x, y1, left)
		if f.Buffer > 0 {
			p.Rooms = append(p.Rooms, flowRoom{x, (y0+y1)/2 + 4, count(f.Buffer),
				fmt.Sprintf("%s: from %s to %s, a buffer of %s", f.Line, f.From, f.To, plural(f.Buffer, "unit"))})
		}
	}
	p.Flow = d.String()
}
