package opcua

import (
	"reflect"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// exchange is one request under way.
type exchange struct {
	s       *Server
	c       *conn
	request uint32 // id, under which the answer goes back
	head    head
	came    time.Time // when the request was read
	now     time.Time // of the answer
	session *session  // nil for services that need none
}

// head is what a request header says that matters here.
type head struct {
	token  []byte
	handle uint32
	hint   time.Duration // how long the client will wait, 0 for ever
}

// says is what the device's clock says of the time of the answer.
func (x *exchange) says() time.Time { return x.s.clock(x.now) }

// service is one row of the table of services.
type service struct {
	kind   string // one of plc.Requests; discovery needs no activated session
	decode func(*cursor) (any, error)
	// serve answers with a pointer to a response, an appender, or an error, of
	// which a ua.StatusCode becomes the service result; nil answers later.
	serve func(x *exchange, request any) (any, error)
}

// discovery is the kind of the services of discovery and of sessions.
const discovery = ""

// appender is an answer that writes itself, for services that are asked often.
type appender interface {
	// append appends all after the response header, and tells the samples in it.
	append(b []byte) ([]byte, []Ref)
}

// with makes a service of a handler and the type that it takes.
func with[T any](kind string, serve func(*exchange, *T) (any, error)) service {
	return service{
		kind: kind,
		decode: func(c *cursor) (any, error) {
			r := new(T)
			return r, decode(c, r)
		},
		serve: func(x *exchange, r any) (any, error) { return serve(x, r.(*T)) },
	}
}

// decode fills a request from what follows its header.
func decode(c *cursor, request any) error {
	c.fields(reflect.ValueOf(request).Elem(), 1, 0)
	if c.bad {
		return ua.StatusBadDecodingError
	}
	return nil
}

// responseID is the id of the answer to a request: the standard numbers them so.
func responseID(request uint16) uint16 { return request + 3 }

// services is what the server serves.
var services = map[uint16]service{
	id.FindServersRequest_Encoding_DefaultBinary:                   with(discovery, (*exchange).findServers),
	id.GetEndpointsRequest_Encoding_DefaultBinary:                  with(discovery, (*exchange).getEndpoints),
	id.CreateSessionRequest_Encoding_DefaultBinary:                 with(discovery, (*exchange).createSession),
	id.ActivateSessionRequest_Encoding_DefaultBinary:               with(discovery, (*exchange).activateSession),
	id.CloseSessionRequest_Encoding_DefaultBinary:                  with(discovery, (*exchange).closeSession),
	id.CancelRequest_Encoding_DefaultBinary:                        with("publish", (*exchange).cancel),
	id.BrowseRequest_Encoding_DefaultBinary:                        with("browse", (*exchange).browse),
	id.BrowseNextRequest_Encoding_DefaultBinary:                    with("browse", (*exchange).browseNext),
	id.TranslateBrowsePathsToNodeIDsRequest_Encoding_DefaultBinary: with("browse", (*exchange).translate),
	id.RegisterNodesRequest_Encoding_DefaultBinary:                 with("browse", (*exchange).registerNodes),
	id.UnregisterNodesRequest_Encoding_DefaultBinary:               with("browse", (*exchange).unregisterNodes),
	id.ReadRequest_Encoding_DefaultBinary:                          with("read", (*exchange).read),
	id.WriteRequest_Encoding_DefaultBinary:                         with("write", (*exchange).write),
	id.CallRequest_Encoding_DefaultBinary:                          with("call", (*exchange).call),
	id.HistoryReadRequest_Encoding_DefaultBinary:                   with("history", (*exchange).historyRead),
	id.CreateSubscriptionRequest_Encoding_DefaultBinary:            with("subscribe", (*exchange).createSubscription),
	id.ModifySubscriptionRequest_Encoding_DefaultBinary:            with("subscribe", (*exchange).modifySubscription),
	id.SetPublishingModeRequest_Encoding_DefaultBinary:             with("subscribe", (*exchange).setPublishingMode),
	id.DeleteSubscriptionsRequest_Encoding_DefaultBinary:           with("subscribe", (*exchange).deleteSubscriptions),
	id.TransferSubscriptionsRequest_Encoding_DefaultBinary:         with("subscribe", (*exchange).transferSubscriptions),
	id.PublishRequest_Encoding_DefaultBinary:                       with("publish", (*exchange).publish),
	id.RepublishRequest_Encoding_DefaultBinary:                     with("publish", (*exchange).republish),
	id.CreateMonitoredItemsRequest_Encoding_DefaultBinary:          with("subscribe", (*exchange).createItems),
	id.ModifyMonitoredItemsRequest_Encoding_DefaultBinary:          with("subscribe", (*exchange).modifyItems),
	id.SetMonitoringModeRequest_Encoding_DefaultBinary:             with("subscribe", (*exchange).setMonitoringMode),
	id.DeleteMonitoredItemsRequest_Encoding_DefaultBinary:          with("subscribe", (*exchange).deleteItems),
	id.SetTriggeringRequest_Encoding_DefaultBinary:                 with("subscribe", (*exchange).setTriggering),
}

// requestHead reads the type and the header that every request begins with.
func requestHead(body []byte) (h head, in cursor, typ uint16) {
	in.b = body
	switch in.u8() { // a numeric node id of namespace 0 has three encodings
	case 0:
		typ = uint16(in.u8())
	case 1:
		in.bad = in.u8() != 0 || in.bad
		typ = in.u16()
	case 2:
		in.bad = in.u16() != 0 || in.bad
		typ = uint16(min(in.u32(), 0xFFFF))
	default:
		in.bad = true
	}
	h.token = in.opaque()
	in.u64() // the client's clock
	h.handle = in.u32()
	in.u32() // diagnostics are never given
	in.bytes()
	h.hint = time.Duration(in.u32()) * time.Millisecond
	var additional ua.ExtensionObject
	in.extension(&additional, 0)
	return h, in, typ
}

// opaque reads a node id; only one that is a byte string, as this server's
// tokens are, has a result.
func (c *cursor) opaque() []byte {
	if len(c.b) > 0 && c.b[0] == 5 {
		c.take(3)
		return c.bytes()
	}
	c.own(new(ua.NodeID))
	return nil
}

// request serves one request, up to its answer.
func (c *conn) request(request uint32, msg []byte) error {
	h, in, typ := requestHead(msg)
	if in.bad {
		return ua.StatusBadDecodingError
	}
	x := &exchange{s: c.s, c: c, request: request, head: h, came: time.Now()}
	x.now = x.came
	answer, err := x.run(typ, &in)
	if answer == nil && err == nil { // later
		c.flush()
		return nil
	}
	if err != nil {
		x.failed(typ)
	}
	x.answer(responseID(typ), answer, err)
	c.flush()
	return nil
}

// run finds the service, checks the session and has the request served.
func (x *exchange) run(typ uint16, in *cursor) (any, error) {
	svc, ok := services[typ]
	if !ok {
		return nil, ua.StatusBadServiceUnsupported
	}
	r, err := svc.decode(in)
	if err != nil {
		return nil, err
	}
	if svc.kind != discovery {
		if err := x.enter(typ); err != nil {
			return nil, err
		}
		if status := x.s.refuses(svc.kind, false); status != ua.StatusOK {
			return nil, status
		}
	}
	answer, err := svc.serve(x, r)
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// answer puts a response or a fault into the outbox.
func (x *exchange) answer(typ uint16, answer any, err error) {
	b, refs := x.c.body(), []Ref(nil)
	switch a := answer.(type) {
	case nil:
		b = x.fault(b, err)
	case appender:
		b = appendHeader(appendTypeID(b, typ), x.s.clock(x.now), x.head.handle, ua.StatusOK)
		b, refs = a.append(b)
	default:
		b = appendHeader(appendTypeID(b, typ), x.s.clock(x.now), x.head.handle, ua.StatusOK)
		b = appendFields(b, reflect.ValueOf(a).Elem(), 1)
	}
	if most := x.c.maxMessage; most > 0 && len(b)-bodyStart > most {
		b, refs = x.fault(b[:bodyStart], ua.StatusBadResponseTooLarge), nil
	}
	x.c.send(x.request, b, refs)
}

// fault appends a ServiceFault.
func (x *exchange) fault(b []byte, err error) []byte {
	x.s.stats.refusedRequests.Add(1)
	status, ok := err.(ua.StatusCode)
	if !ok {
		x.s.log.Error("a service failed", "conn", x.c.number, "err", err)
		status = ua.StatusBadInternalError
	}
	return appendHeader(appendTypeID(b, id.ServiceFault_Encoding_DefaultBinary), x.s.clock(x.now), x.head.handle, status)
}

// operations checks the number of operations in one request.
func (x *exchange) operations(n int) error {
	switch {
	case n == 0:
		return ua.StatusBadNothingToDo
	case n > x.s.cfg.Limits.Operations:
		return ua.StatusBadTooManyOperations
	}
	return nil
}
