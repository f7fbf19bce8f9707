package pipeline

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

var t0 = time.Date(2009, 11, 10, 23, 0, 0, 0, time.UTC)

func s(id signal.ID, seq uint64, v float64, q signal.Quality) signal.Sample {
	return signal.Sample{ID: id, Seq: seq, Value: v, Quality: q, SourceTime: t0.Add(time.Duration(seq) * time.Second)}
}

// check sends in through a stage, in pieces of every size, and wants the same out.
func check(t *testing.T, stage func() Stage, in, want []signal.Sample) {
	t.Helper()
	for size := 1; size <= len(in); size++ {
		st, got := stage(), []signal.Sample(nil)
		for piece := range slices.Chunk(slices.Clone(in), size) {
			got = append(got, Through([]Stage{st}, piece)...)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%s in pieces of %d:\n got %v\nwant %v", st.Name(), size, got, want)
		}
	}
}

func TestThroughKeepsOrder(t *testing.T) {
	in := []signal.Sample{s("b", 1, 2, 0), s("a", 1, 3, 0), s("", 1, 1, 0), s("b", 1, 2, 0), s("a", 2, 4, 0)}
	stages := []Stage{NewRepeat(), NewValidate(), NewScale(map[signal.ID]Linear{"a": {10, 1}}), NewDeadband(0, map[signal.ID]float64{"b": 9})}
	got := Through(stages, in)
	want := []signal.Sample{s("b", 1, 2, 0), s("a", 1, 31, 0), s("a", 2, 41, 0)}
	if !slices.Equal(got, want) {
		t.Fatalf("%v", got)
	}
}

// random samples of three tags with repeats, small and large steps, all qualities.
func random(r *rand.Rand, n int) (out []signal.Sample) {
	seq := map[signal.ID]uint64{}
	for range n {
		id := signal.ID("abc"[r.IntN(3):][:1])
		seq[id] += uint64(r.IntN(2))
		q := []signal.Quality{signal.Good, signal.Uncertain, signal.Bad, signal.Good.WithOverflow()}[r.IntN(4)]
		out = append(out, s(id, seq[id], float64(r.IntN(6)), q))
	}
	return out
}
