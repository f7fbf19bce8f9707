package opcua

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gopcua/opcua"
	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/internal/interop/seen"

	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/signal"
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

// A tag that goes is unknown to every service, says so to those who monitor it,
// and is reported again with the first scan after it is back.
func TestATagGoesAndComes(t *testing.T) {
	p, s, c := troubledServer(t, Config{})
	p.set("pump/flow", 3)
	p.scan(1)
	sub := c.subscribe(time.Hour, 1000, 10).SubscriptionID
	c.monitor(sub, want{tag: "pump/flow", queue: 10}, want{tag: "pump/vibration", queue: 10})
	c.publishDue(s, sub)
	p.tell(plc.Trouble{Gone: []signal.ID{"pump/flow"}})
	for _, node := range []string{"pump/flow", "pump/flow.EURange"} {
		if got := statusOf(c, readOf(node)); got != ua.StatusBadNodeIDUnknown {
			t.Errorf("%s: %v", node, got)
		}
	}
	if got := statusOf(c, readOf("pump/vibration")); got != ua.StatusOK {
		t.Errorf("its neighbour: %v", got)
	}
	created := ask[*ua.CreateMonitoredItemsResponse](c, &ua.CreateMonitoredItemsRequest{SubscriptionID: sub, ItemsToCreate: []*ua.MonitoredItemCreateRequest{want{tag: "pump/flow"}.request(9)}})
	if got := created.Results[0].StatusCode; got != ua.StatusBadNodeIDUnknown {
		t.Errorf("an item of it: %v", got)
	}
	if names := below(c, ua.NewStringNodeID(2, "pump")); slices.Contains(names, "flow") || !slices.Contains(names, "vibration") {
		t.Errorf("below pump: %v", names)
	}
	p.scan(1)
	var of []got
	for _, g := range values(c.publishDue(s, sub).NotificationMessage) {
		if g.handle == 0 {
			of = append(of, g)
		}
	}
	if len(of) != 1 || of[0].status != signal.Quality(ua.StatusBadNodeIDUnknown) || !math.IsNaN(of[0].value) {
		t.Errorf("gone, it says %v", of)
	}
	p.tell(plc.Trouble{})
	p.scan(1)
	last := values(c.publishDue(s, sub).NotificationMessage)
	if i := slices.IndexFunc(last, func(g got) bool { return g.handle == 0 }); i < 0 || last[i].value != 3 || last[i].status != signal.Good {
		t.Errorf("back, it says %v", last)
	}
}

// below lists the browse names under a node.
func below(c *raw, n *ua.NodeID) (names []string) {
	c.t.Helper()
	r := ask[*ua.BrowseResponse](c, &ua.BrowseRequest{View: &ua.ViewDescription{ViewID: ua.NewTwoByteNodeID(0)}, NodesToBrowse: []*ua.BrowseDescription{{
		NodeID: n, ReferenceTypeID: ua.NewTwoByteNodeID(id.HierarchicalReferences), IncludeSubtypes: true, ResultMask: uint32(ua.BrowseResultMaskAll)}}})
	for _, ref := range r.Results[0].References {
		names = append(names, ref.BrowseName.Name)
	}
	return names
}

// The namespace is still there under its name, and no longer under its index;
// sessions end, as they do when a controller gets another program.
func TestTheNamespaceMoves(t *testing.T) {
	p, s, c := troubledServer(t, Config{})
	p.tell(plc.Trouble{Moved: 1})
	if kind, _ := c.frame(); !strings.Contains(kind, syscall.ECONNRESET.Error()) {
		t.Errorf("the old connection ends with %q", kind)
	}
	client := connect(t, s)
	if got := client.Namespaces(); len(got) != 4 || got[3] != "urn:plantbed:plc-test" {
		t.Errorf("namespaces %q", got)
	}
	again := rawSession(t, s, time.Minute)
	if got := statusOf(again, readIn(2, "pump/flow")); got != ua.StatusBadNodeIDUnknown {
		t.Errorf("at the old index: %v", got)
	}
	if got := statusOf(again, readIn(3, "pump/flow")); got != ua.StatusOK {
		t.Errorf("at the new index: %v", got)
	}
	p.tell(plc.Trouble{})
	if got := statusOf(rawSession(t, s, time.Minute), readOf("pump/flow")); got != ua.StatusOK {
		t.Errorf("moved back: %v", got)
	}
}

