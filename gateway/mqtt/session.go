package mqtt

import (
	"context"
	"io"
	"sync"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho/log"
	"github.com/eclipse/paho.golang/paho/session"
)

// outbound is the MQTT session of a client whose store is the buffer, and which
// subscribes to little: what it hears is retained at the broker. It remembers nothing across connections and never sends
// anything again by itself: the publisher goes back in the buffer instead,
// which keeps the order. Messages are on their way when send returns; the
// acknowledgements come through acks.
type outbound struct {
	acks chan struct{} // capacity one: there is something in got

	mu    sync.Mutex
	up    bool
	ready bool // the library knows of it too
	life  int  // counts connections
	using int  // the connection that the publisher has taken notice of
	id    uint16
	got   []ack
	conn  io.Writer
	asked map[uint16]chan<- packets.ControlPacket // for a SUBACK
	terms terms
}

// terms are what the broker allows on a connection.
type terms struct {
	life      int  // number of the connection
	up        bool // it can be used
	quota     int  // receive maximum
	maxPacket int  // maximum packet size, 0 without
	aliases   int  // topic aliases
}

type ack struct {
	id     uint16
	reason byte
}

func newOutbound() *outbound { return &outbound{acks: make(chan struct{}, 1)} }

// use begins with the present connection: only from here on will messages be
// let through to it. So a message that was meant for the connection before
// never overtakes those that have to be sent again.
func (s *outbound) use() terms {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.using = s.life
	t := s.terms
	t.life, t.up = s.life, s.up && s.ready
	return t
}

// confirm says that messages can be published.
func (s *outbound) confirm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready = true
}

// alive tells whether that connection is still the one in use.
func (s *outbound) alive(life int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.up && s.life == life
}

// take appends the acknowledgements that have come since the last take.
func (s *outbound) take(dst []ack) []ack {
	s.mu.Lock()
	defer s.mu.Unlock()
	dst = append(dst, s.got...)
	s.got = s.got[:0]
	return dst
}

// ConAckReceived begins a connection.
func (s *outbound) ConAckReceived(conn io.Writer, _ *packets.Connect, ca *packets.Connack) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn, s.asked = conn, map[uint16]chan<- packets.ControlPacket{}
	s.up, s.ready, s.id, s.got = true, false, 0, s.got[:0]
	s.life++
	s.terms = terms{quota: 65_535}
	if p := ca.Properties; p != nil {
		if p.ReceiveMaximum != nil {
			s.terms.quota = max(1, int(*p.ReceiveMaximum))
		}
		if p.MaximumPacketSize != nil {
			s.terms.maxPacket = int(*p.MaximumPacketSize)
		}
		if p.TopicAliasMaximum != nil {
			s.terms.aliases = int(*p.TopicAliasMaximum)
		}
	}
	return nil
}

// ConnectionLost ends it.
func (s *outbound) ConnectionLost(*packets.Disconnect) error {
	s.mu.Lock()
	s.up = false
	s.mu.Unlock()
	poke(s.acks)
	return nil
}

// AddToSession gives a SUBSCRIBE its identifier; messages go by send.
func (s *outbound) AddToSession(_ context.Context, p session.Packet, resp chan<- packets.ControlPacket) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.up || s.using != s.life {
		return session.ErrNoConnection
	}
	if s.id++; s.id == 0 {
		s.id = 1
	}
	p.SetIdentifier(s.id)
	s.asked[s.id] = resp
	return nil
}

// PacketReceived takes acknowledgements, and hands messages on.
func (s *outbound) PacketReceived(p *packets.ControlPacket, messages chan<- *packets.Publish) error {
	switch a := p.Content.(type) {
	case *packets.Puback:
		s.tell(ack{a.PacketID, a.ReasonCode})
	case *packets.Pubrec:
		if a.ReasonCode >= 0x80 {
			s.tell(ack{a.PacketID, a.ReasonCode})
			break
		}
		s.mu.Lock()
		conn := s.conn
		s.mu.Unlock()
		_, err := (&packets.Pubrel{PacketID: a.PacketID, Properties: &packets.Properties{}}).WriteTo(conn)
		return err
	case *packets.Pubcomp: // with whatever reason: the broker has had the message
		s.tell(ack{a.PacketID, 0})
	case *packets.Suback:
		s.mu.Lock()
		resp := s.asked[a.PacketID]
		delete(s.asked, a.PacketID)
		s.mu.Unlock()
		if resp != nil { // has room for one
			resp <- *p
		}
	case *packets.Publish:
		messages <- a
	}
	return nil
}

// send puts a message on the connection in use, under an identifier. It goes
// past the library, which would make a context and a timer for each.
func (s *outbound) send(m *packets.Publish) (id uint16, err error) {
	s.mu.Lock()
	if !s.up || !s.ready || s.using != s.life {
		s.mu.Unlock()
		return 0, session.ErrNoConnection
	}
	if s.id++; s.id == 0 {
		s.id = 1
	}
	id = s.id
	m.PacketID = id
	conn := s.conn
	s.mu.Unlock()
	_, err = m.WriteTo(conn)
	return id, err
}

func (s *outbound) tell(a ack) {
	s.mu.Lock()
	s.got = append(s.got, a)
	s.mu.Unlock()
	poke(s.acks)
}

// The rest of the interface has nothing to do here.

// Ack acknowledges a received message.
func (s *outbound) Ack(m *packets.Publish) error {
	s.mu.Lock()
	conn := s.conn
	s.mu.Unlock()
	if m.QoS == 0 || conn == nil {
		return nil
	}
	_, err := (&packets.Puback{PacketID: m.PacketID, Properties: &packets.Properties{}}).WriteTo(conn)
	return err
}

// Close has nothing to release.
func (s *outbound) Close() error { return nil }

// SetErrorLogger is not used.
func (s *outbound) SetErrorLogger(log.Logger) {}

// SetDebugLogger is not used.
func (s *outbound) SetDebugLogger(log.Logger) {}

// poke makes a channel of capacity one readable.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
