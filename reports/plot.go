package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
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
//	score              ╿                 of the detector, at its alarms
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
	// maxSpots bounds the marks of one detector.
	maxSpots = 1000
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
	c.scores(s)
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

// marks puts a letter over everything that happened, and remembers its line.
func (c *canvas) marks(s score.Story) {
	// The beginnings and ends of faults are drawn as bars, a full buffer's drops
	// as loss.
	all := slices.DeleteFunc(slices.Concat(s.Events, s.Notes), func(m score.EventMark) bool {
		return m.Kind == "fault begins" || m.Kind == "fault ends" || m.Kind == "drop"
	})
	slices.SortStableFunc(all, func(a, b score.EventMark) int { return cmp.Compare(a.AtS, b.AtS) })
	if len(all) > maxMark {
		c.MarksMore = len(all) - maxMark
		all = all[:maxMark]
	}
	var taken [3]float64 // right edge of each row of letters
	rows := 0
	for i, m := range all {
		x := c.x(m.AtS)
		row := 0
		for row < len(taken)-1 && taken[row] > x-8 {
			row++
		}
		taken[row] = x + 8
		rows = max(rows, row+1)
		letter := string(rune('A' + i))
		c.spot(x, 13+float64(row)*15, "mark", "", letter, instant(m.AtS)+" "+m.What)
		c.lines = append(c.lines, x)
		c.Marks = append(c.Marks, fact{Name: letter, Value: instant(m.AtS), Doc: m.What})
	}
	c.y = float64(rows)*15 + 4
	c.top = c.y
	c.y -= laneGap / 2
}

// faults are bars, one row each, or one per kind where there are many.
func (c *canvas) faults(fs []score.FaultCount) {
	if len(fs) == 0 {
		return
	}
	c.y += laneGap - rowH
	type lane struct {
		kind string
		to   float64
		y    float64
	}
	var rows []lane
	for _, f := range fs {
		k := -1
		if len(fs) > maxRows {
			k = slices.IndexFunc(rows, func(r lane) bool { return r.kind == f.Kind && r.to <= f.FromS })
		}
		if k < 0 {
			k = len(rows)
			c.y += rowH
			rows = append(rows, lane{kind: f.Kind, y: c.y})
			c.text(plotX0-8, c.y+13, "name", f.Kind)
		}
		rows[k].to = f.ToS
		y := rows[k].y
		// Exact, so that it stays true when stretched; a stroke that does not
		// stretch keeps the shortest in sight.
		x0, x1 := c.x(f.FromS), c.x(f.ToS)
		c.zoom("fault "+className(f.Class), box(x0, y+5, x1, y+14),
			fmt.Sprintf("%s at %s, %s to %s", f.Kind, f.Target, instant(f.FromS), instant(f.ToS)))
		switch {
		case len(fs) > maxRows:
		case x1 < (plotX0+plotX1)/2:
			c.spot(x1, y+13, "start", "", f.Target, "")
		default:
			c.spot(x0, y+13, "end", "", f.Target, "")
		}
	}
	c.y += rowH
}

// className keeps what is not one of the four classes out of the markup.
func className(class string) string {
	switch class {
	case "process", "sensor", "communication", "gateway":
		return class
	}
	return "other"
}

// samples stacks what became of the samples of each bucket; the outline is
// everything that was owed or could not be had.
func (c *canvas) samples() {
	const height = 96
	most := 1
	for _, b := range c.buckets {
		most = max(most, b.Owed+b.Unobtainable)
	}
	bottom := c.lane("samples", height)
	c.text(plotX0-8, c.y+26, "axis", count(most)+" per")
	c.text(plotX0-8, c.y+38, "axis", span(c.width))
	under := make([]float64, len(c.buckets))
	for _, part := range []struct {
		class string
		of    func(score.Bucket) int
	}{
		{"live", func(b score.Bucket) int { return max(0, b.Delivered-b.Backfilled-b.Late) }},
		{"backfilled", func(b score.Bucket) int { return b.Backfilled }},
		{"late", func(b score.Bucket) int { return b.Late }},
		{"lost", func(b score.Bucket) int { return b.Lost }},
		{"unobtainable", func(b score.Bucket) int { return b.Unobtainable }},
	} {
		var d strings.Builder
		for i, b := range c.buckets {
			h := float64(part.of(b)) / float64(most) * height
			if h <= 0 {
				continue
			}
			if part.class != "live" {
				h = max(h, 1.5) // few among thousands are to be seen
			}
			d.WriteString(box(c.x(float64(i)*c.width), bottom-under[i], c.x(float64(i+1)*c.width), bottom-under[i]-h))
			under[i] += h
		}
		c.zoom(part.class, d.String(), "")
	}
	c.y = bottom
}

