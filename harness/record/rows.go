package record

import (
	"math"
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// Row is one of the structs below. Times are nanoseconds since Meta.Start.
// Links are numbered as Meta.PLCs.
type Row interface{ row() }

// Scan is the truth: what a task latched. Values are engineering units exactly
// as a faultless client would decode them.
type Scan struct {
	Task int
	// Seq counts the task's scans over the whole run; Counter is what the
	// device showed as its scan counter, which a restart or a wrap sets back.
	Seq     uint64
	Counter uint32
	// At is the true instant, Stamp what the device's clock said.
	At, Stamp int64
	Values    []float64
	Quality   []signal.Quality
}

// Send is a server handing samples to its socket.
type Send struct {
	// PLC is the index of the server; Conn counts the connections of its link.
	PLC, Conn int
	// Offset is the position in the connection's server-to-client stream at
	// which the message ends.
	Offset int64
	At     int64
	Items  []Ref
}

// Ref names one latched sample: an index into Meta.Tags and its Seq.
type Ref struct {
	Tag int
	Seq uint64
}

// Deliver is a link having written bytes [From, To) of the connection's
// server-to-client stream to the client's socket.
type Deliver struct {
	PLC, Conn int
	From, To  int64
	At        int64
}

// Tap is where samples were seen.
type Tap uint8

// The taps behind the gateway.
const (
	AtBroker Tap = iota + 1
	AtTwin
)

func (t Tap) String() string {
	if t == AtBroker {
		return "broker"
	}
	return "twin"
}

// Seen is a batch of samples that reached a tap.
type Seen struct {
	Tap Tap
	At  int64
	// Stream and First are the dedup keys: sample i is (Stream, First+i);
	// an empty Stream means none.
	Stream   string
	First    uint64
	Backfill bool
	// History says that the twin keeps these without showing them: it takes them
	// for older than what it shows.
	History bool
	Samples []SeenSample
}

// NoSource is the source time of a sample that carried none.
const NoSource = math.MinInt64

// SeenSample is a sample as the stack passed it on.
type SeenSample struct {
	// Tag is an index into Meta.Tags, or -1 where the ID is unknown.
	Tag int
	Seq uint64
	// Source is its source time, or NoSource.
	Source  int64
	Value   float64
	Quality signal.Quality
}

// Mark is the twin changing the quality it shows for a tag on its own account,
// for example because the source cannot be reached.
type Mark struct {
	Tag     int
	At      int64
	Quality signal.Quality
}

// Event is something that truly happened in the plant.
type Event struct {
	At      time.Duration `json:"at_ns"`
	Machine string        `json:"machine"`
	// Kind is "state", "onset", "detectable", "failure", "maintenance" or
	// "repair"; "closed" and "open" are the ends of the line's hours.
	Kind string `json:"kind"`
	// State is the PackML state after a "state" event.
	State int `json:"state,omitempty"`
	// Mode names the failure mode, Component the part, of the others.
	Mode      string `json:"mode,omitempty"`
	Component string `json:"component,omitempty"`
}

// Alarm is a detector speaking up: one row at the start of an episode.
type Alarm struct {
	At       time.Duration `json:"at_ns"`
	Machine  string        `json:"machine"`
	Detector string        `json:"detector"`
	Score    float64       `json:"score"`
	Limit    float64       `json:"limit"`
	// Class is the detector's diagnosis: process or sensor.
	Class string `json:"class,omitempty"`
	// Tag is the signal that contributed most.
	Tag string `json:"tag,omitempty"`
}

// Score is what a detector makes of a machine at the moment, said every so
// often whether it raises an alarm or not.
type Score struct {
	// Machine and Detector are indices into Meta.Machines and Meta.Detectors.
	Machine, Detector int
	At                int64
	Value, Limit      float64
}

// Note is a host event that the harness brought about or saw: "kill",
// "restart", "buffer" (with a depth), for the report's timeline.
type Note struct {
	At   time.Duration `json:"at_ns"`
	Kind string        `json:"kind"`
	N    float64       `json:"n,omitempty"`
	Text string        `json:"text,omitempty"`
}

func (Scan) row()    {}
func (Send) row()    {}
func (Deliver) row() {}
func (Seen) row()    {}
func (Mark) row()    {}
func (Event) row()   {}
func (Alarm) row()   {}
func (Score) row()   {}
func (Note) row()    {}
