package modbus

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/signal"
)

// randomPoints are tags that do not overlap, of every type, in two tables and at
// two periods, in any order.
func randomPoints(rng *rand.Rand) []Point {
	types := slices.Sorted(maps.Keys(kinds))
	var out []Point
	for _, table := range []string{"holding", "input"} {
		at := rng.IntN(50)
		for range rng.IntN(12) {
			p := Point{ID: signal.ID(fmt.Sprint(table, at)), Address: uint16(at), Type: types[rng.IntN(len(types))], Registers: table,
				Poll: strict.Duration(time.Second * time.Duration(1+rng.IntN(2))), Scale: 1, Order: "abcd"}
			out = append(out, p)
			at = p.end() + rng.IntN(8)*rng.IntN(2)
		}
	}
	rng.Shuffle(len(out), func(i, k int) { out[i], out[k] = out[k], out[i] })
	return out
}

// fewest tries every way to cut a run of points, sorted by address, into blocks.
func fewest(points []Point, gap, most int) int {
	if len(points) == 0 {
		return 0
	}
	best := math.MaxInt
	for n := 1; n <= len(points); n++ { // of the first block
		some := points[:n]
		if some[n-1].end()-int(some[0].Address) > most {
			break
		}
		if n > 1 && int(some[n-1].Address)-some[n-2].end() > gap {
			break
		}
		best = min(best, 1+fewest(points[n:], gap, most))
	}
	return best
}

// TestPlanIsTheFewest holds the plan against trying everything: it has as few
// requests as can be, within limits and gaps, and reads every tag once.
func TestPlanIsTheFewest(t *testing.T) {
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(seed, 9))
		points, gap, most := randomPoints(rng), rng.IntN(6), 4+rng.IntN(20)
		blocks := plan(points, gap, most)
		got := map[string]int{} // blocks by class
		read := map[signal.ID]int{}
		for _, b := range blocks {
			got[fmt.Sprint(b.Registers, b.Poll)]++
			if b.Count > most {
				t.Fatalf("seed %d: a request of %d registers, at most %d", seed, b.Count, most)
			}
			end := int(b.Start)
			for _, tag := range b.Tags {
				read[tag.ID]++
				if int(tag.Address)-end > gap || int(tag.Address)+kinds[tag.Type].words > int(b.Start)+b.Count {
					t.Fatalf("seed %d: %+v in a block from %d of %d, gap %d", seed, tag, b.Start, b.Count, gap)
				}
				end = int(tag.Address) + kinds[tag.Type].words
			}
		}
		byClass := map[string][]Point{}
		for _, p := range points {
			byClass[fmt.Sprint(p.Registers, p.Poll)] = append(byClass[fmt.Sprint(p.Registers, p.Poll)], p)
			if read[p.ID] != 1 {
				t.Fatalf("seed %d: %s is read %d times", seed, p.ID, read[p.ID])
			}
		}
		for class, some := range byClass {
			slices.SortFunc(some, func(a, b Point) int { return int(a.Address) - int(b.Address) })
			if want := fewest(some, gap, most); got[class] != want {
				t.Fatalf("seed %d: %d requests for %s, %d would do", seed, got[class], class, want)
			}
		}
	}
}

// TestPlanned reads tags without a block from a device: adjacent ones in one
// request, each class at its own period.
func TestPlanned(t *testing.T) {
	f, c := newFake(t), &catcher{}
	cfg := Config{Name: "plc", URL: "tcp://" + f.addr(), MaxGap: 2, Tags: []Point{
		{ID: "slow", Address: 40, Type: "uint16", Poll: strict.Duration(time.Hour)},
		{ID: "b", Address: 24, Type: "uint16", Poll: strict.Duration(10 * time.Millisecond)},
		{ID: "a", Address: 20, Type: "uint32", Poll: strict.Duration(10 * time.Millisecond)},
	}}
	cfg.Defaults()
	if ps := cfg.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	f.with(func() { f.registers[21], f.registers[24] = 7, 9 })
	start(t, cfg, c)
	eventually(t, "three polls", func() bool { return len(c.samples()) >= 6 })
	got := c.samples()
	if got[0].ID != "a" || got[0].Value != 7 || got[1].ID != "b" || got[1].Value != 9 {
		t.Errorf("%+v", got[:2])
	}
	f.with(func() {
		for _, r := range f.requests {
			if r.start != 20 || r.count != 5 {
				t.Errorf("asked for %d registers from %d", r.count, r.start)
			}
		}
	})
}
