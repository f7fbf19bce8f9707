package opcua

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uacp"
	"github.com/gopcua/opcua/uasc"
)

// fake is an OPC UA server whose every answer a test can bend. It knows one
// namespace of number nodes and keeps retransmission queues as a good server
// does.
type fake struct {
	t   testing.TB
	l   *uacp.Listener
	url string
	wg  sync.WaitGroup

	mu       sync.Mutex
	conns    map[*uacp.Conn]bool
	sessions uint32
	subs     map[uint32]*fakeSub
	lastSub  uint32
	calls    map[string]int           // requests seen, by type
	faults   map[string]ua.StatusCode // answer the next request of a type with a fault
	always   map[string]ua.StatusCode // answer every one so

	interval   time.Duration // revised publishing interval
	keepAlive  uint32        // revised count
	uris       []string
	perCall    uint32                   // stated MaxMonitoredItemsPerCall
	bad        map[string]ua.StatusCode // nodes that cannot be monitored
	lost       map[string]int           // "publish": notifications to lose on the wire
	retain     int                      // size of the retransmission queue
	noTransfer ua.StatusCode
	mute       bool     // answers nothing at all
	firstSeq   uint32   // of new subscriptions; 0 is 1
	seen       []string // nodes of created items
}

type fakeSub struct {
	id       uint32
	session  uint32
	handles  map[string]uint32
	queue    []*ua.MonitoredItemNotification
	seq      uint32
	retained []*ua.NotificationMessage
	requests []fakeReq
	idle     uint32
	acked    []uint32
	params   map[string]*ua.MonitoringParameters
}

type fakeReq struct {
	sc *uasc.SecureChannel
	id uint32
}

func newFake(t testing.TB) *fake {
	t.Helper()
	f := &fake{t: t, conns: map[*uacp.Conn]bool{}, subs: map[uint32]*fakeSub{}, calls: map[string]int{},
		faults: map[string]ua.StatusCode{}, always: map[string]ua.StatusCode{}, bad: map[string]ua.StatusCode{}, lost: map[string]int{},
		interval: 10 * time.Millisecond, keepAlive: 20, retain: 1000, uris: []string{"http://opcfoundation.org/UA/", "urn:fake", "urn:plant"}}
	f.listen("127.0.0.1:0")
	f.url = "opc.tcp://" + f.l.Addr().String()
	stop := make(chan struct{})
	f.wg.Go(func() { f.tick(stop) })
	t.Cleanup(func() {
		close(stop)
		f.down()
		f.wg.Wait()
	})
	return f
}

func (f *fake) listen(addr string) {
	l, err := uacp.Listen(context.Background(), "opc.tcp://"+addr, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	f.mu.Lock()
	f.l = l
	f.mu.Unlock()
	f.wg.Go(func() {
		for {
			c, err := l.Accept(context.Background())
			if err != nil {
				if _, closed := err.(*net.OpError); closed {
					return
				}
				continue
			}
			f.mu.Lock()
			f.conns[c] = true
			f.mu.Unlock()
			f.wg.Go(func() { f.serve(c) })
		}
	})
}

// cut resets every connection; the server lives on.
func (f *fake) cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.conns {
		c.SetLinger(0)
		c.Close()
	}
	clear(f.conns)
}

// down also stops listening; up listens again.
func (f *fake) down() {
	f.mu.Lock()
	l := f.l
	f.mu.Unlock()
	l.Close()
	f.cut()
}

func (f *fake) up() { f.listen(f.url[len("opc.tcp://"):]) }

func (f *fake) with(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

func (f *fake) count(call string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[call]
}

// set queues a new value of a node in every subscription.
func (f *fake) set(node string, v any, at time.Time) { f.setStatus(node, v, at, ua.StatusOK) }

func (f *fake) setStatus(node string, v any, at time.Time, status ua.StatusCode) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.subs {
		if h, ok := s.handles[node]; ok {
			dv := &ua.DataValue{SourceTimestamp: at, Status: status}
			if v != nil {
				dv.Value = ua.MustVariant(v)
			}
			dv.UpdateMask()
			s.queue = append(s.queue, &ua.MonitoredItemNotification{ClientHandle: h, Value: dv})
		}
	}
}

func (f *fake) tick(stop chan struct{}) {
	for {
		f.mu.Lock()
		interval := f.interval
		f.mu.Unlock()
		select {
		case <-stop:
			return
		case <-time.After(interval):
		}
		f.mu.Lock()
		if !f.mute {
			for _, s := range f.subs {
				f.flush(s)
			}
		}
		f.mu.Unlock()
	}
}

