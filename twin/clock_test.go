package twin

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/sim/signal"
)

// keyed gives samples the numbers from first on in a store's stream.
func keyed(stream string, first uint64, ss ...signal.Sample) payload.Batch {
	return payload.Batch{Gateway: "gw", Stream: stream, First: first, Samples: ss}
}

// A device whose clock is set back by 20 of its scans gives the same times
// again. Where its values change they are new; where they do not, the numbers of
// the store say so. The tag follows, there and back.
func TestADeviceInThePast(t *testing.T) {
	for _, changing := range []bool{true, false} {
		tw := New(plant())
		for k := range 60 {
			at, value := float64(k), 7.
			if 20 <= k && k < 40 {
				at -= 20
			}
			if changing {
				value = float64(k)
			}
			cs := tw.Apply(keyed("s", uint64(k), sample("m/a", at, value)), sec(float64(k)))
			if cs[0].Kind != Live || !cs[0].Current {
				t.Fatalf("changing %v, scan %d: %+v", changing, k, cs[0])
			}
			if ms := tw.Expire(sec(float64(k) + 0.5)); len(ms) > 0 {
				t.Fatalf("scan %d: stale while it is heard: %v", k, ms)
			}
			if s, _ := tw.Get("m/a"); s.Value != value || !s.SourceTime.Equal(sec(at)) {
				t.Fatalf("scan %d shows %v", k, s)
			}
		}
	}
}

// The same without keys: another value is another sample, but only silence says
// that it is not an old one.
func TestADeviceInThePastWithoutKeys(t *testing.T) {
	tw := New(plant())
	for k := range 20 {
		tw.Apply(live(sample("m/a", float64(k), float64(k))), sec(float64(k)))
	}
	for k := 20; k < 40; k++ {
		tw.Expire(sec(float64(k)))
		cs := tw.Apply(live(sample("m/a", float64(k)-20, float64(k))), sec(float64(k)))
		want := Backfill
		if k > 24 { // five periods after the last that was believed
			want = Live
		}
		if cs[0].Kind != want {
			t.Fatalf("scan %d: %v, want %v", k, cs[0].Kind, want)
		}
	}
	shows(t, tw, "m/a", 39, signal.Good)
}

// What a gateway that lost its store reads again is known, also from a device in
// the past; what it reads of a later time is shown.
func TestAReplayFromThePast(t *testing.T) {
	tw := New(plant())
	var all []signal.Sample
	for k := range 30 {
		at := float64(k)
		if k >= 20 {
			at -= 10
		}
		all = append(all, sample("m/a", at, float64(k)))
		tw.Apply(keyed("s", uint64(k), all[k]), sec(float64(k)))
	}
	if got := kinds(tw.Apply(keyed("new", 0, all...), sec(31))); got != "dddddddddddddddddddddddddddddd" {
		t.Errorf("replayed: %s", got)
	}
	shows(t, tw, "m/a", 29, signal.Good)
	if got := kinds(tw.Apply(keyed("new", 30, sample("m/a", 20, 30)), sec(32))); got != "l" {
		t.Errorf("the next one: %s", got)
	}
	shows(t, tw, "m/a", 30, signal.Good)
}

// A backlog never overtakes what is live, though its times are later than those
// of a device in the past; without keys neither.
func TestABacklogDoesNotOvertakeThePast(t *testing.T) {
	for _, stream := range []string{"s", ""} {
		tw := New(plant())
		tw.Apply(keyed(stream, 0, sample("m/a", 0, 0)), sec(0))
		tw.Apply(keyed(stream, 1, sample("m/a", 30, 1)), sec(30))
		// 2 to 4 wait in the gateway; then the clock is set back.
		tw.Apply(keyed(stream, 5, sample("m/a", 10, 5)), sec(36))
		shows(t, tw, "m/a", 5, signal.Good) // without keys because it was silent
		b := keyed(stream, 2, sample("m/a", 31, 2), sample("m/a", 32, 3))
		b.Backfill = true
		if got := kinds(tw.Apply(b, sec(36.5))); got != "bb" {
			t.Errorf("stream %q: %s", stream, got)
		}
		shows(t, tw, "m/a", 5, signal.Good)
	}
}

// A controller that is restarted twice counts the same scans three times.
func TestCountersThatComeAgain(t *testing.T) {
	tw := New(plant())
	at := 0.
	for range 3 {
		for seq := uint64(1); seq <= 5; seq++ {
			at++
			for _, c := range []struct {
				at   float64
				want string
			}{{at, "l"}, {at + 0.3, "d"}, {at, "d"}} { // read twice, and sent twice
				s := sample("m/a", c.at, at)
				s.Seq = seq
				if got := kinds(tw.Apply(live(s), sec(c.at))); got != c.want {
					t.Fatalf("scan %d at %g: %s, want %s", seq, c.at, got, c.want)
				}
			}
		}
	}
}

// Against a dumb model: a store numbers what a device with a wandering clock
// gives, and the batches come in any order, some twice, some again from a new
// store. Each number is applied once, and of one store the highest number that
// came is what the tag shows.
func TestWanderingClockAgainstAModel(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 3))
		n := 5 + rng.IntN(40)
		clock := 0
		var store []signal.Sample
		for range n {
			if clock++; rng.IntN(8) == 0 {
				clock += rng.IntN(41) - 20
			}
			store = append(store, sample("m/a", float64(clock), float64(rng.IntN(3))))
		}
		tw := New(plant())
		applied := make([]int, n)
		shown := -1
		take := func(stream string, lo, hi int, late bool) {
			b := keyed(stream, uint64(lo), store[lo:hi]...)
			b.Backfill = late
			for i, c := range tw.Apply(b, sec(1000)) {
				if c.Kind == Live || c.Kind == Backfill {
					applied[lo+i]++
				}
				if stream == "s" {
					shown = max(shown, lo+i)
				}
			}
			s, _ := tw.Get("m/a")
			if want := store[shown]; s.Value != want.Value || !s.SourceTime.Equal(want.SourceTime) {
				t.Fatalf("seed %d: shows %v, want number %d: %v", seed, s, shown, want)
			}
		}
		for range 2 * n {
			lo := rng.IntN(n)
			take("s", lo, lo+1+rng.IntN(n-lo), rng.IntN(2) == 0)
		}
		take("s", 0, n, false)
		take("new", 0, n, rng.IntN(2) == 0)
		for k, times := range applied {
			if times != 1 {
				t.Fatalf("seed %d: number %d applied %d times", seed, k, times)
			}
		}
	}
}

// A clock that comes right after it was an hour ahead does not leave the tag
// in the future.
func TestADeviceFromTheFuture(t *testing.T) {
	tw := New(plant())
	for k := range 30 {
		at := sec(float64(k))
		s := sample("m/set", 0, float64(k)) // of which silence says nothing
		if s.SourceTime = at; 10 <= k && k < 20 {
			s.SourceTime = at.Add(time.Hour)
		}
		tw.Apply(keyed("s", uint64(k), s), at)
		shows(t, tw, "m/set", float64(k), signal.Good)
	}
}
