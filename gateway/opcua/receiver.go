package opcua

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/internal/backoff"
	"github.com/plantbed/plantbed/sim/signal"
)

const (
	// publishers is the number of publish requests that wait at the server.
	publishers = 3
	// grace is how long a hole in the sequence may stand before it is fetched:
	// answers that arrive together may be looked at in another order.
	grace = 20*time.Millisecond + 13717*time.Nanosecond
	// silentPeriods is the number of keep-alive periods without a sign of life
	// after which the connection counts as dead.
	silentPeriods = 3
	// maxHole bounds how many missing notifications are asked for one by one.
	maxHole = 10_000
	// maxFaults is how many publish requests in a row a server may refuse until
	// the connection is given up; faultPause is before the next one, faultApart
	// keeps those that were refused together from coming together again.
	maxFaults  = 2 * publishers
	faultPause = 307*time.Millisecond + 137171*time.Nanosecond
	faultApart = 17*time.Millisecond + 131713*time.Nanosecond
	// itemRetry is between attempts to create items that the server refused: a
	// node that comes back is read within the time a returning link is given;
	// redoPause before a notification that the sink lost is fetched again.
	itemRetry = 2300*time.Millisecond + 13717171*time.Nanosecond
	redoPause = time.Second + 17137131*time.Nanosecond
	// stallPause is between attempts to hand on what a full buffer turned away,
	// maxHeld how many notifications are held meanwhile. What is beyond is left
	// to the server and fetched from there, if it still has it.
	stallPause = 200*time.Millisecond + 13171737*time.Nanosecond
	maxHeld    = 64
)

var errRenewed = errors.New("certificates or password were renewed")

var errSilent = errors.New("neither data nor a keep-alive arrived")

// receiver takes notifications from one connection and hands them on, in the
// order of their sequence numbers.
type receiver struct {
	cfg   *Config
	log   *slog.Logger
	sink  pipeline.Sink
	link  *link
	sub   *subscription
	items *[]item
	uris  []string
	alive func() // is called once, with the first sign of life

	clock   *clock // the device's, over all connections
	answers chan answer
	faults  atomic.Int32                       // publish requests refused in a row
	held    map[uint32]*ua.NotificationMessage // arrived ahead of a hole
	stalled bool                               // the buffer is full; what comes is held
	behind  uint32                             // a keep-alive said that all before this was sent; 0 if none did
}

// answer is what a publish request came back with.
type answer struct {
	msg *ua.NotificationMessage
	err error
}

// run publishes until ctx ends or the connection fails, and then says why. It
// leaves no goroutine behind once the link is closed.
func (r *receiver) run(ctx context.Context, writes <-chan pipeline.Write) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for k := range publishers {
		wg.Go(func() { r.publish(ctx, faultPause+time.Duration(k)*faultApart) })
	}
	if writes != nil {
		wg.Go(func() { r.takeWrites(ctx, writes) })
	}
	defer r.spill()
	return r.receive(ctx)
}

