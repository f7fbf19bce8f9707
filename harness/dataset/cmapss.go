package dataset

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/plantbed/plantbed/sim"
)

// The layout of NASA's C-MAPSS files: no names, fields between spaces, a row
// for each cycle with the unit's number, the cycle, three settings and the
// sensors. For each machine of the plant
//
//	train_M.txt   units of the split "train" up to their failure
//	test_M.txt    units of the split "test", cut off some time before it
//	RUL_M.txt     how many cycles each of those had left, one line each
//
// hold the runs in which that machine fails. The settings are the machine's
// load (times the usual), the hall's temperature over the usual (K) and the
// last change of its recipe (times what the scenario says).

// cmapssWriter writes what one shard adds to the files of one machine.
type cmapssWriter struct {
	train, test, rul *bufio.Writer
	machine          string
	sensors          []int
	columns          []Column
	label            int
	cycle            int // rows
	line             []byte
}

func newCMAPSS(machine string, lay *layout, cycleRows int, train, test, rul io.Writer) *cmapssWriter {
	c := &cmapssWriter{train: bufio.NewWriter(train), test: bufio.NewWriter(test), rul: bufio.NewWriter(rul),
		machine: machine, columns: lay.columns, label: lay.labels[machine], cycle: max(1, cycleRows)}
	for i, col := range lay.columns {
		if col.Role == "sensor" && owner(col.Name) == machine {
			c.sensors = append(c.sensors, i)
		}
	}
	return c
}

// owner is the machine of a column.
func owner(column string) string {
	for i := range column {
		if column[i] == '/' {
			return column[:i]
		}
	}
	return column
}

// write adds a run in which the machine fails; others it leaves out.
func (c *cmapssWriter) write(r *Result) error {
	end := c.failureRow(r.Table)
	if end < c.cycle || r.Run.Split == "validation" {
		return nil
	}
	last := end / c.cycle // cycles until the failure
	out, cut := c.train, last
	if r.Run.Split == "test" {
		// At least a fifth of the way is seen, and one cycle is left.
		u := sim.Rand(r.Run.Seed, "dataset/cut/"+c.machine).Float64()
		out, cut = c.test, max(1, min(last-1, int(float64(last)*(0.2+0.75*u))))
		fmt.Fprintf(c.rul, "%d \n", last-cut)
	}
	for cycle := 1; cycle <= cut; cycle++ {
		row := cycle*c.cycle - 1
		c.line = strconv.AppendInt(c.line[:0], int64(r.Run.Index+1), 10)
		c.line = strconv.AppendInt(append(c.line, ' '), int64(cycle), 10)
		for _, s := range c.settings(r, row) {
			c.line = strconv.AppendFloat(append(c.line, ' '), s, 'f', 4, 64)
		}
		for _, i := range c.sensors {
			c.line = append(c.line, ' ')
			v := held(r.Table.Values[i], row)
			if c.columns[i].Kind == Float {
				c.line = strconv.AppendFloat(c.line, float64(float32(v)), 'g', -1, 32)
			} else {
				c.line = strconv.AppendFloat(c.line, v, 'g', -1, 64)
			}
		}
		if _, err := out.Write(append(c.line, ' ', '\n')); err != nil {
			return err
		}
	}
	return nil
}

// failureRow is the first row at which the machine has failed, -1 for none.
func (c *cmapssWriter) failureRow(t *Table) int {
	return slices.IndexFunc(t.Values[c.label+labRUL][:t.Rows], func(v float64) bool { return v == 0 })
}

// held is the last value up to a row, for a layout that knows no gaps.
func held(col []float64, row int) float64 {
	for ; row >= 0; row-- {
		if !isNull(col[row]) {
			return col[row]
		}
	}
	return 0
}

func (c *cmapssWriter) settings(r *Result, row int) [3]float64 {
	s := [3]float64{1, 0, 1}
	tS := r.Table.Values[1][row]
	for _, ch := range r.Run.Changes {
		if ch.At.Seconds() > tS {
			break
		}
		switch {
		case ch.What == "ambient":
			s[1] = ch.Value
		case ch.What == lookAlike && ch.Look.AmbientK != 0:
			s[1] = ch.Look.AmbientK
		case ch.Machine != c.machine:
		case ch.What == lookAlike:
			if ch.Look.Load != 0 {
				s[0] = ch.Look.Load
			}
		case ch.What == "load":
			s[0] = ch.Value
		default:
			s[2] = ch.Share
		}
	}
	return s
}

func (c *cmapssWriter) close() error {
	for _, w := range []*bufio.Writer{c.train, c.test, c.rul} {
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}
