package faults

import (
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// Plant finds the seams by the names that a scenario uses. Every call comes
// from the kernel's goroutine and must not block.
type Plant interface {
	// Link finds the link of a PLC by the PLC's name, and the one from the
	// gateway to the broker as "broker".
	Link(target string) (Link, bool)
	// Knob finds a component as "machine/component".
	Knob(target string) (Knob, bool)
	// Channel finds the sensor of a signal by its ID, and the span it measures.
	Channel(target string) (Channel, Span, bool)
	// Switch finds a PLC by its name.
	Switch(target string) (Switch, bool)
	// Host finds a process of the stack, such as "gateway".
	Host(target string) (Host, bool)
}

// Link is the network between two parts.
type Link interface {
	// Down takes it down in one of the modes rst, fin, blackhole, refuse.
	Down(mode string) error
	Up()
	// SetLatency is for each way; 0, 0 ends it.
	SetLatency(delay, jitter time.Duration)
	// SetBandwidth is in bytes per second for each way; 0 is no limit.
	SetBandwidth(bps float64)
	Stall(on bool)
}

// Knob is the wear of one component.
type Knob interface {
	// Wear plans damage that starts at onset and is a failure at failure, both
	// since the start of the run.
	Wear(onset, failure time.Duration) error
	// Set holds the damage at a level from 0 to 1.
	Set(level float64) error
	// Clear makes the component as new.
	Clear()
}

// Channel is the way of one reading from its machine to its PLC.
type Channel interface {
	// SetBias adds v engineering units; 0 is healthy.
	SetBias(v float64)
	// Drift adds a ramp of so many engineering units per second from an
	// instant of the run on; a rate of 0 is healthy.
	Drift(from time.Duration, perSecond float64)
	// SetGain multiplies by g; 1 is healthy.
	SetGain(g float64)
	// SetNoise multiplies the healthy noise by factor; 1 is healthy.
	SetNoise(factor float64)
	// Stuck holds the last reading, with a good quality.
	Stuck(on bool)
	// Spike adds plus or minus amplitude engineering units to that share of
	// the readings; 0, 0 is healthy.
	Spike(ratePerSample, amplitude float64)
	// Dropout loses the signal; the PLC says that its quality is bad.
	Dropout(on bool)
	// Clear makes it healthy.
	Clear()
}

// Span is what a sensor can measure, in engineering units.
type Span struct{ Lo, Hi float64 }

// width is what percentages are of.
func (s Span) width() float64 { return s.Hi - s.Lo }

// Switch is where a PLC itself misbehaves.
type Switch interface {
	Stop()
	Start()
	Freeze(on bool)
	// BadQuality has every value say q; signal.Good ends it.
	BadQuality(q signal.Quality)
	// Clock sets the device's clock off by offset now and has it gain drift
	// seconds per second from now on (1 ppm is 1e-6); 0, 0 is right again.
	Clock(offset time.Duration, drift float64)
	// Restart takes the device down, or has it come up without a memory; with
	// sameIDs its ids begin where they began before.
	Restart(down, sameIDs bool)
	// Slow has answers leave later by delay, all or once the next one; 0 ends it.
	Slow(delay time.Duration, once bool)
	// Refuse answers a share of requests, or of their items, with an error by
	// its name in PLCErrors; "" ends it. On is one of PLCRequests, "" any.
	Refuse(code, on string, share float64, items bool) error
	SessionsFull(on bool)
	// Gone takes tags out of what the device knows; none is all back.
	Gone(tags []string) error
	// MoveNamespace moves the index of the device's names; 0 is where it was.
	MoveNamespace(by int) error
	NoRepublish(on bool) error
	// Certificate shows the nth certificate, 0 being the first, or one whose
	// time is over.
	Certificate(n uint32, expired bool) error
	// WrapCounter has counters wrap after so many scans; 0 leaves them.
	WrapCounter(scans uint32)
	Clear()
}

// Host is what a process of the stack stands on.
type Host interface {
	Kill()
	Restart()
	Pause(on bool)
	// DiskFull lets so many bytes more be written; every write after that fails.
	DiskFull(afterBytes int64)
	// DiskSlow has every sync take that long; 0 is the disk's own time.
	DiskSlow(sync time.Duration)
	// ClearDisk ends DiskFull and DiskSlow.
	ClearDisk()
}
