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
	// Broker finds "broker".
	Broker(target string) (Broker, bool)
	// Machine finds a machine of the plant by its name.
	Machine(name string) (Machine, bool)
}

// The ways of a link. "" means both, or the one that suits.
const (
	ToServer = "to_server"
	ToClient = "to_client"
)

// Link is the network between two parts. Of its two ends one is a client,
// which is always the gateway, and the other a server.
type Link interface {
	// Down takes it down in one of the modes rst, fin, blackhole, refuse; way
	// is for a black hole that swallows one direction alone.
	Down(mode, way string) error
	Up()
	// Stall holds back what goes that way.
	Stall(way string, on bool)
	// SetShape says what bytes meet on either way; the zero Shape is nothing.
	SetShape(toServer, toClient Shape)
	// SetRules says what happens to chosen bytes and frames; none is nothing.
	SetRules([]Rule) error
	// HalfOpen takes the server's or else the client's ends of all connections
	// away without telling the others; Mend lets these know.
	HalfOpen(serverGone bool)
	Mend()
}

// Shape is what bytes meet on their way: they are late, and none is lost.
type Shape struct {
	Delays []Delay // one behind the other
	Losses []Loss
	// Rate is in bytes per second; 0 is no limit.
	Rate float64
	// Slice is the most bytes at a time, Gap the pause between; 0 is any.
	Slice int
	Gap   time.Duration
}

// Delay varies by Jitter as one of Spreads says.
type Delay struct {
	Delay, Jitter time.Duration
	Spread        string
}

// Loss is a network that is good and bad in turn, for times with these means;
// RTO is after what time a lost packet is sent again.
type Loss struct{ Good, Bad, RTO time.Duration }

// Rule is something that happens to chosen bytes or frames.
type Rule struct {
	// ID is the window's own; a rule that is set again keeps its counts.
	ID  int
	Way string
	// Do is one of FrameActions, or corrupt.
	Do string
	// Frame is chosen by its name, the Nth of them and Count in all; "" goes by
	// bytes, the first behind After.
	Frame      string
	Nth, Count int
	After      int64
	Hold       time.Duration
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
	// SetCross adds v engineering units for each kelvin that the air around the
	// sensor is away from 25 degC.
	SetCross(v float64)
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
	// Kill ends it without a word, at once or at that point of its disk's work.
	Kill(DiskPoint) error
	// Stop asks it to end; Restart starts it again after either. It is an error
	// where the point of a Kill was never reached.
	Stop()
	Restart() error
	Pause(on bool)
	// DiskFull lets so many bytes more be written; every write after that fails.
	DiskFull(afterBytes int64)
	// DiskSlow has every sync take that long; 0 is the disk's own time.
	DiskSlow(sync time.Duration)
	// DiskReadOnly has every change fail.
	DiskReadOnly(on bool)
	// ClearDisk ends all three.
	ClearDisk()
	// PushConfig gives the gateway its configuration once more, unchanged.
	PushConfig() error
	// FlipBit turns one bit of what is stored; place is from 0 to 1.
	FlipBit(place float64) error
	// Clock sets the host's wall clock off by offset now and has it gain drift
	// seconds per second from now on; 0, 0 is right again.
	Clock(offset time.Duration, drift float64) error
}

// DiskPoint is a moment in the work of a disk: the Nth operation of a kind
// from now on, counted from 1. An empty Op is now.
type DiskPoint struct {
	Op  string
	Nth int
	// Torn leaves a part of what was written and not synced.
	Torn bool
}

// Broker is the broker between gateway and twin.
type Broker interface {
	// Stop resets every connection and refuses new ones; Start ends that, with
	// sessions and retained messages as they were, or with none.
	Stop()
	Start(keep bool) error
	// Quota has every message that the gateway publishes refused.
	Quota(on bool)
	// Revoke throws the gateway out and refuses its credentials.
	Revoke(on bool)
	// Intrude has another client connect with the gateway's id, again and again.
	Intrude(on bool)
}

// Machine is where a fault can wait for a state.
type Machine interface {
	State() string
	// OnState has f told of every change, on the kernel's goroutine.
	OnState(f func(state string))
}
