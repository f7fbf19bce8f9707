package plc

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// Trouble is what a device gets wrong on its network, all of it at one moment.
// A server is told of each change and keeps to it; the zero Trouble is a sound
// device. What concerns values, qualities and clock is in the blocks already.
type Trouble struct {
	// Down is a device that is starting: it resets every connection, and
	// whoever comes. Boots counts how often it has come up again; whatever a
	// server keeps for its clients is gone with each.
	Down  bool
	Boots uint32
	// SameIDs has a server that comes up give out the ids of sessions and
	// subscriptions from where it began at its last start.
	SameIDs bool
	// Late is how much later each answer leaves. LateTurn is not 0 where that
	// holds for one answer alone, the first since it changed; those behind it on
	// the same connection wait for it.
	Late     time.Duration
	LateTurn uint32
	// Refuse answers requests with an error.
	Refuse Refusal
	// SessionsFull refuses new sessions, or connections where there are no
	// sessions; those that exist stay.
	SessionsFull bool
	// Gone are tags that the device does not know for now, sorted.
	Gone []signal.ID
	// Moved is by how many places the index of the PLC's OPC UA namespace has
	// moved up. A move ends all sessions.
	Moved int
	// NoRepublish is an OPC UA server without a retransmission queue.
	NoRepublish bool
	// Certificate numbers the certificate that is shown; 0 is the first.
	// Expired has it be one whose time is over.
	Certificate uint32
	Expired     bool
	// Clock is how far the device's own clock is off: what it says of the time
	// besides the stamps of its scans goes by it.
	Clock Clock
	// WrapIn is a device that has run for long, so that its counters are about
	// to wrap: how many scans are left, and of an OPC UA server, how many ids
	// of each kind and how many chunks of each new channel. The notifications
	// of a new subscription count from 1 all the same, as the standard has it.
	WrapIn uint32
}

// Clock is one that was set wrong at an instant, and gains Drift seconds per
// second since.
type Clock struct {
	Set    time.Time
	Offset time.Duration
	Drift  float64
}

// Says is what the clock shows at an instant.
func (c Clock) Says(t time.Time) time.Time {
	if c == (Clock{}) {
		return t
	}
	return t.Add(c.Offset + time.Duration(c.Drift*float64(t.Sub(c.Set))))
}

// Lacks tells whether a tag is gone.
func (t *Trouble) Lacks(id signal.ID) bool {
	if len(t.Gone) == 0 {
		return false
	}
	_, gone := slices.BinarySearch(t.Gone, id)
	return gone
}

// Refusal is an error that a device answers with. The zero Refusal is none.
type Refusal struct {
	// Code is a row of Codes.
	Code string
	// On is the kind of request that is refused, one of Requests; "" is any.
	On string
	// Share is the part of requests, or of items, that is refused: 0 to 1.
	Share float64
	// Items refuses single items of a request where the protocol can.
	Items bool
}

// Code is an error as each protocol has it.
type Code struct {
	Name   string
	Modbus byte   // exception code
	OPCUA  uint32 // status code
}

// Codes are the errors that a device can answer with.
var Codes = []Code{
	{"busy", 6, 0x80EE0000},           // server device busy; BadServerTooBusy
	{"acknowledge", 5, 0x80000000},    // acknowledge, comes later; Bad
	{"bad_function", 1, 0x800B0000},   // illegal function; BadServiceUnsupported
	{"bad_address", 2, 0x80340000},    // illegal data address; BadNodeIdUnknown
	{"bad_value", 3, 0x803C0000},      // illegal data value; BadOutOfRange
	{"device_failure", 4, 0x808B0000}, // server device failure; BadDeviceFailure
	{"memory", 8, 0x80030000},         // memory parity error; BadOutOfMemory
	{"no_path", 10, 0x80050000},       // gateway path unavailable; BadCommunicationError
	{"timeout", 11, 0x800A0000},       // gateway target failed to respond; BadTimeout
	{"internal", 4, 0x80020000},       // server device failure; BadInternalError
	{"denied", 1, 0x801F0000},         // illegal function; BadUserAccessDenied
	{"shutdown", 6, 0x800C0000},       // server device busy; BadShutdown
	{"sensor_failure", 4, 0x808C0000}, // server device failure; BadSensorFailure
	{"not_connected", 11, 0x808A0000}, // gateway target failed to respond; BadNotConnected
	{"out_of_service", 4, 0x808D0000}, // server device failure; BadOutOfService
	{"not_readable", 2, 0x803A0000},   // illegal data address; BadNotReadable
}

// Requests are the kinds of request that a Refusal can single out. Modbus has
// the first two.
var Requests = []string{"read", "write", "browse", "subscribe", "publish", "call", "history"}

