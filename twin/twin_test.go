package twin

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/signal"
)

var t0 = time.Date(2009, 11, 10, 23, 0, 0, 0, time.UTC)

func sec(s float64) time.Time { return t0.Add(time.Duration(s * float64(time.Second))) }

// plant has two polled tags of source "plc" (1 s), one of "other", and one of
// "plc" that only reports changes.
func plant() Config {
	s := strict.Duration(time.Second)
	return Config{Assets: []Asset{
		{Name: "m", Tags: []Tag{{ID: "m/a", Source: "plc", Period: s}, {ID: "m/b", Source: "plc", Period: s}, {ID: "m/set", Source: "plc"}}},
		{Name: "n", Tags: []Tag{{ID: "n/a", Source: "other", Period: s}}},
	}}
}

func sample(id string, at, value float64) signal.Sample {
	return signal.Sample{ID: signal.ID(id), Value: value, SourceTime: sec(at)}
}

func live(ss ...signal.Sample) payload.Batch { return payload.Batch{Gateway: "gw", Samples: ss} }

func late(ss ...signal.Sample) payload.Batch {
	return payload.Batch{Gateway: "gw", Backfill: true, Samples: ss}
}

func status(source string, up bool) payload.Status {
	return payload.Status{Gateway: "gw", Source: source, Up: up}
}

// shows checks value and quality of a tag.
func shows(t *testing.T, tw *Twin, id string, value float64, q signal.Quality) {
	t.Helper()
	s, ok := tw.Get(signal.ID(id))
	if !ok {
		t.Fatalf("%s is unknown", id)
	}
	if s.Value != value || s.Quality != q {
		t.Errorf("%s shows %g %v, want %g %v", id, s.Value, s.Quality, value, q)
	}
}

func kinds(cs []Change) string {
	out := ""
	for _, c := range cs {
		out += c.Kind.String()[:1]
	}
	return out
}

func TestApplyInOrder(t *testing.T) {
	tw := New(plant())
	shows(t, tw, "m/a", 0, signal.BadWaitingForInitialData)
	cs := tw.Apply(live(sample("m/a", 1, 10), sample("x/y", 1, 1), sample("n/a", 1, 5)), sec(1.1))
	if kinds(cs) != "lul" || cs[0].Index != 0 || cs[1].Index != -1 || cs[2].Index != 3 {
		t.Errorf("changes %+v", cs)
	}
	shows(t, tw, "m/a", 10, signal.Good)
	// An older one is history and changes nothing.
	tw.Apply(live(sample("m/a", 3, 30)), sec(3.1))
	if cs = tw.Apply(live(sample("m/a", 2, 20)), sec(3.2)); kinds(cs) != "b" || cs[0].Current {
		t.Errorf("older sample: %+v", cs)
	}
	shows(t, tw, "m/a", 30, signal.Good)
	if s, _ := tw.Get("m/a"); !s.Applied.Equal(sec(3.1)) || !s.SourceTime.Equal(sec(3)) {
		t.Errorf("applied %v source %v", s.Applied, s.SourceTime)
	}
	if c := tw.Counts(); c != (Counts{Live: 3, Backfill: 1, Unknown: 1, Missed: 1}) {
		t.Errorf("counts %+v", c)
	}
	if _, ok := tw.Get("x/y"); ok {
		t.Error("an unknown tag has a state")
	}
}

func TestGapIsCounted(t *testing.T) {
	tw := New(plant())
	tw.Apply(live(sample("m/a", 1, 0), sample("m/set", 1, 0)), sec(1))
	for _, c := range []struct {
		at     float64
		missed int
	}{{2, 0}, {3.4, 0}, {4.4, 0}, {8.4, 3}} {
		if got := tw.Apply(live(sample("m/a", c.at, 0)), sec(c.at))[0].Missed; got != c.missed {
			t.Errorf("at %g: missed %d, want %d", c.at, got, c.missed)
		}
	}
	if got := tw.Apply(live(sample("m/set", 500, 0)), sec(500))[0].Missed; got != 0 {
		t.Errorf("a tag without a period missed %d", got)
	}
	if s, _ := tw.Get("m/a"); s.Gaps != 3 {
		t.Errorf("gaps %d", s.Gaps)
	}
}

