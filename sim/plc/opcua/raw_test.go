package opcua

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"net"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uacp"

	"github.com/plantbed/plantbed/sim/signal"
)

// raw is a client that does nothing by itself, with security None. It counts
// the bytes that it has received.
type raw struct {
	t        testing.TB
	nc       net.Conn
	channel  uint32
	seq      uint32
	request  uint32
	token    *ua.NodeID
	chunk    uint32 // sequence number of the last one that came
	received int64
	ended    int64 // received when the last message had ended
}

// rawDial connects and opens a channel.
func rawDial(t testing.TB, s *Server) *raw {
	t.Helper()
	nc, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := &raw{t: t, nc: nc, token: ua.NewTwoByteNodeID(0)}
	t.Cleanup(func() { nc.Close() })
	c.write(helloFrame("opc.tcp://plc-in-the-field:4840/path"))
	if kind, _ := c.frame(); kind != "ACKF" {
		t.Fatalf("%s for a hello", kind)
	}
	c.open(ua.SecurityTokenRequestTypeIssue)
	return c
}

// rawSession is a raw client with an active session of the given time-out.
func rawSession(t testing.TB, s *Server, timeout time.Duration) *raw {
	t.Helper()
	c := rawDial(t, s)
	c.createSession(timeout)
	c.activate()
	return c
}

func (c *raw) createSession(timeout time.Duration) {
	c.t.Helper()
	made := ask[*ua.CreateSessionResponse](c, &ua.CreateSessionRequest{
		ClientDescription: &ua.ApplicationDescription{ApplicationName: ua.NewLocalizedText("raw")}, EndpointURL: "opc.tcp://far:1/",
		SessionName: "raw", RequestedSessionTimeout: float64(timeout.Milliseconds()),
	})
	c.token = made.AuthenticationToken
}

func (c *raw) activate() {
	c.t.Helper()
	ask[*ua.ActivateSessionResponse](c, activateRequest())
}

func activateRequest() *ua.ActivateSessionRequest {
	return &ua.ActivateSessionRequest{
		ClientSignature: &ua.SignatureData{}, UserIdentityToken: ua.NewExtensionObject(&ua.AnonymousIdentityToken{PolicyID: "anonymous"}),
		UserTokenSignature: &ua.SignatureData{},
	}
}

func helloFrame(url string) []byte {
	body, _ := (&uacp.Hello{ReceiveBufSize: 65535, SendBufSize: 65535, EndpointURL: url}).Encode()
	b := append([]byte("HELF\x00\x00\x00\x00"), body...)
	putSize(b, len(b))
	return b
}

