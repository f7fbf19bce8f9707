package opcua

import (
	"context"
	"crypto/x509"
	"errors"
	"math"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gopcua/opcua"
	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc"
)

// troubledPLC is a testPLC that can be told what to get wrong.
type troubledPLC struct {
	*testPLC
	tell func(plc.Trouble)
}

func (p *troubledPLC) OnTrouble(f func(plc.Trouble)) { p.tell = f }

// troubledServer is a server of one, and a session on it.
func troubledServer(t *testing.T, cfg Config) (*troubledPLC, *Server, *raw) {
	t.Helper()
	p := &troubledPLC{testPLC: newPLC()}
	s := serve(t, p, cfg, Options{Seed: 7})
	p.scan(0)
	p.scan(1)
	return p, s, rawSession(t, s, time.Minute)
}

func readOf(tag string) *ua.ReadRequest { return readIn(2, tag) }

func readIn(ns uint16, tags ...string) *ua.ReadRequest {
	r := &ua.ReadRequest{}
	for _, tag := range tags {
		r.NodesToRead = append(r.NodesToRead, &ua.ReadValueID{NodeID: ua.NewStringNodeID(ns, tag), AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{}})
	}
	return r
}

// statusOf is the status of one value that is read.
func statusOf(c *raw, r *ua.ReadRequest) ua.StatusCode {
	c.t.Helper()
	return ask[*ua.ReadResponse](c, r).Results[0].Status
}

// A server that goes down resets who is there and who comes, and keeps nothing:
// the old token and the old subscription are unknown when it is up again.
func TestRestartForgetsEverybody(t *testing.T) {
	p, s, c := troubledServer(t, Config{})
	sub := c.subscribe(10*time.Millisecond, 1000, 10).SubscriptionID
	c.monitor(sub, want{tag: "pump/flow", queue: 10})
	p.tell(plc.Trouble{Down: true})
	if kind, _ := c.frame(); !strings.Contains(kind, syscall.ECONNRESET.Error()) {
		t.Errorf("the old connection ends with %q", kind)
	}
	if nc, err := net.Dial("tcp", s.Addr().String()); err == nil { // it may be reset so soon that Dial fails
		_, err = nc.Read(make([]byte, 1))
		if nc.Close(); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("a new connection ends with %v", err)
		}
	}
	p.tell(plc.Trouble{Boots: 1})
	again := rawDial(t, s)
	again.token = c.token
	again.refused(activateRequest(), ua.StatusBadSessionIDInvalid)
	again = rawSession(t, s, time.Minute)
	transfer := ask[*ua.TransferSubscriptionsResponse](again, &ua.TransferSubscriptionsRequest{SubscriptionIDs: []uint32{sub}})
	if got := transfer.Results[0].StatusCode; got != ua.StatusBadSubscriptionIDInvalid {
		t.Errorf("the old subscription: %v", got)
	}
	if len(s.feeds[1]) != 0 {
		t.Errorf("%d items are fed after a restart", len(s.feeds[1]))
	}
	if now := again.subscribe(time.Second, 1000, 10).SubscriptionID; now == sub {
		t.Errorf("the new subscription has the old one's id %d", now)
	}
}

// With the same ids a client cannot tell its old subscription from a new one.
func TestRestartWithTheSameIDs(t *testing.T) {
	p, s, c := troubledServer(t, Config{})
	old := c.subscribe(time.Second, 1000, 10).SubscriptionID
	p.tell(plc.Trouble{Down: true, SameIDs: true})
	p.tell(plc.Trouble{Boots: 1, SameIDs: true})
	if now := rawSession(t, s, time.Minute).subscribe(time.Second, 1000, 10).SubscriptionID; now != old {
		t.Errorf("subscription %d, want %d again", now, old)
	}
}

// Every answer is late by the same time; late once, only one is, and those
// behind it on its connection.
func TestSlowAnswers(t *testing.T) {
	p, s, c := troubledServer(t, Config{})
	took := func(c *raw) time.Duration {
		from := time.Now()
		ask[*ua.ReadResponse](c, readOf("pump/flow"))
		return time.Since(from)
	}
	const late = 150 * time.Millisecond
	p.tell(plc.Trouble{Late: late})
	for range 2 {
		if d := took(c); d < late {
			t.Errorf("answered after %v, want %v", d, late)
		}
	}
	other := rawSession(t, s, time.Minute)
	p.tell(plc.Trouble{Late: late, LateTurn: 1})
	first, second := c.send(readOf("pump/flow")), c.send(readOf("pump/flow"))
	time.Sleep(20 * time.Millisecond) // so that it is c's answer that is late
	from := time.Now()
	if took(other) >= late/2 {
		t.Error("another connection waits as well")
	}
	if id, _ := c.next(); id != first {
		t.Errorf("%d is answered first, want %d", id, first)
	}
	if waited := time.Since(from); waited < late/2 {
		t.Errorf("late by %v, want %v", waited, late)
	}
	if id, _ := c.next(); id != second {
		t.Errorf("%d is answered second, want %d", id, second)
	}
	if d := took(c); d >= late {
		t.Errorf("late once more, by %v", d)
	}
}

