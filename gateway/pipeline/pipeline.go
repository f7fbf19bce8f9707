// Package pipeline holds what a gateway does to samples between its sources
// and its buffer, as pure stages, and the small contract by which a source
// hands samples over.
//
//	stages := []pipeline.Stage{
//		pipeline.NewRepeat(),            // drop what a re-subscription sent twice
//		pipeline.NewValidate(),          // NaN and Inf become 0 with BadOutOfRange
//		pipeline.NewScale(factors),      // engineering units
//		pipeline.NewDeadband(0, bands),  // only where a tag asks for one
//	}
//	out := pipeline.Through(stages, in)  // the order stays, values are new
//
// A stage is a function of its own state and its input: no clock, no
// goroutine, no file. Time comes in with the samples.
package pipeline

import (
	"context"
	"errors"

	"github.com/plantbed/plantbed/sim/signal"
)

// ErrFull is told to the Done of a batch that the buffer turned away whole,
// before any stage has seen it: handed over again later, and before any younger
// sample of its tags, it is as if it came for the first time.
var ErrFull = errors.New("the buffer is full")

// Batch is what a source hands over in one go. Done is called exactly once:
// with nil when every sample is durable or was deliberately filtered, or with
// the error that lost it. It may be nil, may be called from any goroutine and
// must not block.
type Batch struct {
	Source  string
	Samples []signal.Sample
	Done    func(error)
	// Keeps says that the source will hand the batch over again after ErrFull,
	// so that it does not count as lost.
	Keeps bool
	// Lost counts samples that were turned away before and that the source can
	// keep no longer. A batch may consist of nothing else.
	Lost int
	// Gaps counts messages of the device that are lost without anybody knowing
	// what was in them: it keeps them no more. A batch may consist of nothing else.
	Gaps int
	// Overflows counts samples before which the device's own queue dropped others.
	Overflows int
}

// Write is a value on its way to a device, as the device has it. Answer is
// called once, from any goroutine, with nil when the device took it.
type Write struct {
	ID     signal.ID
	Value  float64
	Answer func(error)
}

// ErrAway is the answer of a source that does not reach its device now.
var ErrAway = errors.New("the source cannot be reached")

// Sink takes a batch from a source. It blocks for as long as the buffer is
// full (back-pressure) and returns an error only when ctx ends; the batch's
// Done is then called with that error. The sink owns Samples from the call on.
type Sink func(ctx context.Context, b Batch) error

// StatusFunc tells that a source is reachable or not, with the reason. It does
// not block and may be called with the same state again.
type StatusFunc func(source string, up bool, why string)

// Stage is one step of the pipeline. Process may change and return the slice
// that it is given; it keeps no reference to it. Stages are called from one
// goroutine at a time.
type Stage interface {
	Name() string
	Process(in []signal.Sample) []signal.Sample
}

// Through sends samples through the stages in order.
func Through(stages []Stage, in []signal.Sample) []signal.Sample {
	for _, s := range stages {
		if len(in) == 0 {
			return in
		}
		in = s.Process(in)
	}
	return in
}
