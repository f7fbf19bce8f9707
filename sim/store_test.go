package sim_test

import (
	"slices"
	"testing"
	"time"

	"github.com/plantbed/plantbed/sim"
)

// Functions and processes stand in one line: who came first is served first,
// and nobody puts past one that waits for room.
func TestStoreInBothStyles(t *testing.T) {
	k := sim.New(1)
	defer k.Close()
	s := sim.NewStore[int](k, 2)
	var got []int
	var in []int
	put := func(v int) { s.PutThen(v, func(v int) { in = append(in, v) }) }
	get := func(v int) { got = append(got, v) }
	for v := range 4 {
		put(v) // 0 and 1 are in, 2 and 3 wait
	}
	k.Go(func(p *sim.Process) {
		s.Put(p, 4)
		in = append(in, 4)
	})
	k.Run(time.Second)
	if s.Len() != 2 || !slices.Equal(in, []int{0, 1}) {
		t.Fatalf("%d things, of %v", s.Len(), in)
	}
	s.GetThen(get)
	k.Go(func(p *sim.Process) {
		v, _ := s.Get(p)
		get(v)
	})
	k.Run(2 * time.Second)
	if !slices.Equal(got, []int{0, 1}) || !slices.Equal(in, []int{0, 1, 2, 3}) {
		t.Fatalf("got %v, in are %v", got, in)
	}
	for range 4 {
		s.GetThen(get)
	}
	k.Run(3 * time.Second)
	if !slices.Equal(got, []int{0, 1, 2, 3, 4}) || !slices.Equal(in, []int{0, 1, 2, 3, 4}) || s.Len() != 0 {
		t.Fatalf("got %v, in are %v", got, in)
	}
	put(5) // goes to the one that still waits
	k.Run(4 * time.Second)
	if got[len(got)-1] != 5 || s.Len() != 0 {
		t.Errorf("got %v", got)
	}
}

func TestStoreThenAllocatesNothing(t *testing.T) {
	k := sim.New(1)
	s := sim.NewStore[int](k, 4)
	turn := func() { s.PutThen(1, func(int) {}); s.GetThen(func(int) {}) }
	for range 100 {
		turn()
		k.Run(k.Now() + 10)
	}
	if n := testing.AllocsPerRun(100, func() { turn(); k.Run(k.Now() + 10) }); n > 0 {
		t.Errorf("%v allocations for a thing put and got", n)
	}
}
