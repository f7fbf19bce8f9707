package modbus_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/plc/modbus"
	"github.com/plantbed/plantbed/sim/signal"
)

var update = flag.Bool("update", false, "write the golden files anew")

// random tasks with n tags each.
func tasks(seed uint64, sizes ...int) []*plc.Task {
	rng := sim.Rand(seed, "layout")
	var all []*plc.Task
	for i, n := range sizes {
		t := &plc.Task{Index: i, Name: fmt.Sprint("task", i), Period: time.Second}
		for j := range n {
			typ := plc.Bool + plc.Type(rng.IntN(9))
			t.Tags = append(t.Tags, plc.Tag{ID: signal.ID(fmt.Sprintf("t%d/%d", i, j)), Type: typ, Scale: 1})
		}
		all = append(all, t)
	}
	return all
}

func TestLayoutGolden(t *testing.T) {
	m, err := modbus.NewMap(tasks(1, 90, 0, 6))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, b := range m.Blocks {
		fmt.Fprintf(&out, "block task %d counter %d start %d count %d\n", b.Task, b.Counter, b.Start, b.Count)
		for _, r := range m.Registers {
			if r.Address >= b.Start && r.Address < b.Start+b.Count {
				fmt.Fprintf(&out, "%5d %d %-7s %s\n", r.Address, r.Words(), r.Type, r.ID)
			}
		}
	}
	const file = "testdata/layout.golden"
	if *update {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("the layout has changed (go test -update if it should); got\n%s", out.String())
	}
}

// Whatever the tags: every register belongs to one tag or one counter, every
// tag lies in one block of its task, no block is larger than a request can
// read, and none is closed while the next tag still fits.
func TestLayoutProperties(t *testing.T) {
	for seed := uint64(0); seed < 200; seed++ {
		rng := sim.Rand(seed, "sizes")
		all := tasks(seed, rng.IntN(300), rng.IntN(40), rng.IntN(3))
		m, err := modbus.NewMap(all)
		if err != nil {
			t.Fatal(err)
		}
		owner := map[int]string{}
		claim := func(address, n int, who string) {
			for a := address; a < address+n; a++ {
				if owner[a] != "" {
					t.Fatalf("seed %d: register %d belongs to %s and %s", seed, a, owner[a], who)
				}
				owner[a] = who
			}
		}
		next := 0
		for i, b := range m.Blocks {
			if b.Count > 125 || b.Counter != b.Start || int(b.Start) != next {
				t.Fatalf("seed %d: block %+v, want it at %d", seed, b, next)
			}
			next = int(b.Start) + int(b.Count)
			claim(int(b.Counter), 2, "a counter")
			if i > 0 && m.Blocks[i-1].Task == b.Task {
				for _, r := range m.Registers {
					if r.Address == b.Start+2 && int(m.Blocks[i-1].Count)+r.Words() <= 125 {
						t.Fatalf("seed %d: %s would have fitted into the block before", seed, r.ID)
					}
				}
			}
		}
		i := 0
		for _, task := range all {
			for j, tag := range task.Tags {
				r := m.Registers[i]
				i++
				if r.ID != tag.ID || r.Task != task.Index || r.Index != j || r.Type != tag.Type {
					t.Fatalf("seed %d: register %+v is not tag %d of task %d", seed, r, j, task.Index)
				}
				claim(int(r.Address), r.Words(), string(r.ID))
				if !inOneBlock(m, r) {
					t.Fatalf("seed %d: %+v lies in no one block of its task", seed, r)
				}
			}
		}
		if i != len(m.Registers) || len(owner) != next {
			t.Fatalf("seed %d: %d registers for %d tags, %d words for %d", seed, len(m.Registers), i, len(owner), next)
		}
	}
}

func inOneBlock(m *modbus.Map, r modbus.Register) bool {
	for _, b := range m.Blocks {
		if b.Task == r.Task && r.Address >= b.Start+2 && int(r.Address)+r.Words() <= int(b.Start)+int(b.Count) {
			return true
		}
	}
	return false
}

func TestLayoutTooLarge(t *testing.T) {
	task := &plc.Task{Name: "scan"}
	for i := range 15400 {
		task.Tags = append(task.Tags, plc.Tag{ID: signal.ID(fmt.Sprint("t", i)), Type: plc.Float64, Scale: 1})
	}
	_, err := modbus.NewMap([]*plc.Task{task})
	if err == nil || !strings.Contains(err.Error(), "does not fit") {
		t.Errorf("got %v", err)
	}
	if modbus.Layout([]*plc.Task{task}) != nil || modbus.Blocks([]*plc.Task{task}) != nil {
		t.Error("a layout all the same")
	}
}