// A server that is closed does not wait for answers that are late.
func TestCloseDoesNotWaitForLateAnswers(t *testing.T) {
	p, s, c := troubledServer(t, Config{})
	p.tell(plc.Trouble{Late: time.Hour})
	c.send(readOf("pump/flow"))
	time.Sleep(20 * time.Millisecond)
	done := make(chan bool)
	go func() { s.Close(); close(done) }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Fatal("Close hangs")
	}
}

// Each kind of request is refused when it is its turn, as a whole or item by
// item, and no other is.
func TestRefusals(t *testing.T) {
	p, _, c := troubledServer(t, Config{})
	sub := c.subscribe(time.Hour, 1000, 10).SubscriptionID
	flow := ua.NewStringNodeID(2, "pump/flow")
	requests := map[string]ua.Request{
		"read":      readOf("pump/flow"),
		"write":     writeOf("oven/setpoint", 5.0),
		"browse":    &ua.BrowseRequest{View: &ua.ViewDescription{ViewID: ua.NewTwoByteNodeID(0)}, NodesToBrowse: []*ua.BrowseDescription{{NodeID: flow, ReferenceTypeID: ua.NewTwoByteNodeID(id.References)}}},
		"subscribe": &ua.CreateMonitoredItemsRequest{SubscriptionID: sub, ItemsToCreate: []*ua.MonitoredItemCreateRequest{want{tag: "pump/flow"}.request(1)}},
	}
	status := func(r ua.Response) ua.StatusCode {
		switch r := r.(type) {
		case *ua.ReadResponse:
			return r.Results[0].Status
		case *ua.WriteResponse:
			return r.Results[0]
		case *ua.BrowseResponse:
			return r.Results[0].StatusCode
		case *ua.CreateMonitoredItemsResponse:
			return r.Results[0].StatusCode
		}
		return r.Header().ServiceResult
	}
	for on, r := range requests {
		p.tell(plc.Trouble{Refuse: plc.Refusal{Code: "timeout", On: on, Share: 1}})
		c.refused(r, ua.StatusBadTimeout)
		p.tell(plc.Trouble{Refuse: plc.Refusal{Code: "memory", On: on, Share: 1, Items: true}})
		if got := status(c.do(r)); got != ua.StatusBadOutOfMemory {
			t.Errorf("an item of %s: %v", on, got)
		}
		p.tell(plc.Trouble{Refuse: plc.Refusal{Code: "timeout", On: "call", Share: 1}})
		if got := status(c.do(r)); got != ua.StatusOK {
			t.Errorf("%s is refused for a call: %v", on, got)
		}
	}
}

// Of many requests about the share is refused that should be.
func TestAShareOfRequestsIsRefused(t *testing.T) {
	p, _, c := troubledServer(t, Config{})
	p.tell(plc.Trouble{Refuse: plc.Refusal{Code: "busy", Share: 0.25, Items: true}})
	var tags []string
	for range 1000 {
		tags = append(tags, "pump/flow")
	}
	n := 0
	for range 4 {
		for _, r := range ask[*ua.ReadResponse](c, readIn(2, tags...)).Results {
			if r.Status != ua.StatusOK {
				n++
			}
		}
	}
	if math.Abs(float64(n)-1000) > 4*math.Sqrt(4000*0.25*0.75) {
		t.Errorf("%d of 4000 are refused, want about 1000", n)
	}
}

// Who has a session keeps it; nobody gets a new one.
func TestSessionsFull(t *testing.T) {
	p, s, c := troubledServer(t, Config{})
	p.tell(plc.Trouble{SessionsFull: true})
	if got := statusOf(c, readOf("pump/flow")); got != ua.StatusOK {
		t.Errorf("the old session: %v", got)
	}
	late := rawDial(t, s)
	late.refused(&ua.CreateSessionRequest{ClientDescription: &ua.ApplicationDescription{ApplicationName: ua.NewLocalizedText("late")}}, ua.StatusBadTooManySessions)
	p.tell(plc.Trouble{})
	late.createSession(time.Minute)
}