// trouble has a scale of its own: one lost or late sample among thousands is
// to be seen, and how many there are at a time.
func (c *canvas) trouble() {
	const height = 36
	most := 0
	for _, b := range c.buckets {
		most = max(most, b.Lost+b.Late)
	}
	if most == 0 {
		c.y = c.lane("lost or late", rowH)
		c.text((plotX0+plotX1)/2, c.y-5, "none", "none")
		return
	}
	bottom := c.lane("lost or late", height)
	c.text(plotX0-8, c.y+26, "axis", "at most "+count(most))
	c.y = bottom
	var lost, late strings.Builder
	for i, b := range c.buckets {
		x0 := c.x(float64(i) * c.width)
		x1 := c.x(float64(i+1) * c.width)
		y := bottom
		for _, part := range []struct {
			n  int
			to *strings.Builder
		}{{b.Lost, &lost}, {b.Late, &late}} {
			if part.n > 0 {
				h := max(4, float64(part.n)/float64(most)*height)
				part.to.WriteString(box(x0, y, x1, y-h))
				y -= h
			}
		}
	}
	c.zoom("trouble lost", lost.String(), "")
	c.zoom("trouble late", late.String(), "")
}

// latency is drawn on a logarithmic scale of whole decades.
func (c *canvas) latency() {
	const height = 96
	low, high := math.Inf(1), math.Inf(-1)
	for _, b := range c.buckets {
		for _, v := range []float64{b.P50MS, b.P99MS} {
			if v >= 0 {
				low, high = min(low, max(v, 0.01)), max(high, max(v, 0.01))
			}
		}
	}
	bottom := c.lane("", height)
	c.text(8, c.y+13, "start", "latency")
	c.y = bottom
	if high < low {
		c.text((plotX0+plotX1)/2, bottom-height/2+4, "none", "no live samples")
		return
	}
	from, to := math.Floor(math.Log10(low)), math.Ceil(math.Log10(high))
	if to == from {
		to++
	}
	y := func(ms float64) float64 {
		return bottom - height*min(1, max(0, (math.Log10(max(ms, 1e-9))-from)/(to-from)))
	}
	for e := from; e <= to; e++ {
		at := y(math.Pow(10, e))
		c.shape("grid", fmt.Sprintf("M%d %sH%d", plotX0, f1(at), plotX1), "")
		c.text(plotX0-8, at+4, "axis", decade(e))
	}
	c.zoom("p99", c.stair(y, func(b score.Bucket) float64 { return b.P99MS }), "")
	c.zoom("p50", c.stair(y, func(b score.Bucket) float64 { return b.P50MS }), "")
}

// decade is 10^e milliseconds in words.
func decade(e float64) string {
	if e >= 3 {
		return number(math.Pow(10, e-3)) + " s"
	}
	return number(math.Pow(10, e)) + " ms"
}

// stair is a line with a step at each bucket, broken where the value is
// negative, that is not known.
func (c *canvas) stair(y func(float64) float64, of func(score.Bucket) float64) string {
	var d strings.Builder
	open := false
	for i, b := range c.buckets {
		v := of(b)
		if v < 0 || math.IsNaN(v) {
			open = false
			continue
		}
		if open {
			fmt.Fprintf(&d, "V%s", f1(y(v)))
		} else {
			fmt.Fprintf(&d, "M%s %s", f1(c.x(float64(i)*c.width)), f1(y(v)))
		}
		fmt.Fprintf(&d, "H%s", f1(c.x(float64(i+1)*c.width)))
		open = true
	}
	return d.String()
}

