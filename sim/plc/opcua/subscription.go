package opcua

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/gopcua/opcua/ua"
)

// subscription is one subscription. Server.mu guards it. Its publishing cycle
// (Part 4, 5.14.1.2):
//
//	every interval, counted from its creation
//	├─ no publish request waits: one cycle of its lifetime is used up
//	├─ there are notifications: a message is due
//	└─ there are none, for keepAlive cycles: a keep-alive is due
//
// What is due is sent as soon as a publish request waits for it, else it is
// late and goes out when the next one arrives.
type subscription struct {
	id       uint32
	session  *session // nil if its session is gone
	user     string   // whose it is
	interval time.Duration
	lifetime uint32 // cycles without a publish request, after which it ends
	keep     uint32 // cycles without a message, after which a keep-alive is due
	most     int    // notifications in a message
	enabled  bool
	priority uint8

	begun  time.Time // from which intervals are counted
	timer  *time.Timer
	idle   uint32 // cycles without a publish request
	silent uint32 // cycles without a message
	due    bool
	turn   uint32 // order among those of its priority that are due
	next   uint32 // sequence number of the next notification message

	lastItem uint32 // id
	items    map[uint32]*item
	order    []*item // the same in the order of their ids
	polled   []*item // those that are no tags
	ready    []*item // those that have values to report, first come first
	said     []*item // those that have events to report
	sent     []kept  // what was sent without acknowledgement, oldest first
	dead     bool
	count    published
}

// kept is a notification message that the client may ask for again.
type kept struct {
	seq  uint32
	b    []byte
	refs []Ref
}

func (x *exchange) createSubscription(r *ua.CreateSubscriptionRequest) (any, error) {
	s := x.s
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.tokens[x.session.token] != x.session:
		return nil, ua.StatusBadSessionIDInvalid
	case len(x.session.subs) >= s.cfg.Limits.Subscriptions:
		return nil, ua.StatusBadTooManySubscriptions
	}
	for up(&s.ids.sub); s.subs[s.ids.sub] != nil; up(&s.ids.sub) {
	}
	sub := &subscription{
		id: s.ids.sub, session: x.session, user: x.session.user, enabled: r.PublishingEnabled, next: 1,
		items: map[uint32]*item{},
	}
	sub.revise(s, r.RequestedPublishingInterval, r.RequestedLifetimeCount, r.RequestedMaxKeepAliveCount, r.MaxNotificationsPerPublish, r.Priority)
	sub.lastItem = -s.shown.Load().trouble.WrapIn // 2^32 less so many
	sub.silent = sub.keep                         // the first cycle sends something, be it a keep-alive
	s.subs[sub.id] = sub
	s.stats.subscriptions.Add(1)
	s.stats.allSubscriptions.Add(1)
	x.session.subs = append(x.session.subs, sub)
	s.begin(sub)
	return &ua.CreateSubscriptionResponse{
		SubscriptionID: sub.id, RevisedPublishingInterval: float64(sub.interval) / 1e6,
		RevisedLifetimeCount: sub.lifetime, RevisedMaxKeepAliveCount: sub.keep,
	}, nil
}

// Bounds of the counts of a subscription.
const (
	maxKeepAlive = 100_000
	maxInterval  = time.Hour
)

// revise brings the parameters of a subscription to what the server can do.
func (sub *subscription) revise(s *Server, ms float64, lifetime, keep, most uint32, priority uint8) {
	least := s.cfg.Limits.MinPublishing.D()
	switch {
	case !(ms > 0):
		sub.interval = least
	case ms >= float64(maxInterval)/1e6:
		sub.interval = maxInterval
	default:
		sub.interval = max(least, time.Duration(math.Round(ms*1e6)))
	}
	sub.keep = min(keep, maxKeepAlive)
	if keep == 0 {
		sub.keep = 10
	}
	sub.lifetime = max(min(lifetime, 3*maxKeepAlive), 3*sub.keep)
	sub.most = int(min(most, math.MaxInt32))
	if most == 0 {
		sub.most = math.MaxInt32
	}
	sub.priority = priority
}

