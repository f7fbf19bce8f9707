package plc

import (
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// Block is what one scan of one task latched. It is immutable once published,
// so that a server may serve it from any goroutine without a lock.
type Block struct {
	Task int
	// Seq numbers the scans of the run, 1 for the first; it never goes back.
	Seq uint64
	// Base is how many of them the device's own counter leaves out: those
	// before its last start.
	Base uint64
	// At is the true instant of the scan, since the start of the run.
	At time.Duration
	// Stamp is the same instant by the device's own clock, in whole 100 ns
	// as OPC UA carries it.
	Stamp time.Time
	// Values and Quality stand in the order of Task.Tags. Values are
	// engineering units exactly as a faultless client decodes them: rounded
	// to the wire type, raw counts times scale. Quality is what such a client
	// is told; Modbus tells none, so there it is always Good.
	Values  []float64
	Quality []signal.Quality
}

// Counter is the scan counter as the device shows it, of 32 bits.
func (b *Block) Counter() uint32 { return uint32(b.Seq - b.Base) }

// Task is a scan cycle with the tags that it latches.
type Task struct {
	Index  int
	Name   string // "scan" or "fast"
	Period time.Duration
	Tags   []Tag
}
