package opcua

import (
	"net"
	"slices"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/signal"
)

// troubled is an image that tells what the device gets wrong; *plc.PLC is one.
type troubled interface{ OnTrouble(f func(plc.Trouble)) }

var _ troubled = (*plc.PLC)(nil)

// shown is what clients find at present. It is replaced as a whole.
type shown struct {
	trouble plc.Trouble
	space   *space
	sec     *Security
}

// trouble takes over what the device gets wrong from now on. The PLC calls it
// on the goroutine that scans.
func (s *Server) trouble(t plc.Trouble) {
	s.mu.Lock()
	was := s.shown.Load()
	now := &shown{trouble: t, space: was.space, sec: was.sec}
	if t.Moved != was.trouble.Moved {
		if sp, err := newSpace(s.img, s.cfg, t.Moved); err == nil { // as it was made before
			sp.keepWritten(was.space, t.Moved-was.trouble.Moved)
			now.space = sp
		}
	}
	if !slices.Equal(now.space.gone, t.Gone) {
		sp := *now.space
		sp.gone = t.Gone
		now.space = &sp
	}
	if t.Certificate != was.trouble.Certificate || t.Expired != was.trouble.Expired {
		sec, err := s.cfg.Security.renewed(s.cfg.ApplicationURI, t.Certificate, t.Expired, time.Now())
		if err != nil {
			s.log.Error("no other certificate can be made", "err", err)
		} else {
			now.sec = sec
		}
	}
	s.shown.Store(now)
	var cut []*conn
	switch {
	case s.closed:
	case t.Down && !was.trouble.Down, t.Boots != was.trouble.Boots, t.Moved != was.trouble.Moved:
		cut = s.reboot(t.SameIDs)
	case t.NoRepublish && !was.trouble.NoRepublish:
		for _, sub := range s.subs {
			for i := range sub.sent {
				sub.sent[i].b, sub.sent[i].refs = nil, nil
			}
		}
	}
	if t.WrapIn != was.trouble.WrapIn && t.WrapIn > 0 {
		s.ids.session, s.ids.sub, s.ids.channel = -t.WrapIn, -t.WrapIn, -t.WrapIn // 2^32 less so many
	}
	if !s.closed && len(t.Gone)+len(was.trouble.Gone) > 0 {
		s.lose(t.Gone)
	}
	s.mu.Unlock()
	for _, c := range cut {
		reset(c.nc)
		c.end()
	}
}

// reboot forgets all that is kept for clients, without a word to them, and
// returns the connections to cut. The mutex is held.
func (s *Server) reboot(sameIDs bool) []*conn {
	for _, sess := range s.sessions {
		s.halt(sess.timer)
		sess.conn, sess.queue, sess.subs, sess.points = nil, nil, nil, nil
	}
	for _, sub := range s.subs { // stopping a timer shows nowhere
		s.halt(sub.timer)
		sub.dead = true
	}
	s.stats.sessions.Store(0)
	s.stats.subscriptions.Store(0)
	s.sessions, s.tokens, s.subs = nil, map[string]*session{}, map[uint32]*subscription{}
	for i := range s.feeds {
		s.feeds[i] = nil
	}
	for _, task := range s.space().alarms {
		for _, a := range task {
			a.reset()
		}
	}
	if s.start = s.clock(time.Now()); sameIDs {
		s.ids = s.firstIDs
	} else {
		s.drawIDs()
	}
	for _, c := range s.conns {
		c.sessions = 0
	}
	return slices.Clone(s.conns)
}

// lose tells the items of tags that have gone so; those of tags that are back
// report the next scan, whatever is in it. The mutex is held.
func (s *Server) lose(gone []signal.ID) {
	now := ticks(s.clock(time.Now()))
	for _, feed := range s.feeds {
		for _, it := range feed {
			if it.node.tag == nil {
				continue
			}
			_, lost := slices.BinarySearch(gone, it.node.tag.tag.ID)
			if lost == it.lost {
				continue
			}
			if it.lost = lost; lost && it.mode != ua.MonitoringModeDisabled {
				it.sample(&entry{status: signal.Quality(ua.StatusBadNodeIDUnknown), none: true, server: now})
			}
		}
	}
}

// reset closes a connection as a device does that has lost all knowledge of it.
func reset(nc net.Conn) {
	if tcp, ok := nc.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	nc.Close()
}

// lateness is when a message that is ready now may leave; the zero time is at once.
func (s *Server) lateness() time.Time {
	t := &s.shown.Load().trouble
	if t.Late <= 0 || t.LateTurn != 0 && s.slow.Swap(t.LateTurn) == t.LateTurn {
		return time.Time{}
	}
	return time.Now().Add(t.Late)
}

// refuses tells with what a request of that kind, or an item in it, is to be
// refused; StatusOK is not at all.
func (s *Server) refuses(kind string, item bool) ua.StatusCode {
	r := &s.shown.Load().trouble.Refuse
	if r.Code == "" || r.Items != item || kind == "" || r.On != "" && r.On != kind {
		return ua.StatusOK
	}
	if r.Share < 1 {
		s.dice.Lock()
		spared := s.dice.rng.Float64() >= r.Share
		s.dice.Unlock()
		if spared {
			return ua.StatusOK
		}
	}
	c, _ := plc.FindCode(r.Code)
	return ua.StatusCode(c.OPCUA)
}
