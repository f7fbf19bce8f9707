package modbus

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// patience is how many exception responses in a row make a block refused.
const patience = 3

// block is a configured block made ready to be polled.
type block struct {
	registers    string
	start, count int // of the request
	counter      int // offset of the counter in bytes, -1 if there is none
	ids          []signal.ID
	fields       []field
	grid         grid
	due          time.Time

	last      uint32 // counter at the last poll that gave samples
	read      bool   // whether there was such a poll
	unchanged int    // polls in a row that found the counter unmoved
	refusals  int    // exceptions in a row
	why       string // the last one
}

func newBlocks(cfg *Config, rng *rand.Rand, start time.Time) []*block {
	all := cfg.all()
	out := make([]*block, len(all))
	periods := make([]time.Duration, len(all))
	for i, c := range all {
		out[i], periods[i] = newBlock(c), c.Poll.D()
	}
	for i, g := range newGrids(rng, start, periods) {
		out[i].grid, out[i].due = g, g.origin
	}
	return out
}

func newBlock(c Block) *block {
	start, end := c.span()
	b := &block{registers: c.Registers, start: start, count: end - start, counter: -1}
	if c.Counter != nil {
		b.counter = 2 * (int(*c.Counter) - start)
	}
	for _, t := range c.Tags {
		b.ids = append(b.ids, t.ID)
		b.fields = append(b.fields, field{2 * (int(t.Address) - start), kinds[t.Type], orders[t.Order], t.Scale})
	}
	return b
}

// samples reads a response. It is empty if the device has scanned nothing new.
func (b *block) samples(data []byte, now time.Time) []signal.Sample {
	var seq uint32
	if b.counter >= 0 {
		seq = binary.BigEndian.Uint32(data[b.counter:])
		if b.read && seq == b.last {
			b.unchanged++
			return nil
		}
		b.last, b.read, b.unchanged = seq, true, 0
	}
	out := make([]signal.Sample, len(b.fields))
	for i := range b.fields {
		out[i] = signal.Sample{ID: b.ids[i], Seq: uint64(seq), Value: b.fields[i].value(data), SourceTime: now}
	}
	return out
}

func (b *block) refused(e exception) { b.refusals, b.why = b.refusals+1, e.text }

func (b *block) accepted() { b.refusals = 0 }

// condition is the status of a device that answers: it is up unless all its
// blocks have been refused several times in a row.
func condition(blocks []*block) (up bool, why string) {
	bad := 0
	for _, b := range blocks {
		if b.refusals >= patience {
			if bad++; bad == 1 {
				why = b.why
			}
		}
	}
	if bad > 0 {
		why = fmt.Sprintf("%d of %d blocks refused, first %s", bad, len(blocks), why)
	}
	return bad < len(blocks), why
}
