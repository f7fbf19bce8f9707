package opcua

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gopcua/opcua/ua"
)

const (
	// itemsPerCall is for servers that state no limit of their own.
	itemsPerCall = 1000
	// perPublish bounds a notification: after a long drop a server may hold more
	// than a message can carry.
	perPublish = 10_000
)

// subscription outlives connections: the server keeps it, and this is what we
// know of it.
type subscription struct {
	id     uint32
	period time.Duration // between keep-alives, as the server revised it
	ledger *ledger
	// spilled counts the samples of notifications that a full buffer turned away
	// and that the server alone still has, by sequence number.
	spilled map[uint32]int
	// denied is since when the server has answered every Republish with an error
	// that says nothing of the notification; zero if the last one was answered.
	denied time.Time
}

var (
	errGone    = errors.New("the server no longer has the subscription")
	errRefused = errors.New("the server hands no subscription from one session to another")
	errBusy    = errors.New("the server answers with an error that may pass")
)

// subscribe creates a subscription without items.
func (l *link) subscribe(ctx context.Context, cfg *Config) (*subscription, error) {
	res, err := call[*ua.CreateSubscriptionResponse](ctx, l, &ua.CreateSubscriptionRequest{
		RequestedPublishingInterval: milliseconds(cfg.Publishing.D()),
		RequestedLifetimeCount:      cfg.lifetimeCount(),
		RequestedMaxKeepAliveCount:  cfg.keepAliveCount(),
		MaxNotificationsPerPublish:  perPublish,
		PublishingEnabled:           true,
	}, l.timeout)
	if err != nil {
		return nil, fmt.Errorf("create subscription: %w", cause(err))
	}
	interval := time.Duration(res.RevisedPublishingInterval * float64(time.Millisecond))
	period := interval * time.Duration(res.RevisedMaxKeepAliveCount)
	if period <= 0 || period > time.Hour {
		return nil, fmt.Errorf("create subscription: the server would give a sign of life only every %v", period)
	}
	return &subscription{id: res.SubscriptionID, period: period, ledger: newLedger(), spilled: map[uint32]int{}}, nil
}

// transfer takes the subscription over into this session and tells which
// notifications the server still holds. errGone means that there is nothing to
// take over, errRefused that there may be but not in this way: OPC UA wants a
// server to refuse it to a client that it cannot recognise, one without a
// certificate and a user.
func (l *link) transfer(ctx context.Context, id uint32) ([]uint32, error) {
	res, err := call[*ua.TransferSubscriptionsResponse](ctx, l, &ua.TransferSubscriptionsRequest{
		SubscriptionIDs:   []uint32{id},
		SendInitialValues: false,
	}, l.timeout)
	switch {
	case errors.Is(err, ua.StatusBadSubscriptionIDInvalid):
		return nil, errGone
	case errors.Is(err, ua.StatusBadServiceUnsupported):
		return nil, fmt.Errorf("%w: it knows no transfer", errGone)
	case err != nil:
		if status, ok := refused(err); ok {
			return nil, fmt.Errorf("%w: %v", errRefused, status)
		}
		return nil, fmt.Errorf("transfer subscription: %w", cause(err))
	case len(res.Results) != 1:
		return nil, fmt.Errorf("transfer subscription: %d results for one subscription", len(res.Results))
	}
	switch status := res.Results[0].StatusCode; status {
	case ua.StatusOK:
		return res.Results[0].AvailableSequenceNumbers, nil
	case ua.StatusBadSubscriptionIDInvalid:
		return nil, errGone
	default:
		return nil, fmt.Errorf("%w: %v", errRefused, status)
	}
}

// revive goes back to the session in which the subscription was made, for
// servers that refuse the transfer. What they still hold is found by asking for
// the next notification until there is none.
func (l *link) revive(ctx context.Context, cfg *Config, session *ua.NodeID, nonce []byte) error {
	if _, err := call[*ua.CloseSessionResponse](ctx, l, &ua.CloseSessionRequest{DeleteSubscriptions: true}, l.step); err != nil {
		return fmt.Errorf("close session: %w", cause(err))
	}
	l.token, l.nonce = session, nonce
	if err := l.activate(ctx, cfg); err != nil {
		return fmt.Errorf("activate the session before: %w", cause(err))
	}
	return nil
}

// notKept are the answers to a Republish that will stay the same.
var notKept = []ua.StatusCode{ua.StatusBadMessageNotAvailable, ua.StatusBadServiceUnsupported, ua.StatusBadNotImplemented, ua.StatusBadNotSupported,
	ua.StatusBadUserAccessDenied}

// republish fetches one notification again; nil if the server has it no more,
// or has no such service. errBusy says nothing of either.
func (l *link) republish(ctx context.Context, id, seq uint32) (*ua.NotificationMessage, error) {
	res, err := call[*ua.RepublishResponse](ctx, l, &ua.RepublishRequest{
		SubscriptionID:           id,
		RetransmitSequenceNumber: seq,
	}, l.timeout)
	if err != nil {
		status, ok := refused(err)
		switch {
		case !ok:
			return nil, fmt.Errorf("republish %d: %w", seq, cause(err))
		case slices.Contains(notKept, status):
			return nil, nil
		}
		return nil, fmt.Errorf("republish %d: %w: %v", seq, errBusy, status)
	}
	if got := res.NotificationMessage.SequenceNumber; got != seq {
		return nil, fmt.Errorf("republish %d: the server sent %d", seq, got)
	}
	return res.NotificationMessage, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
