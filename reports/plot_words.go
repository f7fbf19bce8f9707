package reports

import (
	"fmt"
	"slices"

	"github.com/plantbed/plantbed/harness/score"
)

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