// Nothing that was sent can be had again, before and after the queue is taken
// away, and none of it is offered; acknowledging it is no error.
func TestNoRepublish(t *testing.T) {
	p, s, c := troubledServer(t, Config{})
	sub := c.subscribe(time.Hour, 1000, 10).SubscriptionID
	c.monitor(sub, want{tag: "pump/flow", queue: 10})
	before := c.publishDue(s, sub).NotificationMessage.SequenceNumber
	p.tell(plc.Trouble{NoRepublish: true})
	p.scan(1)
	r := c.publishDue(s, sub)
	if len(r.AvailableSequenceNumbers) != 0 {
		t.Errorf("offers %v", r.AvailableSequenceNumbers)
	}
	for _, seq := range []uint32{before, r.NotificationMessage.SequenceNumber} {
		c.refused(&ua.RepublishRequest{SubscriptionID: sub, RetransmitSequenceNumber: seq}, ua.StatusBadMessageNotAvailable)
	}
	p.scan(1)
	acked := c.publishDue(s, sub, &ua.SubscriptionAcknowledgement{SubscriptionID: sub, SequenceNumber: before})
	if acked.Results[0] != ua.StatusOK {
		t.Errorf("an acknowledgement: %v", acked.Results[0])
	}
}

// A new certificate is shown to who comes; the channel that was open goes on
// until its keys end. An expired one is shown as it is.
func TestCertificatesChange(t *testing.T) {
	sec, err := NewSecurity("urn:plantbed:plc-test:server", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	p := &troubledPLC{testPLC: newPLC()}
	s := serve(t, p, Config{Security: sec}, Options{})
	p.scan(1)
	old := connectSecured(t, s)
	read := func() error {
		_, err := old.Read(context.Background(), readOf("pump/flow"))
		return err
	}
	p.tell(plc.Trouble{Certificate: 1})
	if err := read(); err != nil {
		t.Errorf("the old channel: %v", err)
	}
	rotated := shownCertificate(t, s)
	if string(rotated.Raw) == string(sec.Certificate) || rotated.CheckSignature(rotated.SignatureAlgorithm, rotated.RawTBSCertificate, rotated.Signature) != nil {
		t.Error("the certificate is the old one, or broken")
	}
	if err := read(); err != nil {
		t.Errorf("the old channel: %v", err)
	}
	connectSecured(t, s)
	p.tell(plc.Trouble{Expired: true})
	if c := shownCertificate(t, s); c.NotAfter.After(time.Now()) {
		t.Errorf("expires %v", c.NotAfter)
	}
	p.tell(plc.Trouble{})
	if c := shownCertificate(t, s); string(c.Raw) != string(sec.Certificate) {
		t.Error("the first certificate does not come back")
	}
}

// shownCertificate is what a server shows to who asks for its endpoints.
func shownCertificate(t *testing.T, s *Server) *x509.Certificate {
	t.Helper()
	r := ask[*ua.GetEndpointsResponse](rawDial(t, s), &ua.GetEndpointsRequest{EndpointURL: endpoint(s)})
	c, err := x509.ParseCertificate(r.Endpoints[0].ServerCertificate)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A folder of certificates trusts these and no others; a broken one is named.
func TestTrustFolder(t *testing.T) {
	dir := t.TempDir()
	mine, _ := pair(t, 2048, "urn:mine")
	other, _ := pair(t, 2048, "urn:other")
	writeFile(t, dir+"/mine.der", mine)
	trust, err := TrustFolder(dir)
	if err != nil || !trust(mine) || trust(other) {
		t.Errorf("mine %v, other %v, %v", trust(mine), trust(other), err)
	}
	for _, no := range []string{dir + "/none", dir + "/mine.der"} {
		if _, err := TrustFolder(no); err == nil || !strings.Contains(err.Error(), no) {
			t.Errorf("%s: %v", no, err)
		}
	}
	writeFile(t, dir+"/broken.der", []byte("no certificate"))
	if _, err := TrustFolder(dir); err == nil || !strings.Contains(err.Error(), "broken.der") {
		t.Errorf("a broken file: %v", err)
	}
}

func writeFile(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func writeOf(tag string, v any) *ua.WriteRequest {
	return &ua.WriteRequest{NodesToWrite: []*ua.WriteValue{{
		NodeID: ua.NewStringNodeID(2, tag), AttributeID: ua.AttributeIDValue,
		Value: &ua.DataValue{EncodingMask: ua.DataValueValue, Value: ua.MustVariant(v)},
	}}}
}

// connectSecured is gopcua's client, signed and encrypted.
func connectSecured(t *testing.T, s *Server, opts ...opcua.Option) *opcua.Client {
	t.Helper()
	endpoints, err := opcua.GetEndpoints(context.Background(), endpoint(s))
	if err != nil {
		t.Fatal(err)
	}
	cert, key := pair(t, 2048, "urn:client")
	ep := endpoints[len(endpoints)-1]
	return connect(t, s, append(opts, opcua.SecurityFromEndpoint(ep, ua.UserTokenTypeAnonymous), opcua.Certificate(cert), opcua.PrivateKey(key))...)
}
