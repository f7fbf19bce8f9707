package opcua

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// publishing is a publish request that waits.
type publishing struct {
	x    *exchange
	acks []ua.StatusCode // what became of its acknowledgements
}

// statusNote tells a session that a subscription of its has ended or gone.
type statusNote struct {
	sub, seq uint32
	status   ua.StatusCode
}

func (sess *session) note(sub *subscription, status ua.StatusCode) {
	sess.notes = append(sess.notes, statusNote{sub.id, sub.next, status})
}

func (x *exchange) publish(r *ua.PublishRequest) (any, error) {
	s := x.s
	s.mu.Lock()
	defer s.mu.Unlock()
	sess := x.session
	switch {
	case s.tokens[sess.token] != sess:
		return nil, ua.StatusBadSessionClosed
	case len(sess.subs) == 0 && len(sess.notes) == 0:
		return nil, ua.StatusBadNoSubscription
	}
	p := publishing{x: x, acks: make([]ua.StatusCode, len(r.SubscriptionAcknowledgements))}
	for i, a := range r.SubscriptionAcknowledgements {
		p.acks[i] = sess.acknowledge(a)
	}
	if len(sess.queue) >= s.cfg.Limits.Publish {
		sess.queue[0].x.answer(0, nil, ua.StatusBadTooManyPublishRequests)
		sess.queue = slices.Delete(sess.queue, 0, 1)
	}
	sess.queue = append(sess.queue, p)
	s.pump(sess)
	return nil, nil
}

// acknowledge forgets a message that the client has.
func (sess *session) acknowledge(a *ua.SubscriptionAcknowledgement) ua.StatusCode {
	for _, sub := range sess.subs {
		if sub.id != a.SubscriptionID {
			continue
		}
		for i := range sub.sent {
			if sub.sent[i].seq == a.SequenceNumber {
				sub.sent = slices.Delete(sub.sent, i, i+1)
				return ua.StatusOK
			}
		}
		return ua.StatusBadSequenceNumberUnknown
	}
	return ua.StatusBadSubscriptionIDInvalid
}

// pump answers publish requests of a session for as long as there are some
// and something is due. It returns the connection to flush, if any. The mutex
// is held.
func (s *Server) pump(sess *session) (flush *conn) {
	for sess != nil && len(sess.queue) > 0 {
		var sub *subscription
		if len(sess.notes) == 0 {
			if sub = sess.mostUrgent(); sub == nil {
				return flush
			}
		}
		p := sess.queue[0]
		if sess.queue = sess.queue[1:]; len(sess.queue) == 0 {
			sess.queue = nil
		}
		flush = p.x.c
		p.x.now = time.Now()
		switch {
		case p.expired():
			p.x.answer(0, nil, ua.StatusBadTimeout)
		case sub == nil:
			s.publishNote(sess, &p)
		default:
			s.publishOne(sub, &p)
		}
	}
	return flush
}

// expired tells of a request for which the client waits no longer: it would
// throw the answer away.
func (p *publishing) expired() bool {
	x := p.x
	return x.head.hint > 0 && x.now.Sub(x.came) >= x.head.hint
}

// mostUrgent is the subscription to serve next: the highest priority, and in
// it who waits longest.
func (sess *session) mostUrgent() *subscription {
	var best *subscription
	for _, sub := range sess.subs {
		if sub.due && (best == nil || sub.priority > best.priority || sub.priority == best.priority && int32(sub.turn-best.turn) < 0) {
			best = sub
		}
	}
	return best
}

// answerAll refuses all publish requests that wait. The mutex is held.
func (s *Server) answerAll(sess *session, status ua.StatusCode) {
	queue := sess.queue
	sess.queue = nil
	var flush *conn
	for _, p := range queue {
		p.x.now = time.Now()
		p.x.answer(0, nil, status)
		flush = p.x.c
	}
	if flush != nil && !s.closed { // with what the connection says next it may be too late
		s.wg.Add(1)
		go func() { defer s.wg.Done(); flush.flush() }()
	}
}

// publishNote answers with the end of a subscription.
func (s *Server) publishNote(sess *session, p *publishing) {
	n := sess.notes[0]
	sess.notes = sess.notes[1:]
	p.x.answer(publishResponse, &noteMessage{n, p}, nil)
	if len(sess.notes) == 0 && len(sess.subs) == 0 {
		s.answerAll(sess, ua.StatusBadNoSubscription)
	}
}

// publishOne answers with what a subscription has to say.
func (s *Server) publishOne(sub *subscription, p *publishing) {
	sub.count.requests++
	m := &dataMessage{s: s, sub: sub, p: p}
	p.x.answer(publishResponse, m, nil)
	sub.due, sub.idle, sub.silent = false, 0, 0
	if sub.enabled && sub.pending() {
		s.makeDue(sub)
	}
}

const publishResponse = id.PublishResponse_Encoding_DefaultBinary

// dataMessage writes a publish response with a data change notification or,
// if there is none, a keep-alive.
type dataMessage struct {
	s   *Server
	sub *subscription
	p   *publishing
}