func TestDuplicatesWithoutKeys(t *testing.T) {
	s := func(seq uint64, at float64) signal.Sample {
		return signal.Sample{ID: "m/a", Seq: seq, SourceTime: sec(at)}
	}
	for _, c := range []struct {
		name    string
		samples []signal.Sample
		want    string
	}{
		{"same time", []signal.Sample{s(0, 1), s(0, 1), s(0, 2), s(0, 1)}, "ldld"},
		{"same scan read twice", []signal.Sample{s(7, 1), s(7, 1.5), s(8, 2)}, "ldl"},
		{"same instant, other scan", []signal.Sample{s(7, 1), s(8, 1)}, "ll"},
		{"restart counts anew", []signal.Sample{s(900, 1), s(901, 2), s(1, 3), s(2, 4), s(1, 3)}, "lllld"},
		{"clock set back", []signal.Sample{s(7, 100), s(8, 40), s(9, 41), s(8, 40)}, "llld"},
		{"out of order", []signal.Sample{s(3, 3), s(1, 1), s(2, 2), s(1, 1), s(3, 3)}, "lbbdd"},
	} {
		if got := kinds(New(plant()).Apply(live(c.samples...), sec(50))); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// A sample that a gateway read again after it lost its store has a new key.
func TestDuplicateUnderANewKey(t *testing.T) {
	tw := New(plant())
	b := live(sample("m/a", 1, 1))
	b.Stream, b.First = "one", 5
	tw.Apply(b, sec(1))
	b.Stream, b.First = "two", 0
	if got := kinds(tw.Apply(b, sec(2))); got != "d" {
		t.Errorf("got %s", got)
	}
}

// Whatever the order, overlap and repetition of the batches, each number is
// applied once, and the newest value is shown in the end.
func TestEachKeyOnceInAnyOrder(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		n := 1 + rng.IntN(60)
		var batches []payload.Batch
		for range 40 + n {
			lo := rng.IntN(n)
			hi := lo + 1 + rng.IntN(n-lo)
			batches = append(batches, stretch(lo, hi))
		}
		for lo := 0; lo < n; lo++ { // each at least once
			batches = append(batches, stretch(lo, lo+1))
		}
		rng.Shuffle(len(batches), func(i, j int) { batches[i], batches[j] = batches[j], batches[i] })
		tw := New(plant())
		applied := map[uint64]int{}
		for _, b := range batches {
			for i, c := range tw.Apply(b, sec(1000)) {
				if c.Kind == Live || c.Kind == Backfill {
					applied[b.First+uint64(i)]++
				}
			}
		}
		for k := range uint64(n) {
			if applied[1000+k] != 1 {
				t.Fatalf("seed %d: number %d applied %d times", seed, k, applied[1000+k])
			}
		}
		shows(t, tw, "m/a", float64(n-1), signal.Good)
	}
}

// stretch is the numbers lo to hi of a stream that carries only m/a.
func stretch(lo, hi int) payload.Batch {
	b := payload.Batch{Gateway: "gw", Stream: "s", First: 1000 + uint64(lo)}
	for k := lo; k < hi; k++ {
		b.Samples = append(b.Samples, sample("m/a", float64(k), float64(k)))
	}
	return b
}

func TestRangesAgainstASet(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 2))
		var r ranges
		dumb := map[uint64]bool{}
		for range 60 {
			lo := rng.Uint64N(200)
			hi := lo + rng.Uint64N(12)
			for k := uint64(0); k < 220; k++ {
				if r.has(k) != dumb[k] {
					t.Fatalf("seed %d: has(%d) = %v, want %v; %v", seed, k, r.has(k), dumb[k], r.spans)
				}
			}
			r.add(lo, hi)
			for k := lo; k < hi; k++ {
				dumb[k] = true
			}
			for i := 1; i < len(r.spans); i++ {
				if r.spans[i-1].hi >= r.spans[i].lo {
					t.Fatalf("seed %d: spans touch: %v", seed, r.spans)
				}
			}
		}
	}
}

func TestKeysThatOverflowAreNone(t *testing.T) {
	tw := New(plant())
	b := payload.Batch{Gateway: "gw", Stream: "s", First: ^uint64(0), Samples: []signal.Sample{sample("m/a", 1, 1), sample("m/a", 2, 2)}}
	if got := kinds(tw.Apply(b, sec(2))); got != "ll" {
		t.Errorf("got %s", got)
	}
}

