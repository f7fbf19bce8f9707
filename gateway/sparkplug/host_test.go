package sparkplug

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// TestHostReadsNode sends random samples from a node to a host and back, and
// loses a message now and then: the host asks for a birth and goes on.
func TestHostReadsNode(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	ids := []signal.ID{"a", "b/c", "d"}
	n, h := NewNode("g", "e", ids), NewHost()
	now := time.UnixMilli(1_700_000_000_000).UTC()
	n.Death()
	if _, err := h.Take("NDATA", "", n.Data(nil, []signal.Sample{{ID: "a"}}, false, "", now), now); !errors.Is(err, ErrUnborn) {
		t.Errorf("data before a birth: %v", err)
	}
	if got, err := h.Take("NBIRTH", "", n.Birth(now), now); err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err) // only a has had a value
	}
	for i := range 2000 {
		var in []signal.Sample
		for range 1 + r.IntN(4) {
			in = append(in, signal.Sample{ID: ids[r.IntN(3)], Value: r.NormFloat64(), SourceTime: now.Add(time.Duration(i) * time.Millisecond),
				Quality: []signal.Quality{signal.Good, signal.Good, signal.UncertainLastUsable, signal.BadOutOfRange}[r.IntN(4)]})
		}
		p := n.Data(nil, in, i%3 == 0, "", now)
		if i%50 == 49 {
			continue // lost
		}
		got, err := h.Take("NDATA", "", p, now)
		if after := i%50 == 0 && i > 0; after != errors.Is(err, ErrUnborn) {
			t.Fatalf("message %d: %v", i, err)
		}
		if len(got) != len(in) {
			t.Fatalf("%d of %d", len(got), len(in))
		}
		for k := range in {
			if got[k] != in[k] {
				t.Fatalf("%+v, want %+v", got[k], in[k])
			}
		}
	}
	dead, err := h.Take("NDEATH", "", n.Farewell(), now)
	for _, s := range dead {
		if s.Quality != signal.UncertainNoCommunicationLastUsable || s.SourceTime != now {
			t.Errorf("%+v", s)
		}
	}
	if err != nil || len(dead) == 0 {
		t.Errorf("%v %v", dead, err)
	}
	if !WantsRebirth(RebirthCommand()) {
		t.Error("a rebirth command is not understood")
	}
}

// TestLateWill (node-red-contrib-mqtt-sparkplug-plus#22): the will of an earlier
// connection arrives after the birth on the next, also across a restart of the
// node. It kills nobody; a death that does not say whose it is asks for a birth.
func TestLateWill(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000).UTC()
	n, h := NewNode("g", "e", []signal.ID{"a"}), NewHost()
	for life := range 300 {
		old := n.Death()
		h.Take("NBIRTH", "", n.Birth(now), now)
		if life%10 == 9 { // a restart
			next := n.Next()
			n = NewNode("g", "e", []signal.ID{"a"})
			n.Resume(next)
		}
		will := n.Death()
		h.Take("NBIRTH", "", n.Birth(now), now)
		h.Take("NDATA", "", n.Data(nil, []signal.Sample{{ID: "a", Value: 1, SourceTime: now}}, false, "", now), now)
		if dead, err := h.Take("NDEATH", "", old, now); len(dead) > 0 || err != nil {
			t.Fatalf("life %d: a late will kills: %v %v", life, dead, err)
		}
		if got, err := h.Take("NDATA", "", n.Data(nil, []signal.Sample{{ID: "a", Value: 2, SourceTime: now}}, false, "", now), now); len(got) != 1 || err != nil {
			t.Fatalf("life %d: no data behind a late will: %v %v", life, got, err)
		}
		if dead, err := h.Take("NDEATH", "", will, now); len(dead) != 1 || err != nil {
			t.Fatalf("life %d: its own will does not kill: %v %v", life, dead, err)
		}
	}
	h.Take("NBIRTH", "", n.Birth(now), now)
	h.Take("NDATA", "", n.Data(nil, []signal.Sample{{ID: "a", Value: 1, SourceTime: now}}, false, "", now), now)
	if dead, err := h.Take("NDEATH", "", message(nil, now, 0, false, "", nil), now); len(dead) != 1 || !errors.Is(err, ErrUnborn) {
		t.Errorf("a death without a number: %v %v", dead, err)
	}
}

func FuzzHost(f *testing.F) {
	n := NewNode("g", "e", []signal.ID{"a"})
	f.Add(n.Birth(time.Now()), n.Data(nil, []signal.Sample{{ID: "a", Quality: signal.Bad}}, true, "u", time.Now()))
	f.Fuzz(func(_ *testing.T, a, b []byte) {
		h := NewHost()
		h.Take("NBIRTH", "", a, time.Now())
		h.Take("DBIRTH", "d", b, time.Now())
		h.Take("NDATA", "", b, time.Now())
		h.Take("NDEATH", "", b, time.Now())
	})
}
