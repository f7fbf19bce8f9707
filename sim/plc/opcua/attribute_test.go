package opcua

import (
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc"
)

// Every node has the attributes that its class must have (Part 3, 5), and
// none that it must not.
func TestAttributesOfEveryNode(t *testing.T) {
	p := newPLC()
	s := serve(t, p, Config{}, Options{})
	p.scan(0)
	p.scan(1)
	c := rawSession(t, s, time.Minute)
	base := []ua.AttributeID{1, 2, 3, 4, 5, 6, 7}
	must := map[ua.NodeClass][]ua.AttributeID{
		ua.NodeClassObject: {12}, ua.NodeClassVariable: {13, 14, 15, 17, 18, 19, 20}, ua.NodeClassReferenceType: {8, 9},
		ua.NodeClassObjectType: {8}, ua.NodeClassVariableType: {8, 14, 15}, ua.NodeClassDataType: {8}, ua.NodeClassMethod: {21, 22},
	}
	may := map[ua.NodeClass][]ua.AttributeID{ua.NodeClassVariable: {16}, ua.NodeClassReferenceType: {10}, ua.NodeClassDataType: {23}}
	var nodes []*node
	for _, n := range s.space().std.nodes {
		nodes = append(nodes, n)
	}
	for _, n := range s.space().tags {
		nodes = append(nodes, n)
		if n.tag != nil {
			nodes = append(nodes, propertiesOf(n)...)
		}
	}
	for _, n := range nodes {
		r := &ua.ReadRequest{TimestampsToReturn: ua.TimestampsToReturnNeither}
		for a := ua.AttributeID(1); a <= ua.AttributeIDAccessLevelEx; a++ {
			r.NodesToRead = append(r.NodesToRead, &ua.ReadValueID{NodeID: n.id, AttributeID: a, DataEncoding: &ua.QualifiedName{}})
		}
		for i, v := range ask[*ua.ReadResponse](c, r).Results {
			a := ua.AttributeID(i + 1)
			has := v.Status == ua.StatusOK && v.Value.Value() != nil
			switch {
			case !has && v.Status != ua.StatusBadAttributeIDInvalid:
				t.Errorf("%v: attribute %d is %v, %v", n.id, a, v.Value.Value(), v.Status)
			case !has && (slices.Contains(base, a) || slices.Contains(must[n.class], a)):
				t.Errorf("%v: no attribute %d", n.id, a)
			case has && !slices.Contains(base, a) && !slices.Contains(must[n.class], a) && !slices.Contains(may[n.class], a):
				t.Errorf("%v has an attribute %d", n.id, a)
			case has && a == ua.AttributeIDNodeID && v.Value.NodeID().String() != n.id.String():
				t.Errorf("%v says it is %v", n.id, v.Value.NodeID())
			case has && a == ua.AttributeIDDataType && s.space().node(v.Value.NodeID()) == nil:
				t.Errorf("%v: data type %v is no node", n.id, v.Value.NodeID())
			}
		}
	}
}

// A variant of any kind is stepped over to its last byte.
func TestSkipVariant(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	one := []any{
		true, int8(1), byte(2), int16(3), uint16(4), int32(5), uint32(6), int64(7), uint64(8), float32(9), 10.0, "eleven", time.Unix(12, 0), ua.NewGUID("1111AAAA-22BB-33CC-44DD-55EE77FF9900"),
		[]byte("15"), ua.XMLElement("16"), ua.NewStringNodeID(1, "17"), ua.NewStringExpandedNodeID(1, "18"), ua.StatusCode(19), &ua.QualifiedName{NamespaceIndex: 2, Name: "20"},
		ua.NewLocalizedTextWithLocale("21", "en"), ua.NewExtensionObject(&ua.Range{Low: 2}), ua.MustVariant(24.0),
		[]string{"a", "", "c"}, []float64{1, 2, 3}, [][]int32{{1, 2}, {3, 4}}, []*ua.Variant{ua.MustVariant("x"), ua.MustVariant([]bool{true})},
	}
	for _, v := range one {
		b, err := ua.MustVariant(v).Encode()
		if err != nil {
			t.Fatal(err)
		}
		c := cursor{b: append(slices.Clone(b), 1, 2, 3)}
		c.skipVariant(0)
		if c.bad || len(c.b) != 3 {
			t.Errorf("%T: %d bytes left, bad %v", v, len(c.b), c.bad)
		}
		for n := range b {
			c := cursor{b: b[:n]}
			if c.skipVariant(0); !c.bad {
				t.Errorf("%T: whole after %d of %d bytes", v, n, len(b))
			}
		}
	}
	for range 100_000 { // no bytes at all take it beyond their end
		b := make([]byte, r.IntN(20))
		for i := range b {
			b[i] = byte(r.Uint32()) >> r.IntN(8)
		}
		c := cursor{b: b}
		c.skipVariant(0)
	}
}

