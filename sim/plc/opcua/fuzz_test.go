package opcua

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/plc"
)

// tape is a connection from which a recording comes.
type tape struct {
	io.Reader
	net.Conn
}

func (t tape) Read(b []byte) (int, error)       { return t.Reader.Read(b) }
func (t tape) Write(b []byte) (int, error)      { return len(b), nil }
func (t tape) Close() error                     { return nil }
func (t tape) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (t tape) SetReadDeadline(time.Time) error  { return nil }
func (t tape) SetWriteDeadline(time.Time) error { return nil }

// alarmed fails a test at the first panic that was caught.
type alarmed struct{ t testing.TB }

func (a alarmed) Enabled(context.Context, slog.Level) bool { return true }
func (a alarmed) WithAttrs([]slog.Attr) slog.Handler       { return a }
func (a alarmed) WithGroup(string) slog.Handler            { return a }
func (a alarmed) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "broke its connection") || strings.Contains(r.Message, "service failed") {
		r.Attrs(func(at slog.Attr) bool { a.t.Errorf("%s: %v", r.Message, at); return true })
	}
	return nil
}

// stage is a server that has never been talked to, always the same one.
type stage struct {
	p     *testPLC
	space *space
	ln    net.Listener
}

func (st *stage) play(t testing.TB, b []byte) {
	s := newServer(fuzzConfig(), st.p, Options{Log: slog.New(alarmed{t}), Seed: 1, Tap: func(int, int64, time.Time, []Ref) {}}, st.space)
	s.ln = st.ln
	st.p.on = append(st.p.on[:0], s.scan)
	c := newConn(s, tape{Reader: bytes.NewReader(b)}, 0)
	s.mu.Lock()
	s.conns = append(s.conns, c)
	s.mu.Unlock()
	c.serve()
	st.p.scan(1)
	s.ln = nil
	s.Close()
}

// prologue is what a client says until it has a session and a subscription.
func (st *stage) prologue(t testing.TB) (hello, session []byte, c *raw) {
	s := newServer(fuzzConfig(), st.p, Options{Seed: 1}, st.space)
	c = &raw{t: t, token: ua.NewTwoByteNodeID(0)}
	hello = append(helloFrame("opc.tcp://a:1"), c.openFrame(ua.SecurityTokenRequestTypeIssue)...)
	c.channel = s.ids.channel + 1
	say := func(r ua.Request) {
		c.request++
		session = append(session, c.messageFrame(encodeRequest(t, r, c.token, c.request, 0), 'F')...)
	}
	say(&ua.CreateSessionRequest{ClientDescription: &ua.ApplicationDescription{ApplicationName: ua.NewLocalizedText("")}})
	c.token = ua.NewByteStringNodeID(0, s.secret(32))
	say(activateRequest())
	say(&ua.CreateSubscriptionRequest{RequestedPublishingInterval: 1e6, PublishingEnabled: true})
	say(&ua.CreateMonitoredItemsRequest{SubscriptionID: s.ids.sub + 1, ItemsToCreate: []*ua.MonitoredItemCreateRequest{want{tag: "pump/flow", queue: 3}.request(0)}})
	return hello, session, c
}