func TestStaleness(t *testing.T) {
	tw := New(plant())
	tw.Apply(live(sample("m/a", 1, 1), sample("m/set", 1, 2)), sec(1))
	if ms := tw.Expire(sec(6)); len(ms) != 0 { // five periods
		t.Errorf("too early: %v", ms)
	}
	ms := tw.Expire(sec(6.1))
	if len(ms) != 1 || ms[0] != (Mark{0, sec(6.1), signal.UncertainLastUsable}) {
		t.Fatalf("marks %v", ms)
	}
	if ms := tw.Expire(sec(7)); len(ms) != 0 {
		t.Errorf("marked again: %v", ms)
	}
	shows(t, tw, "m/a", 1, signal.UncertainLastUsable)
	shows(t, tw, "m/set", 2, signal.Good) // silence says nothing
	// A late sample brings a newer value, but does not make it fresh.
	cs := tw.Apply(late(sample("m/a", 2, 3)), sec(8))
	if kinds(cs) != "b" || !cs[0].Current || cs[0].Shown != signal.UncertainLastUsable {
		t.Errorf("late: %+v", cs)
	}
	shows(t, tw, "m/a", 3, signal.UncertainLastUsable)
	if tw.Fresh(0) {
		t.Error("fresh by a late sample")
	}
	tw.Apply(live(sample("m/a", 9, 4)), sec(9))
	shows(t, tw, "m/a", 4, signal.Good)
	if !tw.Fresh(0) {
		t.Error("not fresh after a live sample")
	}
}

func TestStaleAfterIsConfigured(t *testing.T) {
	cfg := plant()
	cfg.StaleAfter = strict.Duration(20 * time.Second)
	tw := New(cfg)
	tw.Apply(live(sample("m/a", 1, 1)), sec(1))
	if len(tw.Expire(sec(20))) != 0 || len(tw.Expire(sec(21.5))) != 1 {
		t.Error("stale_after is not what decides")
	}
}

func TestSourceDownAndUp(t *testing.T) {
	tw := New(plant())
	tw.Apply(live(sample("m/a", 1, 1), sample("m/set", 1, 2), sample("n/a", 1, 3)), sec(1))
	ms := tw.Status(status("plc", false), sec(2))
	if fmt.Sprint(indices(ms)) != "[0 2]" || ms[0].Quality != signal.UncertainNoCommunicationLastUsable {
		t.Fatalf("marks %v", ms)
	}
	shows(t, tw, "n/a", 3, signal.Good)
	// A batch that the status has overtaken brings its value, but no freshness.
	cs := tw.Apply(live(sample("m/a", 1.9, 9)), sec(2.5))
	if !cs[0].Current || cs[0].Shown != signal.UncertainNoCommunicationLastUsable {
		t.Errorf("overtaken batch: %+v", cs[0])
	}
	// Up: tags that report only changes show theirs again, polled ones wait.
	ms = tw.Status(status("plc", true), sec(60))
	if len(ms) != 1 || ms[0] != (Mark{2, sec(60), signal.Good}) {
		t.Errorf("marks at up %v", ms)
	}
	shows(t, tw, "m/a", 9, signal.UncertainNoCommunicationLastUsable)
	tw.Apply(live(sample("m/a", 60, 10)), sec(60.1))
	shows(t, tw, "m/a", 10, signal.Good)
}

// A gateway that forgets to say "up" must not blind the twin for ever.
func TestLiveSamplesOutweighAForgottenUp(t *testing.T) {
	tw := New(plant())
	tw.Apply(live(sample("m/a", 1, 1), sample("m/set", 1, 2)), sec(1))
	tw.Status(status("plc", false), sec(2))
	tw.Apply(live(sample("m/a", 30, 5)), sec(30))
	shows(t, tw, "m/a", 5, signal.Good)
	if ms := tw.Expire(sec(31)); len(ms) != 1 || ms[0].Index != 2 || ms[0].Quality != signal.Good {
		t.Errorf("the tag beside it stays cut off: %v", ms)
	}
}

