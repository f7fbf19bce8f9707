package faults

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/sim"
)

func TestNotes(t *testing.T) {
	cfgs := []Config{
		fault("link.down", "l", 10, 10),
		fault("asset.bearing_wear", "k", 5, 0, func(c *Config) { c.Life = sec(20) }),
		fault("gateway.kill", "", 30, 0),
	}
	k := sim.New(1)
	plant := newFake(k)
	plant.wear = errors.New("is broken down already")
	plan, ps := Resolve(cfgs, time.Minute, 1)
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	var got []string
	err := Schedule(k, plan, cfgs, plant, func(w Window, started bool) {
		want := w.To
		if started {
			want = w.From
		}
		if k.Now() != want {
			t.Errorf("%s: an edge of %v at %v", w.Kind, want, k.Now())
		}
		got = append(got, fmt.Sprintf("%v %s %s %v %s (%d calls)", k.Now().Truncate(time.Second), w.Kind, w.Target, started, w.Err, len(plant.calls)))
	})
	if err != nil {
		t.Fatal(err)
	}
	k.Run(time.Minute)
	want := []string{ // after the call that they are about
		"5s asset.bearing_wear k true is broken down already (1 calls)",
		"10s link.down l true  (2 calls)",
		"20s link.down l false  (3 calls)",
		"25s asset.bearing_wear k false  (3 calls)",
		"30s gateway.kill gateway true  (4 calls)", // and no end
	}
	if !slices.Equal(got, want) {
		t.Errorf("notes:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// What cannot be scheduled is said at once, all of it, and nothing is scheduled.
func TestScheduleErrors(t *testing.T) {
	good := fault("link.down", "l", 10, 10)
	for _, tc := range []struct {
		name string
		cfg  Config
		w    Window
		want string
	}{
		{"no such target", good, Window{Kind: "link.down", Target: "x"}, `fault[0]: link.down: the plant has no link "x"`},
		{"no such sensor", fault("sensor.stuck", "x", 1, 1), Window{Kind: "sensor.stuck", Target: "x"}, `the plant has no sensor "x"`},
		{"no such kind", good, Window{Kind: "x"}, `fault[0]: there is no fault kind "x"`},
		{"another kind", good, Window{Kind: "link.stall", Target: "l"}, "fault[0]: is of kind link.down, and not link.stall"},
		{"no such fault", good, Window{Index: 3, Kind: "link.down", Target: "l"}, "fault[3]: there are only 1 faults"},
		{"not validated", fault("link.latency", "l", 1, 1), Window{Kind: "link.latency", Target: "l"}, "fault[0]: delay: is missing"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := sim.New(1)
			plant := newFake(k)
			fine := Window{Kind: tc.cfg.Kind, Target: "l", From: time.Second, To: 2 * time.Second}
			err := Schedule(k, []Window{fine, tc.w, tc.w}, []Config{tc.cfg}, plant, nil)
			if err == nil || strings.Count(err.Error(), tc.want) < 2 {
				t.Errorf("error %v, want %q twice", err, tc.want)
			}
			k.Run(time.Minute)
			if len(plant.calls) > 0 {
				t.Errorf("calls all the same: %v", plant.calls)
			}
		})
	}
}

// The edges are visible events: a paced kernel wakes for them and nothing else.
func TestEdgesAreVisible(t *testing.T) {
	cfgs := []Config{fault("link.down", "l", 0, 0, func(c *Config) { c.For = 1e6 })} // 1 ms
	k := sim.New(1)
	plan, _ := Resolve(cfgs, time.Minute, 1)
	plant := newFake(k)
	if err := Schedule(k, plan, cfgs, plant, nil); err != nil {
		t.Fatal(err)
	}
	woken := 0
	if err := k.Pace(t.Context(), time.Now(), 3*time.Millisecond, func(time.Duration) { woken++ }); err != nil {
		t.Fatal(err)
	}
	if woken != 3 || len(plant.calls) != 2 { // two edges and the end
		t.Errorf("woken %d times, %v", woken, plant.calls)
	}
}