// Each type of tag takes its own type of variant and no other.
func TestEngineering(t *testing.T) {
	values := map[plc.Type]any{plc.Bool: true, plc.Int16: int16(1), plc.UInt16: uint16(1), plc.Int32: int32(1), plc.UInt32: uint32(1), plc.Float32: float32(1), plc.Float64: 1.0}
	for typ := range values {
		for of, v := range values {
			tg := tag("x", typ, 1)
			if typ.IsInteger() {
				tg.Scale = 0.5
			}
			got, ok := engineering(&tg, ua.MustVariant(v))
			if ok != (typ == of) || ok && got != map[bool]float64{true: 0.5, false: 1}[typ.IsInteger()] {
				t.Errorf("%v into a %v: %v, %v", of, typ, got, ok)
			}
		}
	}
}

func TestModifySubscription(t *testing.T) {
	p := newPLC()
	s := serve(t, p, Config{}, Options{})
	c := rawSession(t, s, time.Minute)
	p.scan(1)
	sub := c.subscribe(time.Hour, 1000, 10)
	c.monitor(sub.SubscriptionID, want{tag: "pump/flow"})
	r := ask[*ua.ModifySubscriptionResponse](c, &ua.ModifySubscriptionRequest{SubscriptionID: sub.SubscriptionID, RequestedPublishingInterval: 20, RequestedLifetimeCount: 1, RequestedMaxKeepAliveCount: 7})
	if r.RevisedPublishingInterval != 20 || r.RevisedLifetimeCount != 21 || r.RevisedMaxKeepAliveCount != 7 {
		t.Errorf("revised to %+v", r)
	}
	if got := values(c.publish().NotificationMessage); len(got) != 1 { // and not in an hour
		t.Errorf("%v", got)
	}
	if r := c.subscribe(0, 0, 0); r.RevisedPublishingInterval != 10 || r.RevisedMaxKeepAliveCount != 10 || r.RevisedLifetimeCount != 30 {
		t.Errorf("nothing asked for is revised to %+v", r)
	}
}

// A client that asks and never reads loses its connection, and holds up nobody.
func TestClientThatDoesNotRead(t *testing.T) {
	p := newPLC()
	s := serve(t, p, Config{Limits: Limits{Write: 4e8}}, Options{})
	good, bad := rawSession(t, s, time.Minute), rawSession(t, s, time.Minute)
	bad.nc.(*net.TCPConn).SetReadBuffer(4096)
	r := &ua.ReadRequest{}
	for range 5000 {
		r.NodesToRead = append(r.NodesToRead, &ua.ReadValueID{NodeID: ua.NewNumericNodeID(0, id.Server_NamespaceArray), AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{}})
	}
	body := encodeRequest(t, r, bad.token, 1, 0)
	bad.request++
	go func() {
		for {
			for rest := body; len(rest) > 0; {
				n, flag := min(60000, len(rest)), byte('C')
				if n == len(rest) {
					flag = 'F'
				}
				if _, err := bad.nc.Write(bad.messageFrame(rest[:n], flag)); err != nil {
					return
				}
				rest = rest[n:]
			}
		}
	}()
	waitFor(t, "the connection's end", func() bool {
		ask[*ua.ReadResponse](good, &ua.ReadRequest{NodesToRead: r.NodesToRead[:1]})
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.conns) == 1
	})
}

// A full outbox ends the connection instead of growing.
func TestOutboxIsBounded(t *testing.T) {
	p := newPLC()
	s := serve(t, p, Config{Limits: Limits{Outbox: 1000}}, Options{})
	c := rawSession(t, s, time.Minute)
	c.send(&ua.FindServersRequest{EndpointURL: "opc.tcp://" + strings.Repeat("x", 2000) + ":1"})
	if kind, _ := c.frame(); !strings.Contains(kind, "EOF") && !strings.Contains(kind, "reset") {
		t.Errorf("%s", kind)
	}
}