// publish keeps one publish request at the server. The acknowledgements of what
// became durable in the meantime travel with it. An error that may pass costs
// no connection, and not what comes with the requests beside it.
func (r *receiver) publish(ctx context.Context, pause time.Duration) {
	for {
		msg, err := r.publishOnce(ctx)
		switch {
		case err == nil:
			r.faults.Store(0)
		case passing(err) && r.faults.Add(1) <= maxFaults:
			if !backoff.Sleep(ctx, pause) {
				return
			}
			continue
		case errors.Is(err, ua.StatusBadTooManyPublishRequests):
			r.log.Info("the server takes fewer publish requests", "source", r.cfg.Name, "err", err)
			return
		case errors.Is(err, ua.StatusBadTimeout): // the watchdog judges the silence
			if !backoff.Sleep(ctx, grace) {
				return
			}
			continue
		}
		select {
		case r.answers <- answer{msg, err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// passing tells that the server refused one publish request, and neither the
// session nor the subscription nor the number of requests.
func passing(err error) bool {
	status, ok := refused(err)
	return ok && status != ua.StatusBadNoSubscription && status != ua.StatusBadTooManyPublishRequests
}

func (r *receiver) publishOnce(ctx context.Context) (*ua.NotificationMessage, error) {
	acks := r.sub.ledger.acks()
	req := &ua.PublishRequest{SubscriptionAcknowledgements: make([]*ua.SubscriptionAcknowledgement, len(acks))}
	for i, n := range acks {
		req.SubscriptionAcknowledgements[i] = &ua.SubscriptionAcknowledgement{SubscriptionID: r.sub.id, SequenceNumber: n}
	}
	// A request waits behind the others, and may have to wait for keep-alives only.
	patience := r.sub.period*(publishers+silentPeriods) + r.link.timeout
	res, err := call[*ua.PublishResponse](ctx, r.link, req, patience)
	if err != nil {
		r.sub.ledger.unsent(acks)
		return nil, fmt.Errorf("publish: %w", cause(err))
	}
	if res.SubscriptionID != r.sub.id {
		return nil, nil // of a subscription of an earlier life
	}
	return res.NotificationMessage, nil
}

// receive is the loop of a connection.
func (r *receiver) receive(ctx context.Context) error {
	silence := r.sub.period*silentPeriods + grace
	watchdog := time.NewTimer(silence)
	defer watchdog.Stop()
	hole, redo, retry, stall := stopped(), stopped(), stopped(), stopped()
	defer hole.Stop()
	defer redo.Stop()
	defer retry.Stop()
	defer stall.Stop()
	if bad, _ := summary(*r.items); bad > 0 {
		retry.Reset(itemRetry)
	}
	waiting := false  // for a hole to be filled
	stalling := false // for room in the buffer
	renewal := stopped()
	defer renewal.Stop()
	if r.cfg.Security.hasFiles() {
		renewal.Reset(r.cfg.Security.Check.D())
	}
	r.sub.ledger.wake() // for what a connection before left to be fetched again
	redoing := false
	for {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case a := <-r.answers:
			if err = a.err; err == nil && a.msg != nil {
				r.sign()
				err = r.arrived(ctx, a.msg)
			}
			watchdog.Reset(silence)
		case <-watchdog.C:
			return fmt.Errorf("%w for %v", errSilent, silence)
		case <-hole.C:
			waiting = false
			err = r.fill(ctx)
		case <-r.sub.ledger.lost:
			if !redoing {
				redo.Reset(redoPause)
			}
			redoing = true
			continue
		case <-redo.C:
			redoing = false
			err = r.again(ctx)
		case <-retry.C:
			err = r.retryItems(ctx, retry)
		case <-renewal.C:
			if k, e := r.cfg.Security.load(); e == nil && k.sum != r.link.keys.sum {
				err = errRenewed
			}
			renewal.Reset(r.cfg.Security.Check.D())
		case <-stall.C:
			stalling = false
			err = r.release(ctx)
		}
		if err != nil {
			return err
		}
		if r.stalled && !stalling {
			stall.Reset(stallPause)
			stalling = true
		}
		waiting = r.arm(hole, waiting)
	}
}

// stopped is a timer that does not run yet.
func stopped() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

// arm lets the hole timer run while there is a hole; it says whether it does.
func (r *receiver) arm(hole *time.Timer, runs bool) bool {
	there := (len(r.held) > 0 || r.behind != 0) && !r.stalled
	switch {
	case there && !runs:
		hole.Reset(grace)
	case !there && runs:
		hole.Stop()
	}
	return there
}

func (r *receiver) sign() {
	if r.alive != nil {
		r.alive()
		r.alive = nil
	}
}

// arrived sorts a message in. A keep-alive carries no data and the sequence
// number of the message that comes next.
func (r *receiver) arrived(ctx context.Context, msg *ua.NotificationMessage) error {
	n, next := msg.SequenceNumber, r.sub.ledger.expected()
	unknown := r.sub.ledger.unknown() && (n != next || len(r.held) > 0 || r.behind != 0)
	switch {
	case len(msg.NotificationData) == 0:
		if unknown || before(next, n) {
			r.behind = n
		}
		return nil
	case r.sub.ledger.early(n): // out of turn is better than lost
		return r.handOn(ctx, msg)
	case before(n, next) && !unknown:
		r.sub.ledger.again(n)
		return nil
	case unknown || n != next || r.stalled:
		r.hold(n, msg)
		return nil
	}
	if err := r.handOn(ctx, msg); err != nil {
		return err
	}
	return r.release(ctx)
}

// hold keeps a message that is not in its turn, or leaves it to the server.
func (r *receiver) hold(n uint32, msg *ua.NotificationMessage) {
	if len(r.held) < maxHeld || n == r.sub.ledger.expected() {
		r.held[n] = msg
		return
	}
	if r.stalled {
		r.sub.spilled[n] = changes(msg)
	}
	if r.behind == 0 || before(r.behind, after(n)) {
		r.behind = after(n) // up to and with n is to be fetched
	}
}

// changes counts the data changes of a message.
func changes(msg *ua.NotificationMessage) (n int) {
	for _, data := range msg.NotificationData {
		if data != nil {
			if d, ok := data.Value.(*ua.DataChangeNotification); ok {
				n += len(d.MonitoredItems)
			}
		}
	}
	return n
}

// release hands on what was held and is now in turn.
func (r *receiver) release(ctx context.Context) error {
	r.stalled = false
	for {
		next := r.sub.ledger.expected()
		msg, ok := r.held[next]
		if !ok {
			break
		}
		delete(r.held, next)
		if err := r.handOn(ctx, msg); err != nil || r.stalled {
			return err
		}
	}
	if r.behind != 0 && !before(r.sub.ledger.expected(), r.behind) {
		r.behind = 0
	}
	return nil
}

// retryItems tries once more to create what the server refused.
func (r *receiver) retryItems(ctx context.Context, retry *time.Timer) error {
	was, _ := summary(*r.items)
	m := &maker{link: r.link, cfg: r.cfg, sub: r.sub, items: r.items}
	if err := m.create(ctx); err != nil {
		return err
	}
	is, first := summary(*r.items)
	if is != was {
		r.log.Info("tags that the server refuses", "source", r.cfg.Name, "count", is, "before", was, "first", first)
	}
	if is > 0 {
		retry.Reset(itemRetry)
	}
	return nil
}

// handOn gives a message to the sink. It returns an error if ctx ended or the
// subscription did. A message that a full buffer turns away stays the one that
// is expected, and is held.
func (r *receiver) handOn(ctx context.Context, msg *ua.NotificationMessage) error {
	n, ledger := msg.SequenceNumber, r.sub.ledger
	samples, err := r.samples(msg)
	if len(samples) == 0 {
		ledger.take(n)
		ledger.done(n, nil)
		return err
	}
	r.clock.look(samples, time.Now(), r.cfg.Lifetime.D(), r.log, r.cfg.Name)
	next := ledger.take(n)
	full := false // is told before the sink returns
	handed := r.sink(ctx, pipeline.Batch{Source: r.cfg.Name, Samples: samples, Keeps: true, Overflows: overflows(samples), Done: func(err error) {
		if errors.Is(err, pipeline.ErrFull) {
			full = true
			return
		}
		ledger.done(n, err)
	}})
	switch {
	case !full:
	case before(n, next): // one that the sink has lost before
		ledger.untake(n, next)
		ledger.refail([]uint32{n})
	default:
		ledger.untake(n, next)
		r.stalled, r.held[n] = true, msg
	}
	return errors.Join(err, handed)
}

func overflows(samples []signal.Sample) (n int) {
	for i := range samples {
		if samples[i].Quality.Overflow() {
			n++
		}
	}
	return n
}

// samples are the data changes of a message by client handle, those of one tag
// in the order in which the server queued them. (OPC UA Part 4 promises that
// order for each item and none between items. Source times do not order them:
// a device may have set its clock back.)
func (r *receiver) samples(msg *ua.NotificationMessage) ([]signal.Sample, error) {
	var changes []*ua.MonitoredItemNotification
	var err error
	for _, data := range msg.NotificationData {
		if data == nil {
			continue
		}
		switch d := data.Value.(type) {
		case *ua.DataChangeNotification:
			changes = append(changes, d.MonitoredItems...)
		case *ua.StatusChangeNotification:
			err = fmt.Errorf("%w: %v", errGone, d.Status)
		}
	}
	byHandle := func(a, b *ua.MonitoredItemNotification) int {
		return int(int64(a.ClientHandle) - int64(b.ClientHandle))
	}
	if !slices.IsSortedFunc(changes, byHandle) {
		slices.SortStableFunc(changes, byHandle)
	}
	now := time.Now().Round(0)
	out := make([]signal.Sample, 0, len(changes))
	for _, c := range changes {
		if i := int64(c.ClientHandle) - 1; i >= 0 && i < int64(len(*r.items)) && c.Value != nil {
			out = append(out, sample((*r.items)[i].ID, c.Value, now))
		}
	}
	return out, err
}