func (m *dataMessage) append(b []byte) ([]byte, []Ref) {
	sub := m.sub
	data := sub.enabled && sub.pending()
	if data && len(sub.sent) >= m.s.cfg.Limits.Retransmit {
		sub.sent = slices.Delete(sub.sent, 0, 1)
		sub.count.discarded++
	}
	b = appendU32(b, sub.id)
	again := sub.available()
	if data && !m.s.forgetful() {
		again = append(again, sub.next)
	}
	b = appendU32(b, uint32(len(again)))
	for _, seq := range again {
		b = appendU32(b, seq)
	}
	more := len(b)
	b = append(b, 0)
	start := len(b)
	b = appendU32(b, sub.next)
	b = appendU64(b, ticks(m.p.x.s.clock(m.p.x.now)))
	if !data {
		b = appendU32(b, 0)
		return m.p.appendAcks(b), nil
	}
	b, refs := m.appendData(b)
	sub.count.messages++
	k := kept{seq: sub.next}
	if !m.s.forgetful() {
		k.b, k.refs = slices.Clone(b[start:]), refs
	}
	sub.sent = append(sub.sent, k)
	if sub.next++; sub.next == 0 {
		sub.next = 1
	}
	if sub.pending() {
		b[more] = 1
	}
	return m.p.appendAcks(b), refs
}

// appendData drains the queues into one DataChangeNotification and one
// EventNotificationList, or either.
func (m *dataMessage) appendData(b []byte) ([]byte, []Ref) {
	sub, left := m.sub, m.sub.most
	if c := m.p.x.c; c.maxMessage > 0 {
		left = min(left, max(1, c.maxMessage/64)) // 64 bytes hold any notification of a tag
	}
	parts := len(b)
	b = appendU32(b, 0)
	var refs []Ref
	if waiting(&sub.ready) {
		b[parts]++
		var n int
		b, refs, n = m.appendValues(b, left)
		left -= n
		sub.count.values += uint32(n)
	}
	if left > 0 && waiting(&sub.said) {
		b[parts]++
		b = m.appendEvents(b, left)
	}
	return b, refs
}

// appendValues drains at most left values.
func (m *dataMessage) appendValues(b []byte, left int) ([]byte, []Ref, int) {
	sub := m.sub
	b = appendTypeID(b, id.DataChangeNotification_Encoding_DefaultBinary)
	b = append(b, ua.ExtensionObjectBinary)
	size := len(b)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0) // bytes of the body, number of notifications
	var refs []Ref
	tap, n := m.s.tap != nil, 0
	if tap {
		refs = make([]Ref, 0, min(left, sub.queued()))
	}
	for left > n && waiting(&sub.ready) {
		it := sub.ready[0]
		for ; it.queue.n > 0 && n < left; n++ {
			e := it.queue.at(0)
			b = it.appendEntry(b, e)
			if tap && e.seq > 0 {
				refs = append(refs, it.node.tag.ref(e.seq))
			}
			it.queue.pop()
		}
	}
	b = appendU32(b, 0) // no diagnostics
	binary.LittleEndian.PutUint32(b[size:], uint32(len(b)-size-4))
	binary.LittleEndian.PutUint32(b[size+4:], uint32(n))
	return b, refs, n
}

// queued counts the values that are ready to be reported.
func (sub *subscription) queued() int {
	n := 0
	for _, it := range sub.ready {
		n += it.queue.n
	}
	return n
}

// appendAcks ends a publish response.
func (p *publishing) appendAcks(b []byte) []byte {
	b = appendU32(b, uint32(len(p.acks)))
	for _, a := range p.acks {
		b = appendU32(b, uint32(a))
	}
	return appendU32(b, 0) // no diagnostics
}

// noteMessage writes a publish response with a status change notification.
type noteMessage struct {
	statusNote
	p *publishing
}

func (m *noteMessage) append(b []byte) ([]byte, []Ref) {
	b = appendU32(b, m.sub)
	b = appendU32(b, 0) // nothing can be asked for again
	b = append(b, 0)    // nothing more
	b = appendU32(b, m.seq)
	b = appendU64(b, ticks(m.p.x.s.clock(m.p.x.now)))
	b = appendU32(b, 1)
	b = appendTypeID(b, id.StatusChangeNotification_Encoding_DefaultBinary)
	b = append(b, ua.ExtensionObjectBinary)
	b = appendU32(b, 5)
	b = appendU32(b, uint32(m.status))
	b = append(b, 0) // no diagnostics
	return m.p.appendAcks(b), nil
}

// republish sends a message again that was not acknowledged.
func (x *exchange) republish(r *ua.RepublishRequest) (any, error) {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	sub, err := x.subscription(r.SubscriptionID)
	if err != nil {
		return nil, err
	}
	sub.count.republishAsked++
	for i := range sub.sent {
		if sub.sent[i].seq == r.RetransmitSequenceNumber && sub.sent[i].b != nil {
			sub.count.republished++
			x.s.stats.republished.Add(1)
			return &sub.sent[i], nil
		}
	}
	return nil, ua.StatusBadMessageNotAvailable
}

// forgetful tells whether nothing is kept of what was sent.
func (s *Server) forgetful() bool { return s.shown.Load().trouble.NoRepublish }

// append writes a republish response.
func (k *kept) append(b []byte) ([]byte, []Ref) { return append(b, k.b...), k.refs }