// begin counts the publishing cycles from now.
func (s *Server) begin(sub *subscription) {
	sub.begun = time.Now()
	s.arm(sub)
}

// arm sets the timer to the next publishing cycle.
func (s *Server) arm(sub *subscription) {
	sub.timer = s.after(untilCycle(time.Since(sub.begun), sub.interval), func() { s.cycle(sub) })
}

// untilCycle is the time from past to the next whole interval. Cycles that a
// late machine has missed are not made up for.
func untilCycle(past, interval time.Duration) time.Duration {
	return interval - past%interval
}

// cycle is one publishing cycle of a subscription.
func (s *Server) cycle(sub *subscription) {
	s.mu.Lock()
	if s.closed || sub.dead {
		s.mu.Unlock()
		return
	}
	s.arm(sub)
	sess := sub.session
	if sess != nil && len(sess.queue) > 0 {
		sub.idle = 0
	} else if sub.idle++; sub.idle >= sub.lifetime {
		s.expire(sub)
		s.mu.Unlock()
		return
	}
	now := s.clock(time.Now())
	for _, it := range sub.polled {
		if it.mode != ua.MonitoringModeDisabled {
			it.poll(s, now)
		}
	}
	sub.silent++
	if sub.due {
		sub.count.late++
	}
	if !sub.due && (sub.enabled && sub.pending() || sub.silent >= sub.keep) {
		s.makeDue(sub)
	}
	c := s.pump(sess)
	s.mu.Unlock()
	if c != nil {
		c.flush()
	}
}

// makeDue puts a subscription last among those that wait for a publish request.
func (s *Server) makeDue(sub *subscription) {
	s.ids.turn++
	sub.due, sub.turn = true, s.ids.turn
}

// pending tells whether there is anything to report.
func (sub *subscription) pending() bool { return waiting(&sub.ready) || waiting(&sub.said) }

// waiting tells whether the first item has anything to report, and forgets
// items that have lost what they had.
func waiting(list *[]*item) bool {
	for len(*list) > 0 {
		it := (*list)[0]
		if it.reports() {
			return true
		}
		it.ready, it.triggered = false, false
		*list = (*list)[1:]
	}
	*list = nil
	return false
}

// expire ends a subscription that no client came for.
func (s *Server) expire(sub *subscription) {
	s.log.Info("subscription lifetime expired", "subscription", sub.id)
	if sess := sub.session; sess != nil {
		sess.note(sub, ua.StatusBadTimeout)
	}
	s.deleteSubscription(sub)
}

// deleteSubscription ends a subscription and its items. The mutex is held.
func (s *Server) deleteSubscription(sub *subscription) {
	s.halt(sub.timer)
	sub.dead = true
	s.stats.subscriptions.Add(^uint32(0))
	delete(s.subs, sub.id)
	s.drop(sub.order)
	if sess := sub.session; sess != nil {
		sess.subs = slices.DeleteFunc(sess.subs, func(o *subscription) bool { return o == sub })
		sub.session = nil
		if len(sess.subs) == 0 && len(sess.notes) == 0 {
			s.answerAll(sess, ua.StatusBadNoSubscription)
		}
	}
}

// allSubscriptions lists them by their ids. The mutex is held.
func (s *Server) allSubscriptions() []*subscription {
	return slices.SortedFunc(maps.Values(s.subs), func(a, b *subscription) int { return cmp.Compare(a.id, b.id) })
}

// subscription finds a subscription of the session.
func (x *exchange) subscription(id uint32) (*subscription, error) {
	sub := x.s.subs[id]
	if sub == nil || sub.session != x.session {
		return nil, ua.StatusBadSubscriptionIDInvalid
	}
	sub.idle = 0
	return sub, nil
}

func (x *exchange) modifySubscription(r *ua.ModifySubscriptionRequest) (any, error) {
	s := x.s
	s.mu.Lock()
	defer s.mu.Unlock()
	sub, err := x.subscription(r.SubscriptionID)
	if err != nil {
		return nil, err
	}
	sub.count.modified++
	was := sub.interval
	sub.revise(s, r.RequestedPublishingInterval, r.RequestedLifetimeCount, r.RequestedMaxKeepAliveCount, r.MaxNotificationsPerPublish, r.Priority)
	if sub.interval != was {
		s.halt(sub.timer)
		s.begin(sub)
	}
	return &ua.ModifySubscriptionResponse{
		RevisedPublishingInterval: float64(sub.interval) / 1e6,
		RevisedLifetimeCount:      sub.lifetime, RevisedMaxKeepAliveCount: sub.keep,
	}, nil
}