// FindCode looks an error up by its name.
func FindCode(name string) (Code, bool) {
	i := slices.IndexFunc(Codes, func(c Code) bool { return c.Name == name })
	if i < 0 {
		return Code{}, false
	}
	return Codes[i], true
}

// OnTrouble has f called at once and at each change after it, on the kernel's
// goroutine. It is for servers, before Start.
func (p *PLC) OnTrouble(f func(Trouble)) {
	p.onTrouble = append(p.onTrouble, f)
	f(p.sw.trouble)
}

// tell publishes the trouble of now.
func (s *Switch) tell() {
	for _, f := range s.p.onTrouble {
		f(s.trouble)
	}
}

// Restart takes the device down, or has it come up again. Coming up it knows
// nothing of before: scan counters begin anew, pending writes are lost, and
// there is no value until the first scan.
func (s *Switch) Restart(down, sameIDs bool) {
	t := &s.trouble
	was := t.Down
	t.Down, t.SameIDs = down, sameIDs
	if was && !down {
		t.Boots++
		for _, c := range s.p.cycle {
			c.forget()
		}
		for _, f := range s.p.flags {
			f.on.Store(false)
		}
	}
	s.tell()
}

// Slow has every answer leave later by delay, or, with once, the next one
// alone; 0 ends it.
func (s *Switch) Slow(delay time.Duration, once bool) {
	s.trouble.Late, s.trouble.LateTurn = delay, 0
	if once && delay > 0 {
		s.turns++
		s.trouble.LateTurn = s.turns
	}
	s.tell()
}

// Refuse answers that share of requests with an error of Codes; "" ends it. On
// singles out one of Requests, items has items refused instead of requests.
func (s *Switch) Refuse(code, on string, share float64, items bool) error {
	if _, ok := FindCode(code); !ok && code != "" {
		return fmt.Errorf("plc %q: there is no error %q", s.p.cfg.Name, code)
	}
	if on != "" && !slices.Contains(Requests, on) {
		return fmt.Errorf("plc %q: there is no kind of request %q; there are %s", s.p.cfg.Name, on, strings.Join(Requests, ", "))
	}
	s.trouble.Refuse = Refusal{code, on, share, items}
	s.tell()
	return nil
}

// SessionsFull refuses new sessions.
func (s *Switch) SessionsFull(on bool) { s.trouble.SessionsFull = on; s.tell() }

// Gone takes tags out of what the device knows; none is all back.
func (s *Switch) Gone(tags []string) error {
	gone := make([]signal.ID, 0, len(tags))
	for _, id := range tags {
		if _, ok := s.p.where[signal.ID(id)]; !ok {
			return fmt.Errorf("plc %q has no tag %q", s.p.cfg.Name, id)
		}
		gone = append(gone, signal.ID(id))
	}
	slices.Sort(gone)
	s.trouble.Gone = slices.Compact(gone)
	s.tell()
	return nil
}

// onlyOPCUA refuses what Modbus does not have.
func (s *Switch) onlyOPCUA(what string) error {
	if s.p.cfg.Protocol == "modbus" {
		return fmt.Errorf("plc %q speaks Modbus, which has no %s", s.p.cfg.Name, what)
	}
	return nil
}

// MoveNamespace moves the index of the PLC's OPC UA namespace up by so many
// places; 0 is where it was.
func (s *Switch) MoveNamespace(by int) error {
	s.trouble.Moved = by
	s.tell()
	return s.onlyOPCUA("namespaces")
}

// NoRepublish takes the retransmission queue away.
func (s *Switch) NoRepublish(on bool) error {
	s.trouble.NoRepublish = on
	s.tell()
	return s.onlyOPCUA("retransmission queue")
}

// Certificate shows the nth certificate, 0 being the first; expired, one whose
// time is over.
func (s *Switch) Certificate(n uint32, expired bool) error {
	if (n > 0 || expired) && s.p.cfg.Security == "" {
		return fmt.Errorf("plc %q shows no certificate; set its security", s.p.cfg.Name)
	}
	s.trouble.Certificate, s.trouble.Expired = n, expired
	s.tell()
	return nil
}

// WrapCounter sets every scan counter so that it goes through 2^32 - 1 to 0
// after so many scans more, and the ids and channels of an OPC UA server
// likewise; 0 leaves counters where they are.
func (s *Switch) WrapCounter(scans uint32) {
	s.trouble.WrapIn = scans
	if scans > 0 {
		for _, c := range s.p.cycle {
			c.base = c.seq + uint64(scans) - 1<<32 // modulo 2^64
		}
	}
	s.tell()
}

// forget is a task's loss of memory at a restart.
func (c *cycle) forget() {
	c.base = c.seq
	c.latest.Store(nil)
	c.mu.Lock()
	c.pending = c.pending[:0]
	c.mu.Unlock()
}