// A device remembers what was written into its variables, and when, whatever
// their ids have become; what nobody has written has kept its time too.
func TestVariablesWhenTheNamespaceMoves(t *testing.T) {
	p, s, c := troubledServer(t, Config{Variables: testVariables(), Models: []*Model{lineModel(t)}})
	own, model := readOf("oven/batch"), readOf("oven/names")
	ns := index(t, c, line)
	own.NodesToRead = append(own.NodesToRead, readIn(ns, "Filler.Gate").NodesToRead...)
	for i, v := range []any{"B-2", int32(3)} {
		w := writeOf("x", v)
		w.NodesToWrite[0].NodeID = own.NodesToRead[i].NodeID
		if got := ask[*ua.WriteResponse](c, w).Results[0]; got != ua.StatusOK {
			t.Fatal(got)
		}
	}
	look := func(c *raw, by int) (list []string) {
		for _, q := range append(slices.Clone(own.NodesToRead), model.NodesToRead...) {
			at := ua.NewStringNodeID(q.NodeID.Namespace()+uint16(by), q.NodeID.StringID())
			r := ask[*ua.ReadResponse](c, &ua.ReadRequest{NodesToRead: []*ua.ReadValueID{{NodeID: at, AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{}}}}).Results[0]
			list = append(list, fmt.Sprint(r.Status, r.Value.Value(), r.SourceTimestamp))
		}
		return list
	}
	before := look(c, 0)
	for _, by := range []int{2, 1, 0} {
		p.tell(plc.Trouble{Moved: by})
		if got := look(rawSession(t, s, time.Minute), by); !slices.Equal(got, before) {
			t.Errorf("moved by %d:\n%v, want\n%v", by, got, before)
		}
	}
	if w := writeOf("oven/batch", "C"); ask[*ua.WriteResponse](rawSession(t, s, time.Minute), w).Results[0] != ua.StatusOK || look(rawSession(t, s, time.Minute), 0)[0] == before[0] {
		t.Error("moved back, it keeps nothing")
	}
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

// The ids of a device that has run for long wrap, and the numbers of its
// chunks; the notifications of a new subscription begin at 1 all the same.
func TestCountersWrap(t *testing.T) {
	p, s, _ := troubledServer(t, Config{})
	p.tell(plc.Trouble{WrapIn: 2})
	var subs, items, chunks []uint32
	c := rawSession(t, s, time.Minute)
	if want := uint32(math.MaxUint32); c.channel != want {
		t.Errorf("channel %d, want %d", c.channel, want)
	}
	for range 4 {
		subs = append(subs, c.subscribe(time.Hour, 1000, 10).SubscriptionID)
		items = append(items, c.monitor(subs[0], want{tag: "pump/flow", queue: 10})...)
		chunks = append(chunks, c.chunk)
	}
	for what, got := range map[string][]uint32{"subscriptions": subs, "items": items} {
		if want := []uint32{math.MaxUint32, 1, 2, 3}; !slices.Equal(got, want) {
			t.Errorf("%s %v, want %v", what, got, want)
		}
	}
	if want := []uint32{3, 5, 7, 9}; !slices.Equal(chunks, want) { // after OPN, session, activation
		t.Errorf("chunks %v, want %v", chunks, want)
	}
	if got := c.publishDue(s, subs[0]).NotificationMessage.SequenceNumber; got != 1 {
		t.Errorf("the first notification is %d", got)
	}
	p.tell(plc.Trouble{})
	if got := c.subscribe(time.Hour, 1000, 10).SubscriptionID; got != 4 {
		t.Errorf("a subscription later is %d", got)
	}
}

// A client that nobody here wrote goes through the wrap without a loss.
func TestInteropCountersWrap(t *testing.T) {
	p, s, _ := troubledServer(t, Config{})
	p.tell(plc.Trouble{WrapIn: 20})
	c := connect(t, s, opcua.AutoReconnect(false))
	notes := make(chan *opcua.PublishNotificationData, 10)
	sub := subscribe(t, s, c, soon, notes)
	if _, err := sub.Monitor(context.Background(), ua.TimestampsToReturnBoth, want{tag: "pump/flow", queue: 50}.request(0)); err != nil {
		t.Fatal(err)
	}
	next := 0.0
	for next < 40 {
		p.scan(1)
		n := <-notes
		if n.Error != nil {
			t.Fatal(n.Error)
		}
		for _, it := range n.Value.(*ua.DataChangeNotification).MonitoredItems {
			if v := it.Value.Value; v != nil && next > 0 && v.Float() != next {
				t.Fatalf("%v, want %v", v.Float(), next)
			}
			if it.Value.Value != nil {
				next = it.Value.Value.Float() + 1
			}
		}
	}
	s.mu.Lock()
	wrapped := len(s.conns) == 2 && s.conns[1].ch.sequence < 1024
	s.mu.Unlock()
	if !wrapped {
		t.Error("the numbers of the chunks have not wrapped")
	}
	seen.Note(t, "gopcua v0.9.1", "ids and chunk numbers that wrap", wrapped)
}

// The number of a notification after 2^32 - 1 is 1.
func TestSequenceNumbersWrap(t *testing.T) {
	p, s, c := troubledServer(t, Config{})
	sub := c.subscribe(time.Hour, 1000, 10).SubscriptionID
	c.monitor(sub, want{tag: "pump/flow", queue: 10})
	s.mu.Lock()
	s.subs[sub].next = math.MaxUint32 - 1
	s.mu.Unlock()
	var seqs []uint32
	for range 4 {
		seqs = append(seqs, c.publishDue(s, sub).NotificationMessage.SequenceNumber)
		p.scan(1)
	}
	if want := []uint32{math.MaxUint32 - 1, math.MaxUint32, 1, 2}; !slices.Equal(seqs, want) {
		t.Errorf("sequence numbers %v, want %v", seqs, want)
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