func TestGatewayDown(t *testing.T) {
	tw := New(plant())
	tw.Apply(live(sample("m/a", 1, 1), sample("m/set", 1, 2), sample("n/a", 1, 3)), sec(1))
	if ms := tw.Status(payload.Status{Gateway: "another", Up: false}, sec(2)); len(ms) != 0 {
		t.Errorf("another gateway marks ours: %v", ms)
	}
	if ms := tw.Status(status("", false), sec(2)); len(ms) != 3 {
		t.Fatalf("marks %v", ms)
	}
	// Its sources' retained "up" may come after its own "down".
	if ms := tw.Status(status("plc", true), sec(3)); len(ms) != 0 {
		t.Errorf("a retained status revives a dead gateway's tag: %v", ms)
	}
	tw.Status(status("", true), sec(100))
	tw.Apply(late(sample("m/a", 50, 7)), sec(101)) // its backlog
	shows(t, tw, "m/a", 7, signal.UncertainNoCommunicationLastUsable)
	tw.Expire(sec(101.5))
	shows(t, tw, "m/set", 2, signal.UncertainNoCommunicationLastUsable)
	tw.Apply(live(sample("m/a", 102, 8)), sec(102))
	tw.Expire(sec(102.5))
	shows(t, tw, "m/a", 8, signal.Good)
	shows(t, tw, "m/set", 2, signal.Good) // its source has shown that it is there
	shows(t, tw, "n/a", 3, signal.UncertainNoCommunicationLastUsable)
}

func TestCut(t *testing.T) {
	tw := New(plant())
	tw.Apply(live(sample("m/a", 1, 1), sample("m/set", 1, 2)), sec(1))
	if ms := tw.Cut(sec(2)); fmt.Sprint(indices(ms)) != "[0 2]" {
		t.Errorf("marks %v", ms)
	}
	if ms := tw.Status(status("plc", true), sec(3)); fmt.Sprint(indices(ms)) != "[2]" {
		t.Errorf("marks %v", ms)
	}
}

func TestFirstSampleIsLate(t *testing.T) {
	tw := New(plant())
	tw.Apply(late(sample("m/a", 1, 1)), sec(50))
	shows(t, tw, "m/a", 1, signal.UncertainLastUsable)
	tw.Apply(live(sample("m/a", 51, 2)), sec(51))
	shows(t, tw, "m/a", 2, signal.Good)
}

func TestBadQualityIsShownAndNotFresh(t *testing.T) {
	tw := New(plant())
	s := sample("m/a", 1, 0)
	s.Quality = signal.BadSensorFailure
	tw.Apply(live(s), sec(1))
	shows(t, tw, "m/a", 0, signal.BadSensorFailure)
	if tw.Fresh(0) {
		t.Error("fresh though bad")
	}
}

func TestSnapshot(t *testing.T) {
	tw := New(plant())
	tw.Apply(live(sample("n/a", 1, 3)), sec(1))
	ss := tw.Snapshot(nil)
	if len(ss) != 4 || ss[3].ID != "n/a" || ss[3].Value != 3 || ss[0].ID != "m/a" {
		t.Errorf("snapshot %+v", ss)
	}
}

func indices(ms []Mark) (out []int) {
	for _, m := range ms {
		out = append(out, m.Index)
	}
	return out
}

func TestApplyAllocatesNothing(t *testing.T) {
	tw, next := steady()
	for range 100 {
		tw.Apply(next())
	}
	if n := testing.AllocsPerRun(100, func() { tw.Apply(next()) }); n > 0 {
		t.Errorf("%g allocations per batch", n)
	}
}

// steady feeds 100 tags with keyed batches of 100 samples in order.
func steady() (*Twin, func() (payload.Batch, time.Time)) {
	var cfg Config
	b := payload.Batch{Gateway: "gw", Stream: "s", Samples: make([]signal.Sample, 100)}
	a := Asset{Name: "m"}
	for i := range b.Samples {
		b.Samples[i].ID = signal.ID(fmt.Sprintf("machine-%d/component/quantity", i))
		a.Tags = append(a.Tags, Tag{ID: b.Samples[i].ID, Source: "plc", Period: strict.Duration(time.Second)})
	}
	cfg.Assets = []Asset{a}
	k := 0
	return New(cfg), func() (payload.Batch, time.Time) {
		k++
		b.First += 100
		for i := range b.Samples {
			b.Samples[i].SourceTime = sec(float64(k))
			b.Samples[i].Seq = uint64(k)
		}
		return b, sec(float64(k))
	}
}

func BenchmarkApply(b *testing.B) {
	tw, next := steady()
	b.ReportAllocs()
	for b.Loop() {
		tw.Apply(next())
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/sample")
}