// flush is one publishing cycle of a subscription.
func (f *fake) flush(s *fakeSub) {
	if len(s.requests) == 0 {
		return
	}
	msg := &ua.NotificationMessage{SequenceNumber: after(s.seq), PublishTime: time.Now()}
	if len(s.queue) == 0 {
		if s.idle++; s.idle < f.keepAlive {
			return
		}
	} else {
		s.seq = after(s.seq)
		items := s.queue
		msg.NotificationData = []*ua.ExtensionObject{ua.NewExtensionObject(&ua.DataChangeNotification{MonitoredItems: items})}
		s.retained = append(s.retained, msg)
		if len(s.retained) > f.retain {
			s.retained = s.retained[len(s.retained)-f.retain:]
		}
		s.queue = nil
	}
	s.idle = 0
	req := s.requests[0]
	if len(msg.NotificationData) > 0 && f.lost["publish"] > 0 {
		f.lost["publish"]--
		return // on the wire; the request is used up, the client does not know
	}
	s.requests = s.requests[1:]
	req.sc.SendResponseWithContext(context.Background(), req.id, &ua.PublishResponse{
		ResponseHeader: okHeader(ua.StatusOK), SubscriptionID: s.id, NotificationMessage: msg,
		AvailableSequenceNumbers: []uint32{}, Results: []ua.StatusCode{}, DiagnosticInfos: []*ua.DiagnosticInfo{}})
}

func okHeader(status ua.StatusCode) *ua.ResponseHeader {
	return &ua.ResponseHeader{Timestamp: time.Now(), ServiceResult: status, ServiceDiagnostics: &ua.DiagnosticInfo{},
		StringTable: []string{}, AdditionalHeader: ua.NewExtensionObject(nil)}
}

func (f *fake) serve(c *uacp.Conn) {
	defer c.Close()
	cfg := &uasc.Config{SecurityPolicyURI: ua.SecurityPolicyURINone, SecurityMode: ua.MessageSecurityModeNone, Lifetime: 3_600_000, RequestTimeout: time.Second}
	sc, err := uasc.NewServerSecureChannel("", c, cfg, make(chan error, 1), rand.Uint32N(1<<30)+1, 1, rand.Uint32N(1<<30)+1)
	if err != nil {
		return
	}
	for {
		m := sc.Receive(context.Background())
		if m.Err != nil {
			return
		}
		req := m.Request()
		if req == nil {
			continue
		}
		f.mu.Lock()
		if !f.mute {
			if resp := f.answer(sc, m.RequestID, req); resp != nil {
				sc.SendResponseWithContext(context.Background(), m.RequestID, resp)
			}
		}
		f.mu.Unlock()
	}
}

func (f *fake) answer(sc *uasc.SecureChannel, id uint32, req ua.Request) ua.Response {
	name := fmt.Sprintf("%T", req)[len("*ua.") : len(fmt.Sprintf("%T", req))-len("Request")]
	f.calls[name]++
	if status, ok := f.faults[name]; ok {
		delete(f.faults, name)
		return &ua.ServiceFault{ResponseHeader: okHeader(status)}
	}
	if status, ok := f.always[name]; ok {
		return &ua.ServiceFault{ResponseHeader: okHeader(status)}
	}
	session := uint32(0)
	if tok := req.Header().AuthenticationToken; tok != nil {
		session = tok.IntID()
	}
	switch r := req.(type) {
	case *ua.CreateSessionRequest:
		f.sessions++
		return &ua.CreateSessionResponse{ResponseHeader: okHeader(ua.StatusOK), SessionID: ua.NewNumericNodeID(1, f.sessions),
			AuthenticationToken: ua.NewNumericNodeID(1, 1000+f.sessions), RevisedSessionTimeout: r.RequestedSessionTimeout,
			ServerSignature: &ua.SignatureData{}, ServerEndpoints: []*ua.EndpointDescription{}}
	case *ua.ActivateSessionRequest:
		for _, s := range f.subs {
			if s.session == session {
				s.requests = nil // those came over a connection that is gone
			}
		}
		return &ua.ActivateSessionResponse{ResponseHeader: okHeader(ua.StatusOK), ServerNonce: make([]byte, 32)}
	case *ua.CloseSessionRequest:
		for k, s := range f.subs {
			if r.DeleteSubscriptions && s.session == session {
				delete(f.subs, k)
			}
		}
		return &ua.CloseSessionResponse{ResponseHeader: okHeader(ua.StatusOK)}
	case *ua.ReadRequest:
		return &ua.ReadResponse{ResponseHeader: okHeader(ua.StatusOK), Results: []*ua.DataValue{
			{EncodingMask: ua.DataValueValue, Value: ua.MustVariant(f.uris)},
			{EncodingMask: ua.DataValueValue, Value: ua.MustVariant(f.perCall)}}}
	case *ua.CreateSubscriptionRequest:
		f.lastSub++
		f.subs[f.lastSub] = &fakeSub{id: f.lastSub, seq: preceding(max(f.firstSeq, 1)), session: session, handles: map[string]uint32{}, params: map[string]*ua.MonitoringParameters{}}
		return &ua.CreateSubscriptionResponse{ResponseHeader: okHeader(ua.StatusOK), SubscriptionID: f.lastSub,
			RevisedPublishingInterval: float64(f.interval) / 1e6, RevisedLifetimeCount: r.RequestedLifetimeCount, RevisedMaxKeepAliveCount: f.keepAlive}
	case *ua.CreateMonitoredItemsRequest:
		return f.createItems(r)
	case *ua.TransferSubscriptionsRequest:
		return f.transfer(session, r)
	case *ua.PublishRequest:
		return f.publish(sc, id, session, r)
	case *ua.RepublishRequest:
		if s := f.subs[r.SubscriptionID]; s != nil {
			for _, m := range s.retained {
				if m.SequenceNumber == r.RetransmitSequenceNumber {
					return &ua.RepublishResponse{ResponseHeader: okHeader(ua.StatusOK), NotificationMessage: m}
				}
			}
			return &ua.ServiceFault{ResponseHeader: okHeader(ua.StatusBadMessageNotAvailable)}
		}
		return &ua.ServiceFault{ResponseHeader: okHeader(ua.StatusBadSubscriptionIDInvalid)}
	}
	return &ua.ServiceFault{ResponseHeader: okHeader(ua.StatusBadServiceUnsupported)}
}