func (c *canvas) buffer() {
	const height = 44
	most := -1.0
	for _, b := range c.buckets {
		most = max(most, b.Buffer)
	}
	bottom := c.lane("buffer", height)
	c.y = bottom
	if most < 0 {
		c.text((plotX0+plotX1)/2, bottom-height/2+4, "none", "its depth is not known")
		return
	}
	c.text(plotX0-8, bottom-height+26, "axis", "at most "+number(most))
	var d strings.Builder
	for i, b := range c.buckets {
		if b.Buffer > 0 {
			d.WriteString(box(c.x(float64(i)*c.width), bottom, c.x(float64(i+1)*c.width), bottom-max(1, b.Buffer/most*height)))
		}
	}
	c.zoom("buffer", d.String(), "")
}

// legs stacks the mean time that live samples took from stage to stage. The
// scale is made for the usual; the few columns that outgrow it are cut off.
func (c *canvas) legs() {
	const height = 72
	var sums []float64
	for _, b := range c.buckets {
		if v := total(b.StageMS); v > 0 && !math.IsInf(v, 0) {
			sums = append(sums, v)
		}
	}
	bottom := c.lane("by stage", height)
	c.y = bottom
	if len(sums) == 0 {
		c.text((plotX0+plotX1)/2, bottom-height/2+4, "none", "not known")
		return
	}
	slices.Sort(sums)
	most := sums[len(sums)-1]
	top := min(most, 1.5*sums[len(sums)*98/100])
	c.text(plotX0-8, bottom-height+26, "axis", "mean, up to")
	c.text(plotX0-8, bottom-height+38, "axis", quantity(math.Round(top), "ms"))
	if top < most {
		c.text(plotX0-8, bottom-height+52, "axis", "cut off; most is")
		c.text(plotX0-8, bottom-height+64, "axis", quantity(math.Round(most), "ms"))
	}
	under := make([]float64, len(c.buckets))
	for k, st := range stages {
		var d strings.Builder
		for i, b := range c.buckets {
			h := min(b.StageMS[k]/top*height, height-under[i])
			if h > 0 {
				d.WriteString(box(c.x(float64(i)*c.width), bottom-under[i], c.x(float64(i+1)*c.width), bottom-under[i]-h))
				under[i] += h
			}
		}
		c.zoom("leg-"+st.key, d.String(), "")
	}
}

func total(ms [4]float64) float64 {
	sum := 0.0
	for _, v := range ms {
		sum += max(0, v)
	}
	return sum
}

// twin is how far off it was on average, over a strip of the times in which
// it said that it could not know, or should have.
func (c *canvas) twin() {
	const height = 56
	most := 0.0
	for _, b := range c.buckets {
		most = max(most, b.Divergence)
	}
	bottom := c.lane("twin off by", height)
	c.y = bottom
	if most <= 0 {
		c.text((plotX0+plotX1)/2, bottom-height/2+4, "none", "nothing")
	} else {
		c.text(plotX0-8, bottom-height+26, "axis", "at most "+percent(most))
		c.zoom("apart", c.stair(func(v float64) float64 { return bottom - v/most*(height-8) }, func(b score.Bucket) float64 { return b.Divergence }), "")
	}
	var stale, false_ strings.Builder
	for i, b := range c.buckets {
		x0, x1 := c.x(float64(i)*c.width), c.x(float64(i+1)*c.width)
		if b.FalseFreshS > 0 {
			false_.WriteString(box(x0, bottom+1, x1, bottom+6))
		} else if b.StaleS > 0 {
			stale.WriteString(box(x0, bottom+1, x1, bottom+6))
		}
	}
	c.zoom("stale", stale.String(), "stale")
	c.zoom("false-fresh", false_.String(), "old values shown as fresh")
	if stale.Len()+false_.Len() > 0 {
		c.text(plotX0-8, bottom+7, "axis", "stale")
		c.y += 8
	}
}

