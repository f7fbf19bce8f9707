// Package signal holds the one noun that moves through Plantbed: a Sample.
//
// A PLC latches a value at a scan, and from there to the twin it is a Sample
// that is passed by value; a stage that changes one returns a new one.
//
//	s := signal.Sample{ID: "pump/motor/current", Seq: 17, Value: 12.4, SourceTime: t}
//	if s.Quality.IsGood() { ... }
package signal

import "time"

// ID names a signal as "machine/component/quantity", e.g. "pump/motor/current".
type ID string

// Unit is the symbol of the engineering unit of a value, e.g. "mm/s", "degC",
// "A", "1" for a plain number.
type Unit string

// Sample is one latched value of one signal.
type Sample struct {
	ID ID
	// Seq is the scan counter of the PLC at which the value was latched;
	// 0 means that the carrier did not pass it on.
	Seq uint64
	// Value is in engineering units; booleans are 0 and 1.
	Value   float64
	Quality Quality
	// SourceTime is the scan instant by the device's own clock; where the
	// protocol carries none, the instant at which the gateway read it.
	SourceTime time.Time
}
