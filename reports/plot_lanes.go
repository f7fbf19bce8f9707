package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/plantbed/plantbed/harness/score"
)

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