// scores are what the shipped detector said at its alarms, in multiples of its
// limit; the record has no score at other times.
func (c *canvas) scores(s score.Story) {
	const height = 44
	most := 0.0
	var as []score.AlarmMark
	for _, a := range s.Alarms {
		if len(s.Detectors) > 0 && a.Detector == s.Detectors[0] && a.Limit > 0 && a.Score > 0 && !math.IsInf(a.Score/a.Limit, 0) {
			as = append(as, a)
			most = max(most, a.Score/a.Limit)
		}
	}
	if len(as) == 0 || len(as) > maxSpots {
		return
	}
	bottom := c.lane("score", height)
	c.y = bottom
	c.text(plotX0-8, bottom-height+26, "axis", "at most "+times(most)+" limit")
	top := max(1, math.Log(most))
	for _, a := range as {
		h := max(3, max(0, math.Log(a.Score/a.Limit))/top*(height-6))
		class := "stem false"
		if a.True {
			class = "stem"
		}
		c.spot(c.x(a.AtS), bottom, class, fmt.Sprintf("M0 0V%s", f1(-h)), "", alarmTitle(a))
	}
}

// alarms has a row per detector, in the order of their first alarms' names: a
// filled diamond for a true one, a cross for a false one. Of several marks on
// one spot one is drawn.
func (c *canvas) alarms(as []score.AlarmMark) {
	byDetector := map[string][]score.AlarmMark{}
	var names []string
	for _, a := range as {
		if byDetector[a.Detector] == nil {
			names = append(names, a.Detector)
		}
		byDetector[a.Detector] = append(byDetector[a.Detector], a)
	}
	slices.Sort(names)
	if len(names) == 0 {
		bottom := c.lane("alarms", rowH)
		c.text((plotX0+plotX1)/2, bottom-4, "none", "none")
		c.y = bottom
	}
	for i, name := range names {
		if i > 0 {
			c.y -= laneGap - 4
		}
		bottom := c.lane(cmp.Or(name, "alarms"), rowH)
		last := map[bool]float64{true: -9, false: -9}
		for _, a := range byDetector[name] {
			x := math.Round(c.x(a.AtS))
			if x-last[a.True] < 2 {
				continue
			}
			last[a.True] = x
			c.alarm(x, bottom-rowH/2, a)
		}
		c.y = bottom
	}
}

func (c *canvas) alarm(x, y float64, a score.AlarmMark) {
	class, d := "false-alarm", "M-4 -4l8 8m0 -8l-8 8"
	if a.True {
		class, d = "true-alarm", "M0 -6l5 6l-5 6l-5 -6Z"
	}
	c.spot(x, y, class, d, "", alarmTitle(a))
}