func (x *exchange) setPublishingMode(r *ua.SetPublishingModeRequest) (any, error) {
	if err := x.operations(len(r.SubscriptionIDs)); err != nil {
		return nil, err
	}
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	out := &ua.SetPublishingModeResponse{}
	for _, id := range r.SubscriptionIDs {
		sub, err := x.subscription(id)
		if err == nil {
			sub.enabled = r.PublishingEnabled
			if sub.enabled {
				sub.count.enabled++
			} else {
				sub.count.disabled++
			}
		}
		out.Results = append(out.Results, result(err))
	}
	return out, nil
}

// result is an error as the result of one operation.
func result(err error) ua.StatusCode {
	if err == nil {
		return ua.StatusOK
	}
	return err.(ua.StatusCode)
}

func (x *exchange) deleteSubscriptions(r *ua.DeleteSubscriptionsRequest) (any, error) {
	if err := x.operations(len(r.SubscriptionIDs)); err != nil {
		return nil, err
	}
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	out := &ua.DeleteSubscriptionsResponse{}
	for _, id := range r.SubscriptionIDs {
		sub, err := x.subscription(id)
		if err == nil {
			x.s.deleteSubscription(sub)
		}
		out.Results = append(out.Results, result(err))
	}
	return out, nil
}

// transferSubscriptions moves subscriptions from whatever session they are in
// to this one, with all that waits in them.
func (x *exchange) transferSubscriptions(r *ua.TransferSubscriptionsRequest) (any, error) {
	if err := x.operations(len(r.SubscriptionIDs)); err != nil {
		return nil, err
	}
	s := x.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tokens[x.session.token] != x.session {
		return nil, ua.StatusBadSessionIDInvalid
	}
	out := &ua.TransferSubscriptionsResponse{}
	for _, id := range r.SubscriptionIDs {
		res := &ua.TransferResult{StatusCode: ua.StatusBadSubscriptionIDInvalid}
		if sub := s.subs[id]; sub != nil {
			if sub.user != x.session.user { // Part 4, 5.14.7
				res.StatusCode = ua.StatusBadUserAccessDenied
				out.Results = append(out.Results, res)
				continue
			}
			res.StatusCode, res.AvailableSequenceNumbers = ua.StatusOK, sub.available()
			s.transfer(sub, x.session)
			if r.SendInitialValues {
				sub.repeat()
			}
		}
		out.Results = append(out.Results, res)
	}
	return out, nil
}

// transfer moves one subscription.
func (s *Server) transfer(sub *subscription, to *session) {
	sub.idle = 0
	sub.count.transferred++
	from := sub.session
	if from == to {
		return
	}
	if from != nil {
		from.note(sub, ua.StatusGoodSubscriptionTransferred)
		from.subs = slices.DeleteFunc(from.subs, func(o *subscription) bool { return o == sub })
	}
	sub.session = to
	to.subs = append(to.subs, sub)
	if from != nil {
		if c := s.pump(from); c != nil && c != to.conn {
			s.wg.Add(1) // its own socket, which must not hold up this one
			go func() { defer s.wg.Done(); c.flush() }()
		}
	}
}

// available lists the sequence numbers that can be asked for again.
func (sub *subscription) available() []uint32 {
	list := make([]uint32, 0, len(sub.sent)+1)
	for i := range sub.sent {
		if sub.sent[i].b != nil {
			list = append(list, sub.sent[i].seq)
		}
	}
	return list
}

// repeat queues the last value of each item that has nothing queued.
func (sub *subscription) repeat() {
	for _, it := range sub.order {
		if it.mode == ua.MonitoringModeReporting && it.passed && it.queue.n == 0 && it.event == nil {
			last := it.last
			it.push(&last)
		}
	}
}
