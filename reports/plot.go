package reports

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/plantbed/plantbed/harness/score"
)

// plot is the run over time as shapes and labels in user units of an SVG: a
// stack of lanes over one time axis.
//
//	marks      A   B            C        onset, failure, kill, restart
//	faults   ▬▬  ▬▬▬▬                    one row each
//	samples  ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇           what became of them
//	trouble     ▂                        lost and late, on a scale of their own
//	latency  ─────╱╲────────────
//	stages   ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇           the mean latency, leg by leg
//	buffer         ╱╲
//	twin     ──╱╲─╱╲                     how far off it was; stale, false-fresh
//	score    ▁▁▂▁▁▃▇▇▁▁                  of the detector, machine by machine, and its limit
//	alarms             ◆     ×           one row per detector
//
// What stands on the time axis is either stretched with it (Zoom) or moved
// along it (Spots); the script that zooms needs to know no more than that.
type plot struct {
	W, H                int
	Under               []shape // behind everything
	Shapes              []shape // fixed: rules and grids
	Zoom                []shape // stretched with the time axis
	Spots               []spot
	Ticks               []shape
	TickLabels          []label
	Labels              []label
	Pointers            []shape
	Top, Bottom         string // of the lanes
	X0, X1, LaneW, EndS string // of the time axis
	Title, Desc         string
	Marks               []fact // the letters on top, with instant and text
	MarksMore           int
}

// shape is one path; Title shows when it is pointed at.
type shape struct{ Class, D, Title string }

// spot is a mark or a text at one instant; D is drawn around (X, Y).
type spot struct {
	X, Y                  string
	Class, D, Text, Title string
}

type label struct {
	X, Y        string
	Class, Text string
}

// Geometry in user units, 1 unit = 1 CSS pixel at full width.
const (
	plotW   = 1000
	plotX0  = 128 // left of it: what each lane is
	plotX1  = 976
	rowH    = 18 // of a fault or a detector
	laneGap = 20
	maxMark = 26 // letters from A to Z
	maxStep = 1000
	// maxPointers bounds the columns that tell their figures when pointed at.
	maxPointers = 240
	// maxRows bounds the rows of faults; more than that share rows by kind.
	maxRows = 16
)

// draw makes the plot of a story, nil where there is nothing to draw.
func draw(r score.Result) *plot {
	s := r.Story
	if len(s.Buckets) == 0 || !(s.BucketS > 0) {
		return nil
	}
	buckets, width := thin(s.Buckets, s.BucketS, maxStep)
	c := &canvas{buckets: buckets, width: width, end: max(r.Card.DurationS, float64(len(buckets))*width)}
	c.marks(s)
	c.faults(r.Card.ByFault)
	c.samples()
	c.trouble()
	c.latency()
	c.legs()
	c.buffer()
	c.twin()
	c.scores(r)
	c.alarms(s.Alarms)
	c.axis()
	c.pointers(r)
	c.behind(r.Card.ByFault)
	c.W, c.H = plotW, int(c.y)+8
	c.Title = "The run over time"
	c.Desc = describe(r, buckets, width)
	return &c.plot
}

// canvas is a plot in the making; y is where the next lane begins.
type canvas struct {
	plot
	buckets []score.Bucket
	width   float64 // of a bucket, seconds
	end     float64 // of the time axis, seconds
	y       float64
	top     float64 // where the lanes begin, under the letters
	bottom  float64 // where they end
	lines   []float64
}

// x is where an instant stands.
func (c *canvas) x(seconds float64) float64 {
	return plotX0 + (plotX1-plotX0)*min(1, max(0, seconds/c.end))
}

func (c *canvas) shape(class, d, title string) {
	if d == "" {
		return
	}
	c.Shapes = append(c.Shapes, shape{class, d, title})
}

// zoom is a shape that is stretched with the time axis.
func (c *canvas) zoom(class, d, title string) {
	if d != "" {
		c.Zoom = append(c.Zoom, shape{class, d, title})
	}
}

// spot is a mark or a text that moves along the time axis.
func (c *canvas) spot(x, y float64, class, d, text, title string) {
	c.Spots = append(c.Spots, spot{f1(x), f1(y), class, d, text, title})
}

func (c *canvas) text(x, y float64, class, text string) {
	c.Labels = append(c.Labels, label{f1(x), f1(y), class, text})
}

// f1 is a coordinate: a tenth of a pixel is enough. What is no number, or far
// off the paper, stands at 0.
func f1(v float64) string {
	if math.IsNaN(v) || math.Abs(v) > 1e9 {
		return "0"
	}
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

func box(x0, y0, x1, y1 float64) string {
	return fmt.Sprintf("M%s %sH%sV%sH%sZ", f1(x0), f1(y0), f1(x1), f1(y1), f1(x0))
}

// lane opens a lane of a height, with its title on the left, and returns its
// lower edge.
func (c *canvas) lane(title string, height float64) (bottom float64) {
	c.y += laneGap
	c.text(plotX0-8, c.y+4+min(height, rowH)/2, "name", title)
	bottom = c.y + height
	c.shape("rule", fmt.Sprintf("M%d %sH%d", plotX0, f1(bottom), plotX1), "")
	return bottom
}

// axis ends the lanes and writes the times under them.
func (c *canvas) axis() {
	c.bottom = c.y
	c.y = c.times(c.bottom)
	c.Top, c.Bottom = f1(c.top), f1(c.bottom)
}

// times writes the time axis and returns where it ends. The script that zooms
// writes its own, in the same way.
func (c *canvas) times(y float64) float64 {
	step := 86400.0
	for _, s := range []float64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200} {
		if c.end/s <= 10 {
			step = s
			break
		}
	}
	if c.end/step > 20 {
		step = math.Ceil(c.end/10/86400) * 86400
	}
	for t := 0.0; t <= c.end; t += step {
		c.Ticks = append(c.Ticks, shape{"tick", fmt.Sprintf("M%s %sv5", f1(c.x(t)), f1(y)), ""})
		text := instant(t)
		if step >= 60 {
			text = strings.TrimSuffix(text, ":00")
		}
		c.TickLabels = append(c.TickLabels, label{f1(c.x(t)), f1(y + 18), "time", text})
	}
	unit := "h:mm:ss"
	if step >= 60 {
		unit = "h:mm"
	}
	c.text(plotX0-28, y+18, "axis unit", unit)
	c.X0, c.X1, c.LaneW, c.EndS = strconv.Itoa(plotX0), strconv.Itoa(plotX1), strconv.Itoa(plotX1-plotX0), strconv.FormatFloat(c.end, 'g', 9, 64)
	return y + 22
}

// behind puts what lies under the lanes first: the windows of outages and the
// lines of the marks.
func (c *canvas) behind(fs []score.FaultCount) {
	for _, f := range fs {
		if f.Class == "communication" || f.Class == "gateway" {
			c.Under = append(c.Under, shape{"window", box(c.x(f.FromS), c.top, c.x(f.ToS), c.bottom), ""})
		}
	}
	for _, x := range c.lines {
		c.Under = append(c.Under, shape{"moment", fmt.Sprintf("M%s %sV%s", f1(x), f1(c.top), f1(c.bottom)), ""})
	}
}
