package modbus

import (
	"hash/fnv"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tbrandon/mbserver"

	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/signal"
)

// troubled is an image that tells what the device gets wrong; *plc.PLC is one.
type troubled interface{ OnTrouble(f func(plc.Trouble)) }

var _ troubled = (*plc.PLC)(nil)

// trouble is what a server shows of it.
type trouble struct {
	now atomic.Pointer[plc.Trouble]
	// turn is the last LateTurn that had its one late answer.
	turn atomic.Uint32
	mu   sync.Mutex
	dice *rand.Rand // who is refused
}

func (t *trouble) init(plcName string) {
	h := fnv.New64a()
	h.Write([]byte(plcName))
	t.dice = rand.New(rand.NewPCG(h.Sum64(), 0x6D6F64627573))
	t.now.Store(&plc.Trouble{})
}

// lateness is how much later an answer that is ready now leaves.
func (t *trouble) lateness() time.Duration {
	now := t.now.Load()
	if now.Late > 0 && now.LateTurn != 0 && t.turn.Swap(now.LateTurn) == now.LateTurn {
		return 0
	}
	return now.Late
}

// refuses gives the exception with which a request is refused, if it is. Modbus
// has no items in a request that could be refused by themselves.
func (t *trouble) refuses(function byte) mbserver.Exception {
	r := &t.now.Load().Refuse
	if r.Code == "" || r.On != "" && !slices.Contains(kindsOf(function), r.On) {
		return none
	}
	if r.Share < 1 {
		t.mu.Lock()
		spared := t.dice.Float64() >= r.Share
		t.mu.Unlock()
		if spared {
			return none
		}
	}
	c, _ := plc.FindCode(r.Code)
	return mbserver.Exception(c.Modbus)
}

// kindsOf tells what a function is of plc.Requests.
func kindsOf(function byte) []string {
	switch function {
	case readCoils, readDiscreteInputs, readHolding, readInput:
		return []string{"read"}
	case writeCoil, writeRegister, writeCoils, writeRegisters, maskWrite:
		return []string{"write"}
	case readWrite:
		return []string{"read", "write"}
	}
	return nil
}

// onTrouble takes over what the device gets wrong from now on. The PLC calls it
// on the goroutine that scans.
func (s *Server) onTrouble(t plc.Trouble) {
	was := s.trouble.now.Load()
	s.trouble.now.Store(&t)
	if !slices.Equal(t.Gone, was.Gone) {
		s.bank.lose(t.Gone)
	}
	if t.Boots != was.Boots {
		s.bank.forget()
	}
	if t.Down && !was.Down || t.Boots != was.Boots {
		s.mu.Lock()
		defer s.mu.Unlock()
		for c := range s.conns {
			reset(c.Conn)
		}
	}
}

// reset closes a connection as a device does that has lost all knowledge of it.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	c.Close()
}

// span is a run of addresses, [start, end).
type span struct{ start, end int }

// missing are addresses that the device does not know for now, by table.
type missing struct{ words, bits []span }

func hits(all []span, start, count int) bool {
	return slices.ContainsFunc(all, func(s span) bool { return start < s.end && s.start < start+count })
}

// lose takes the addresses of tags away; those of all others are there.
func (b *bank) lose(gone []signal.ID) {
	m := &missing{}
	for i := range b.m.Registers {
		r := &b.m.Registers[i]
		if _, found := slices.BinarySearch(gone, r.ID); !found {
			continue
		}
		m.words = append(m.words, span{int(r.Address), int(r.Address) + r.Words()})
		if bit := slices.Index(b.m.Bits, i); bit >= 0 {
			m.bits = append(m.bits, span{bit, bit + 1})
		}
	}
	b.missing.Store(m)
}

// forget empties the memory, markers and all, as a loss of power does.
func (b *bank) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.shown.HoldingRegisters)
	clear(b.shown.Coils)
	clear(b.wanted.HoldingRegisters)
	clear(b.seq)
}
