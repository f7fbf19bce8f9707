// Package buffer stands between the pipeline and the broker: what went in is
// delivered in order and at least once, through broker outages, kills and full
// disks.
//
//	b, err := buffer.Open(cfg, buffer.Options{FS: fs, Name: "edge-1"})
//	err = b.Append(ctx, samples, done)            // done(nil) once they are on disk
//	first, samples, at, err := b.Next(ctx, 500)   // only what is on disk, in order
//	b.Ack(first + uint64(len(samples)) - 1)       // delivered: may be forgotten
//	b.Rewind()                                    // the link broke: again from the oldest not acknowledged
//
// Every record has a number. Numbers rise by one from record to record, go on
// across restarts, and together with the stream's name (made when the store is)
// are the dedup keys on the wire. They may leave gaps where something was lost.
//
// Kinds: "disk" is a segment log over a disk.FS. "memory" has the same order
// and limits, but a kill loses it. "none" keeps nothing: what cannot be
// published at once is dropped and counted; it is there for comparison.
package buffer

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/plantbed/plantbed/internal/disk"
	"github.com/plantbed/plantbed/sim/signal"
)

var (
	// ErrClosed is what a closed buffer says.
	ErrClosed = errors.New("buffer: closed")
	// ErrFull is told to the Done of samples that the policy reject-new turned away.
	ErrFull = errors.New("buffer: full, rejected by policy")
	// ErrTooLarge is told to the Done of more samples at a time than the buffer
	// could hold if it were empty.
	ErrTooLarge = errors.New("buffer: more samples at a time than max_bytes can hold")
	// ErrOffline is told to the Done of samples that kind none could not pass on.
	ErrOffline = errors.New("buffer: kind \"none\" and no broker")
)

// Reasons under which dropped samples are counted.
const (
	DropFull        = "buffer-full"        // reject-new turned them away
	DropOverwritten = "buffer-overwritten" // drop-oldest made room
	DropDamaged     = "buffer-damaged"     // what was on disk cannot be read any more
	DropOffline     = "buffer-offline"     // kind none
	DropTooLarge    = "buffer-too-large"   // more at a time than there is place
	DropExpired     = "buffer-expired"     // older than max_age
)

// Buffer has any number of appenders and one reader.
type Buffer interface {
	// Stream names the numbering.
	Stream() string
	// Append takes samples in and returns before they are durable; it blocks
	// while the disk does not keep up. done (may be nil) is called exactly once
	// in every case: with nil when all are durable, or with why they are lost.
	// An error means that ctx ended or that the buffer is closed or dead.
	Append(ctx context.Context, samples []signal.Sample, done func(error)) error
	// Room tells what Append would say of n samples: nil, or ErrFull where the
	// policy would turn them away, or ErrTooLarge where it always will. With one
	// appender the answer holds until its Append.
	Room(n int) error
	// Next blocks until there is something durable that it has not returned
	// since the last Rewind, and returns up to max of it with numbers without a
	// gap: first, first+1, ... appended is when the first one was appended. The
	// samples are valid until the following call.
	Next(ctx context.Context, max int) (first uint64, samples []signal.Sample, appended time.Time, err error)
	// TryNext is Next that returns no samples instead of blocking; a receive
	// from Ready tells when to try again.
	TryNext(max int) (first uint64, samples []signal.Sample, appended time.Time, err error)
	Ready() <-chan struct{}
	// Ack says that everything up to that number is delivered.
	Ack(upto uint64)
	// Rewind makes Next begin again with the oldest that is not acknowledged.
	Rewind()
	// Online says whether the reader has a broker; only kind none cares.
	Online(up bool)
	// Latest is the last sample of each tag that the disk knew when it was
	// opened, delivered or not: ID, Seq and SourceTime.
	Latest() []signal.Sample
	// Last is the number of the newest record appended, durable or not.
	Last() uint64
	// Depth counts the records that are not acknowledged, Bytes what they take.
	Depth() int
	Bytes() int64
	// Close commits what is pending and ends everything that blocks.
	Close() error
}

// Options are what a buffer needs beyond its Config; the functions may be nil,
// may be called from any goroutine, and must not block or call the buffer.
type Options struct {
	FS   disk.FS // kind disk only; nil opens the folder Config.Dir
	Name string  // of the gateway, mixed into a new stream's name
	Seed uint64
	Log  *slog.Logger

	OnDrop   func(reason string, n int)
	OnDepth  func(depth int)
	OnCommit func(samples, bytes int)
	// OnDurable is told the samples that have become durable, first being the
	// number of the first; it must not keep them. Asked for, it costs a copy.
	OnDurable func(first uint64, samples []signal.Sample)
	// OnTrouble tells that the disk refuses, and with an empty why that it
	// takes again.
	OnTrouble func(why string)
}

// Open makes or recovers the buffer that cfg describes.
func Open(cfg Config, opt Options) (Buffer, error) {
	cfg.Defaults()
	opt.defaults()
	switch cfg.Kind {
	case KindMemory, KindNone:
		return newMemory(cfg, opt), nil
	}
	if opt.FS == nil {
		fs, err := disk.OS(cfg.Dir)
		if err != nil {
			return nil, fmt.Errorf("buffer: %w", err)
		}
		opt.FS = fs
	}
	return openLog(cfg, opt)
}

func (o *Options) defaults() {
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if o.OnDrop == nil {
		o.OnDrop = func(string, int) {}
	}
	if o.OnDepth == nil {
		o.OnDepth = func(int) {}
	}
	if o.OnCommit == nil {
		o.OnCommit = func(int, int) {}
	}
	if o.OnTrouble == nil {
		o.OnTrouble = func(string) {}
	}
}

// newStream makes a number that two stores share only by a 64-bit accident.
func newStream(opt Options) uint64 {
	h := fnv.New64a()
	io.WriteString(h, opt.Name)
	return rand.New(rand.NewPCG(opt.Seed^h.Sum64(), uint64(time.Now().UnixNano()))).Uint64()
}

func streamName(stream uint64) string { return fmt.Sprintf("%016x", stream) }

// next is Next over TryNext.
func next(ctx context.Context, b Buffer, max int) (uint64, []signal.Sample, time.Time, error) {
	for {
		first, samples, at, err := b.TryNext(max)
		if err != nil || len(samples) > 0 {
			return first, samples, at, err
		}
		select {
		case <-b.Ready():
		case <-ctx.Done():
			return 0, nil, time.Time{}, ctx.Err()
		}
	}
}

// Reason is under what name samples that were turned away are counted.
func Reason(err error) string {
	switch err {
	case ErrTooLarge:
		return DropTooLarge
	case ErrOffline:
		return DropOffline
	}
	return DropFull
}

// poke makes a channel of capacity one readable.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