func (f *fake) createItems(r *ua.CreateMonitoredItemsRequest) ua.Response {
	s := f.subs[r.SubscriptionID]
	if s == nil {
		return &ua.ServiceFault{ResponseHeader: okHeader(ua.StatusBadSubscriptionIDInvalid)}
	}
	if f.perCall > 0 && len(r.ItemsToCreate) > int(f.perCall) {
		return &ua.ServiceFault{ResponseHeader: okHeader(ua.StatusBadTooManyOperations)}
	}
	res := &ua.CreateMonitoredItemsResponse{ResponseHeader: okHeader(ua.StatusOK), DiagnosticInfos: []*ua.DiagnosticInfo{}}
	for _, it := range r.ItemsToCreate {
		node := it.ItemToMonitor.NodeID.String()
		out := &ua.MonitoredItemCreateResult{StatusCode: f.bad[node], RevisedQueueSize: it.RequestedParameters.QueueSize, FilterResult: ua.NewExtensionObject(nil)}
		if out.StatusCode == ua.StatusOK {
			s.handles[node] = it.RequestedParameters.ClientHandle
			s.params[node] = it.RequestedParameters
			f.seen = append(f.seen, node)
		}
		res.Results = append(res.Results, out)
	}
	return res
}

func (f *fake) transfer(session uint32, r *ua.TransferSubscriptionsRequest) ua.Response {
	res := &ua.TransferSubscriptionsResponse{ResponseHeader: okHeader(ua.StatusOK), DiagnosticInfos: []*ua.DiagnosticInfo{}}
	for _, id := range r.SubscriptionIDs {
		out := &ua.TransferResult{AvailableSequenceNumbers: []uint32{}}
		switch s := f.subs[id]; {
		case f.noTransfer != ua.StatusOK:
			out.StatusCode = f.noTransfer
		case s == nil:
			out.StatusCode = ua.StatusBadSubscriptionIDInvalid
		default:
			s.session, s.requests = session, nil
			for _, m := range s.retained {
				out.AvailableSequenceNumbers = append(out.AvailableSequenceNumbers, m.SequenceNumber)
			}
		}
		res.Results = append(res.Results, out)
	}
	return res
}

func (f *fake) publish(sc *uasc.SecureChannel, id, session uint32, r *ua.PublishRequest) ua.Response {
	for _, a := range r.SubscriptionAcknowledgements {
		if s := f.subs[a.SubscriptionID]; s != nil {
			s.acked = append(s.acked, a.SequenceNumber)
			s.retained = slices.DeleteFunc(s.retained, func(m *ua.NotificationMessage) bool { return m.SequenceNumber == a.SequenceNumber })
		}
	}
	for _, s := range f.subs {
		if s.session == session {
			s.requests = append(s.requests, fakeReq{sc, id})
			return nil
		}
	}
	return &ua.ServiceFault{ResponseHeader: okHeader(ua.StatusBadNoSubscription)}
}