// FuzzFrame plays anything to a server: as a stream from its first byte, after
// the handshake, within a session, or as the requests of a session. Nothing of
// it may panic or hang.
func FuzzFrame(f *testing.F) {
	st := &stage{p: newPLC()}
	st.p.scan(1)
	var err error
	if st.space, err = newSpace(st.p, fuzzConfig(), 0); err != nil {
		f.Fatal(err)
	}
	if st.ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { st.ln.Close() })
	hello, session, c := st.prologue(f)
	seq, request := c.seq, c.request

	f.Add(append([]byte{0}, hello...))
	f.Add(append([]byte{1}, session...))
	r := rand.New(rand.NewPCG(5, 6))
	for number, svc := range services {
		v, _ := svc.decode(&cursor{bad: true})
		for range 3 {
			random(r, reflect.ValueOf(v).Elem())
			body := encodeRequest(f, v.(ua.Request), c.token, 1, 0)
			f.Add(append([]byte{2}, c.messageFrame(body, 'F')...))
			f.Add(append(appendU16([]byte{3}, number), body[len(encodeRequest(f, &ua.CloseSecureChannelRequest{}, c.token, 1, 0)):]...))
		}
	}
	server := ua.NewFourByteNodeID(0, id.Server)
	for _, req := range []ua.Request{
		&ua.CreateMonitoredItemsRequest{ItemsToCreate: []*ua.MonitoredItemCreateRequest{eventItem(server, eventFields, combine(ua.FilterOperatorNot, 1), ofType(id.AlarmConditionType))}},
		&ua.CreateMonitoredItemsRequest{ItemsToCreate: []*ua.MonitoredItemCreateRequest{eventItem(server, eventFields, combine(ua.FilterOperatorOr, 1, 2),
			compare(ua.FilterOperatorGreaterThanOrEqual, "Severity", int32(500)), compare(ua.FilterOperatorEquals, "SourceName", "pump/flow"))}},
		writeArray("oven/batch", "0:1", "Bé"), writeArray("types/bytestring", "1", []byte{7}), writeArray("oven/recipe", "0:1,2", []float64{1, 2}),
		ackOf("pump/flow.Alarm", []byte("0123456789abcdef"), "seen"), callOf("oven", "oven.SetSetpoint", 5.0),
		callOf("pump/flow.Alarm", "", 1.0), writeArray("oven/recipe", "0:1", []float64{1, 2}), writeArray("types/guid", "", ua.NewGUID("11112222-3333-4444-5555-666677778888")),
		readIn(2, "oven/recipe", "pump/all", "pump.Admin.ProdProcessedCount", "pump/flow.Alarm.ShelvingState.UnshelveTime"),
		historyOf("pump/flow", &ua.ReadRawModifiedDetails{StartTime: st.p.start, NumValuesPerNode: 2, ReturnBounds: true}, []byte("12345678")),
	} {
		body := encodeRequest(f, req, c.token, 1, 0)
		f.Add(append([]byte{2}, c.messageFrame(body, 'F')...))
	}
	header := encodeRequest(f, &ua.CloseSecureChannelRequest{}, c.token, 1, 0)[4:]
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 3 {
			return
		}
		stream := bytes.Clone(hello)
		switch data[0] % 4 {
		case 0:
			stream = data[1:]
		case 1:
			stream = append(stream, data[1:]...)
		case 2:
			stream = append(append(stream, session...), data[1:]...)
		case 3:
			c := *c
			c.seq, c.request = seq, request+1
			body := append(append([]byte{1, 0, data[1], data[2]}, header...), data[3:]...)
			if len(body) > 60000 {
				return
			}
			stream = append(append(stream, session...), c.messageFrame(body, 'F')...)
		}
		st.play(t, stream)
	})
}

// fuzzConfig has all that a client can reach.
func fuzzConfig() Config {
	high := 10.0
	return Config{
		History: strict.Duration(10 * time.Second), Alarms: []plc.Alarm{{Tag: "pump/flow", High: &high, Confirm: true}},
		Machines: testMachines(), Variables: testVariables(),
		Users: Users{Passwords: map[string]string{"operator": "x"}},
	}.WithDefaults("x")
}

// The prologue of the fuzz target must reach the state that it claims to.
func TestFuzzPrologue(t *testing.T) {
	st := &stage{p: newPLC()}
	var err error
	if st.space, err = newSpace(st.p, fuzzConfig(), 0); err != nil {
		t.Fatal(err)
	}
	hello, session, _ := st.prologue(t)
	s := newServer(fuzzConfig(), st.p, Options{Seed: 1}, st.space)
	if s.ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := newConn(s, tape{Reader: bytes.NewReader(append(hello, session...))}, 0)
	c.serve()
	if len(s.sessions) != 1 || len(s.subs) != 1 || len(s.feeds[1]) != 1 {
		t.Errorf("%d sessions, %d subscriptions, %d items", len(s.sessions), len(s.subs), len(s.feeds[1]))
	}
}

// writeArray writes a variable, or a part of one.
func writeArray(name, part string, v any) *ua.WriteRequest {
	return &ua.WriteRequest{NodesToWrite: []*ua.WriteValue{{
		NodeID: ua.NewStringNodeID(2, name), AttributeID: ua.AttributeIDValue, IndexRange: part, Value: &ua.DataValue{EncodingMask: ua.DataValueValue, Value: ua.MustVariant(v)},
	}}}
}