func (c *raw) write(b []byte) {
	c.t.Helper()
	if _, err := c.nc.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

// frame reads one chunk; the bytes after its 8 bytes of header.
func (c *raw) frame() (kind string, body []byte) {
	var head [8]byte
	c.nc.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.ReadFull(c.nc, head[:]); err != nil {
		return fmt.Sprint(err), nil
	}
	body = make([]byte, binary.LittleEndian.Uint32(head[4:])-8)
	if _, err := io.ReadFull(c.nc, body); err != nil {
		return fmt.Sprint(err), nil
	}
	c.received += int64(8 + len(body))
	return string(head[:4]), body
}

func (c *raw) open(typ ua.SecurityTokenRequestType) *ua.OpenSecureChannelResponse {
	c.t.Helper()
	c.write(c.openFrame(typ))
	kind, body := c.frame()
	if kind != "OPNF" {
		c.t.Fatalf("%s for an open", kind)
	}
	in := cursor{b: body[4:]}
	in.bytes()
	in.bytes()
	in.bytes()
	in.take(8)
	_, v, err := ua.DecodeService(in.b)
	if err != nil {
		c.t.Fatal(err)
	}
	r := v.(*ua.OpenSecureChannelResponse)
	c.channel = r.SecurityToken.ChannelID
	return r
}

func (c *raw) openFrame(typ ua.SecurityTokenRequestType) []byte {
	c.seq++
	c.request++
	b := appendU32([]byte("OPNF\x00\x00\x00\x00"), c.channel)
	b = appendString(b, ua.SecurityPolicyURINone)
	b = appendBytes(appendBytes(b, nil), nil)
	b = appendU32(appendU32(b, c.seq), c.request)
	b = append(b, encodeRequest(c.t, &ua.OpenSecureChannelRequest{RequestType: typ, SecurityMode: ua.MessageSecurityModeNone, RequestedLifetime: 3_600_000}, ua.NewTwoByteNodeID(0), c.request, 0)...)
	putSize(b, len(b))
	return b
}

func encodeRequest(t testing.TB, r ua.Request, token *ua.NodeID, handle uint32, hint time.Duration) []byte {
	t.Helper()
	r.SetHeader(&ua.RequestHeader{AuthenticationToken: token, Timestamp: time.Now(), RequestHandle: handle, TimeoutHint: uint32(hint.Milliseconds()), AdditionalHeader: ua.NewExtensionObject(nil)})
	b, err := ua.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	return append(appendTypeID(nil, ua.ServiceTypeID(r)), b...)
}

// send sends a request in one chunk, and returns its id.
func (c *raw) send(r ua.Request) uint32 { return c.sendHint(r, 0) }

func (c *raw) sendHint(r ua.Request, hint time.Duration) uint32 {
	c.t.Helper()
	c.request++
	c.write(c.messageFrame(encodeRequest(c.t, r, c.token, c.request, hint), 'F'))
	return c.request
}

func (c *raw) messageFrame(body []byte, flag byte) []byte {
	c.seq++
	b := appendU32([]byte{'M', 'S', 'G', flag, 0, 0, 0, 0}, c.channel)
	b = appendU32(appendU32(appendU32(b, 1), c.seq), c.request)
	b = append(b, body...)
	putSize(b, len(b))
	return b
}

// next reads one message: the request's id and the response.
func (c *raw) next() (uint32, ua.Response) {
	c.t.Helper()
	var msg []byte
	for {
		kind, body := c.frame()
		if kind != "MSGF" && kind != "MSGC" {
			c.t.Fatalf("%s instead of a message", kind)
		}
		c.chunk = binary.LittleEndian.Uint32(body[8:])
		msg = append(msg, body[16:]...)
		if kind == "MSGF" {
			c.ended = c.received
			_, v, err := ua.DecodeService(msg)
			if err != nil {
				c.t.Fatal(err)
			}
			r := v.(ua.Response)
			if got := r.Header().RequestHandle; got != binary.LittleEndian.Uint32(body[12:]) {
				c.t.Fatalf("%T to request %d has the handle %d", v, binary.LittleEndian.Uint32(body[12:]), got)
			}
			return binary.LittleEndian.Uint32(body[12:]), r
		}
	}
}

// ask sends a request and wants its good answer.
func ask[T ua.Response](c *raw, r ua.Request) T {
	c.t.Helper()
	resp := c.do(r)
	want, ok := resp.(T)
	if !ok || resp.Header().ServiceResult != ua.StatusOK {
		c.t.Fatalf("%T is answered with %T, %v", r, resp, resp.Header().ServiceResult)
	}
	return want
}

func (c *raw) do(r ua.Request) ua.Response {
	c.t.Helper()
	id := c.send(r)
	got, resp := c.next()
	if got != id {
		c.t.Fatalf("%T answers request %d, want %d", resp, got, id)
	}
	return resp
}

// refused wants a fault.
func (c *raw) refused(r ua.Request, want ua.StatusCode) {
	c.t.Helper()
	resp := c.do(r)
	if _, ok := resp.(*ua.ServiceFault); !ok || resp.Header().ServiceResult != want {
		c.t.Errorf("%T is answered with %T, %v; want %v", r, resp, resp.Header().ServiceResult, want)
	}
}

// subscribe makes a subscription; items can follow.
func (c *raw) subscribe(interval time.Duration, lifetime, keep uint32) *ua.CreateSubscriptionResponse {
	c.t.Helper()
	return ask[*ua.CreateSubscriptionResponse](c, &ua.CreateSubscriptionRequest{
		RequestedPublishingInterval: float64(interval) / 1e6, RequestedLifetimeCount: lifetime, RequestedMaxKeepAliveCount: keep, PublishingEnabled: true,
	})
}

// want is an item to monitor.
type want struct {
	tag     string
	every   time.Duration
	queue   uint32
	newest  bool // discard the newest, not the oldest
	filter  *ua.DataChangeFilter
	mode    ua.MonitoringMode // 0 stands for reporting
	disable bool
}

func (w want) request(handle int) *ua.MonitoredItemCreateRequest {
	r := &ua.MonitoredItemCreateRequest{
		ItemToMonitor:       &ua.ReadValueID{NodeID: ua.NewStringNodeID(2, w.tag), AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{}},
		MonitoringMode:      ua.MonitoringModeReporting,
		RequestedParameters: &ua.MonitoringParameters{ClientHandle: uint32(handle), SamplingInterval: float64(w.every) / 1e6, QueueSize: w.queue, DiscardOldest: !w.newest},
	}
	if w.mode != 0 {
		r.MonitoringMode = w.mode
	}
	if w.disable {
		r.MonitoringMode = ua.MonitoringModeDisabled
	}
	if w.filter != nil {
		r.RequestedParameters.Filter = ua.NewExtensionObject(w.filter)
	} else {
		r.RequestedParameters.Filter = ua.NewExtensionObject(nil)
	}
	return r
}

// monitor creates items with the handles 0, 1, 2 ... and returns their ids.
func (c *raw) monitor(sub uint32, items ...want) []uint32 {
	c.t.Helper()
	r := &ua.CreateMonitoredItemsRequest{SubscriptionID: sub, TimestampsToReturn: ua.TimestampsToReturnBoth}
	for i, w := range items {
		r.ItemsToCreate = append(r.ItemsToCreate, w.request(i))
	}
	var ids []uint32
	for i, res := range ask[*ua.CreateMonitoredItemsResponse](c, r).Results {
		if res.StatusCode != ua.StatusOK {
			c.t.Fatalf("item %s: %v", items[i].tag, res.StatusCode)
		}
		ids = append(ids, res.MonitoredItemID)
	}
	return ids
}

// got is one notification of a value.
type got struct {
	handle   uint32
	value    float64
	status   signal.Quality
	source   time.Time
	overflow bool
}

func (g got) String() string {
	s := fmt.Sprintf("%d=%v", g.handle, g.value)
	if g.status != 0 {
		s += fmt.Sprintf("(%v)", g.status)
	}
	if g.overflow {
		s += "!"
	}
	return s
}

func number(v *ua.Variant) float64 {
	switch x := v.Value().(type) {
	case nil:
		return math.NaN()
	case bool:
		if x {
			return 1
		}
		return 0
	case float64:
		return x
	case float32:
		return float64(x)
	case int16:
		return float64(x)
	case uint16:
		return float64(x)
	case int32:
		return float64(x)
	case uint32:
		return float64(x)
	}
	return math.Inf(1)
}

// values takes the samples out of a notification message.
func values(m *ua.NotificationMessage) []got {
	var list []got
	for _, d := range m.NotificationData {
		if n, ok := d.Value.(*ua.DataChangeNotification); ok {
			for _, i := range n.MonitoredItems {
				q := signal.Quality(i.Value.Status)
				list = append(list, got{i.ClientHandle, number(i.Value.Value), q.Code(), i.Value.SourceTimestamp, q.Overflow()})
			}
		}
	}
	return list
}

// publish sends a publish request and waits for its answer.
func (c *raw) publish(acks ...*ua.SubscriptionAcknowledgement) *ua.PublishResponse {
	c.t.Helper()
	return ask[*ua.PublishResponse](c, &ua.PublishRequest{SubscriptionAcknowledgements: acks})
}

// publishDue has a subscription say now what it would at its next cycle, for
// tests in which no cycle must come between two steps.
func (c *raw) publishDue(s *Server, sub uint32, acks ...*ua.SubscriptionAcknowledgement) *ua.PublishResponse {
	c.t.Helper()
	s.mu.Lock()
	s.makeDue(s.subs[sub])
	s.mu.Unlock()
	return c.publish(acks...)
}
