package dataset

import (
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/plantbed/plantbed/sim/plant"
)

// checkedRuns are looked at closely; runs are alike, and memory stays flat.
const checkedRuns = 256

// summary is what the checks keep of a run: means over blocks of a minute in
// which the machine executes, NaN for none.
type summary struct {
	Run, Unit int
	Means     [][]float32 // by sensor column, by block
	// Damage by machine, then block: the worst in it, NaN while healthy. Lying
	// tells the blocks in which one of its sensors lies.
	Damage [][]float32
	Lying  [][]bool
	Lives  []life
	Heard  []heard
}

// blockS is the length of a block.
const blockS = 60

func summarise(r *Result, lay *layout, p *plan) summary {
	per := max(1, int(blockS/p.ds.Every.D().Seconds()))
	n := r.Table.Rows / per
	s := summary{Run: r.Run.Index, Unit: r.Run.Unit}
	var side sidecar
	side.add(r, lay, "", 0)
	s.Lives = side.Runs[0].Lives
	s.Heard = hear(r.Bursts)
	for _, m := range p.sc.Machines {
		base, ok := lay.labels[m.Name]
		if !ok {
			s.Damage, s.Lying = append(s.Damage, nil), append(s.Lying, nil)
			continue
		}
		damage, lying := make([]float32, n), make([]bool, n)
		for b := range n {
			damage[b] = float32(null)
			for row := b * per; row < (b+1)*per; row++ {
				if d := r.Table.Values[base+labDamage][row]; !isNull(d) && !(float64(damage[b]) >= d) {
					damage[b] = float32(d)
				}
				lying[b] = lying[b] || !isNull(r.Table.Values[base+labSensorTag][row])
			}
		}
		s.Damage, s.Lying = append(s.Damage, damage), append(s.Lying, lying)
	}
	for i, c := range lay.columns {
		if c.Role == "sensor" {
			s.Means = append(s.Means, means(r.Table, i, lay.stateOf(owner(c.Name)), n, per))
		}
	}
	return s
}

// stateOf is the column of a machine's state, -1 for none.
func (l *layout) stateOf(machine string) int {
	return slices.IndexFunc(l.columns, func(c Column) bool { return c.Name == machine+"/state" })
}

// means over the blocks in which the machine executes all the time, the first
// such block after a stop left out: it still starts.
func means(t *Table, col, state, blocks, per int) []float32 {
	out := make([]float32, blocks)
	ran := false
	for b := range out {
		sum, n, runs := 0.0, 0, true
		for row := b * per; row < (b+1)*per; row++ {
			if v := t.Values[col][row]; !isNull(v) {
				sum, n = sum+v, n+1
			}
			if state >= 0 && t.Values[state][row] != plant.Execute {
				runs = false
			}
		}
		out[b] = float32(null)
		if runs && ran && n > 0 {
			out[b] = float32(sum / float64(n))
		}
		ran = runs
	}
	return out
}

func (p *plan) sumsPath(shard int) string {
	return filepath.Join(p.opts.Dir, workDir, fmt.Sprintf("checks-%05d.gob", shard))
}

func (p *plan) writeSums(shard int, sums []summary) error {
	f, err := os.Create(p.sumsPath(shard))
	if err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	if err := errors.Join(gob.NewEncoder(f).Encode(sums), f.Close()); err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	return nil
}

func (p *plan) readSums() ([]summary, error) {
	var all []summary
	for i := range p.shards() {
		if from, _ := p.runsOf(i); from >= checkedRuns {
			break
		}
		f, err := os.Open(p.sumsPath(i))
		if err != nil {
			return nil, fmt.Errorf("dataset: %w", err)
		}
		var some []summary
		err = gob.NewDecoder(f).Decode(&some)
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("dataset: %w", err)
		}
		all = append(all, some...)
	}
	return all, nil
}