func alarmTitle(a score.AlarmMark) string {
	word := "false alarm"
	if a.True {
		word = "true alarm"
	}
	return strings.TrimSpace(fmt.Sprintf("%s, %s on %s: %s %s, %s over %s", instant(a.AtS), word, a.Machine, a.Class, a.Tag, number(a.Score), number(a.Limit)))
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

// pointers lays an invisible column over each bucket, or a few of them, that
// tells its figures.
func (c *canvas) pointers(r score.Result) {
	buckets, width := thin(c.buckets, c.width, maxPointers)
	for i, b := range buckets {
		from := float64(i) * width
		c.Pointers = append(c.Pointers, shape{"pointer", box(c.x(from), c.top, c.x(from+width), c.bottom), tell(r, b, from, width)})
	}
}

func tell(r score.Result, b score.Bucket, from, width float64) string {
	t := fmt.Sprintf("%s to %s: %s owed", instant(from), instant(from+width), count(b.Owed))
	for _, p := range []struct {
		n    int
		what stage
	}{{b.Lost, fates.lost}, {b.Unobtainable, fates.unobtainable}, {b.Late, fates.late}, {b.Backfilled, fates.backfilled}} {
		if p.n > 0 {
			t += fmt.Sprintf(", %s %s", count(p.n), p.what.title)
		}
	}
	if b.P50MS >= 0 {
		t += fmt.Sprintf(", latency p50 %s ms, p99 %s ms", number(b.P50MS), number(b.P99MS))
	}
	if total(b.StageMS) > 0 {
		for k, st := range stages {
			t += fmt.Sprintf("%s %s %s ms", []string{" (mean by stage:", ",", ",", ","}[k], st.title, number(max(0, b.StageMS[k])))
		}
		t += ")"
	}
	if b.Buffer >= 0 {
		t += ", buffer " + number(b.Buffer)
	}
	if b.Divergence >= 0 {
		t += ", twin off by " + percent(b.Divergence)
	}
	if b.ApartBy > 0 && b.Apart >= 0 && b.Apart < len(r.Card.ByTag) {
		t += fmt.Sprintf(", most of all %s by %s", r.Card.ByTag[b.Apart].Tag, percent(b.ApartBy))
	}
	return t
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

// thin joins neighbouring buckets until there are few enough to draw. Counts
// add up; of latencies, depths and distances the worst stays, of means the mean.
func thin(in []score.Bucket, width float64, most int) ([]score.Bucket, float64) {
	k := (len(in) + most - 1) / most
	if k <= 1 {
		return in, width
	}
	var out []score.Bucket
	for part := range slices.Chunk(in, k) {
		sum := score.Bucket{P50MS: -1, P99MS: -1, Buffer: -1, Divergence: -1, ApartBy: -1, Apart: -1}
		n := 0.0
		for _, b := range part {
			sum.Owed += b.Owed
			sum.Delivered += b.Delivered
			sum.Lost += b.Lost
			sum.Unobtainable += b.Unobtainable
			sum.Late += b.Late
			sum.Backfilled += b.Backfilled
			sum.StaleS += b.StaleS
			sum.FalseFreshS += b.FalseFreshS
			sum.P50MS, sum.P99MS, sum.Buffer = max(sum.P50MS, b.P50MS), max(sum.P99MS, b.P99MS), max(sum.Buffer, b.Buffer)
			sum.Divergence = max(sum.Divergence, b.Divergence)
			if b.ApartBy > sum.ApartBy {
				sum.ApartBy, sum.Apart = b.ApartBy, b.Apart
			}
			if b.StageMS[0] >= 0 {
				n++
			}
			for j := range sum.StageMS {
				sum.StageMS[j] += max(0, b.StageMS[j])
				sum.LostAt[j] += b.LostAt[j]
			}
		}
		for j := range sum.StageMS {
			sum.StageMS[j] = max(0, sum.StageMS[j]/max(1, n))
			if n == 0 {
				sum.StageMS[j] = -1
			}
		}
		out = append(out, sum)
	}
	return out, width * float64(k)
}

// describe is the plot for those who cannot see it.
func describe(r score.Result, bs []score.Bucket, width float64) string {
	d := fmt.Sprintf("%s in %s of %s.", span(r.Card.DurationS), plural(len(bs), "step"), span(width))
	worst := func(what string, of func(score.Bucket) float64, say func(float64) string) {
		i := 0
		for k := range bs {
			if of(bs[k]) > of(bs[i]) {
				i = k
			}
		}
		if v := of(bs[i]); v > 0 {
			d += fmt.Sprintf(" %s %s from %s.", what, say(v), instant(float64(i)*width))
		} else {
			d += fmt.Sprintf(" %s none.", what)
		}
	}
	n := func(v float64) string { return count(int(v)) }
	worst("Most lost in a step:", func(b score.Bucket) float64 { return float64(b.Lost) }, n)
	worst("Most unobtainable:", func(b score.Bucket) float64 { return float64(b.Unobtainable) }, n)
	worst("Highest p99 latency:", func(b score.Bucket) float64 { return b.P99MS }, func(v float64) string { return number(v) + " ms" })
	worst("Deepest buffer:", func(b score.Bucket) float64 { return b.Buffer }, number)
	worst("Twin furthest off:", func(b score.Bucket) float64 { return b.Divergence }, percent)
	return d + fmt.Sprintf(" %s and %s are drawn; both are listed below.", plural(len(r.Card.ByFault), "fault"), plural(len(r.Story.Alarms), "alarm"))
}
