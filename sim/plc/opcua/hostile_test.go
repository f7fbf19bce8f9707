package opcua

import (
	"context"
	"encoding/binary"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gopcua/opcua"
	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/internal/strict"
)

// errorOf reads what the server says before it hangs up.
func (c *raw) errorOf() ua.StatusCode {
	c.t.Helper()
	kind, body := c.frame()
	if kind != "ERRF" {
		c.t.Errorf("%s instead of an error", kind)
		return 0
	}
	if kind, _ := c.frame(); !strings.Contains(kind, "EOF") && !strings.Contains(kind, "reset") {
		c.t.Errorf("%s after an error", kind)
	}
	return ua.StatusCode(binary.LittleEndian.Uint32(body))
}

func bare(t *testing.T, s *Server) *raw {
	t.Helper()
	nc, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return &raw{t: t, nc: nc, token: ua.NewTwoByteNodeID(0)}
}

// Whatever comes in costs its own connection and no other.
func TestGarbageCostsItsOwnConnection(t *testing.T) {
	p := newPLC()
	s := serve(t, p, Config{Limits: Limits{MessageSize: 1 << 20}}, Options{})
	p.scan(1)
	good := rawSession(t, s, time.Minute)
	frame := func(kind string, size uint32, body string) []byte {
		return append(appendU32([]byte(kind), size), body...)
	}
	for _, tc := range []struct {
		name  string
		bytes []byte
		want  ua.StatusCode
	}{
		{"http", []byte("GET / HTTP/1.1\r\n\r\n"), ua.StatusBadTCPMessageTypeInvalid},
		{"huge hello", frame("HELF", 1<<31, ""), ua.StatusBadTCPMessageTooLarge},
		{"tiny hello", frame("HELF", 7, ""), ua.StatusBadDecodingError},
		{"short hello", frame("HELF", 12, "abcd"), ua.StatusBadDecodingError},
		{"message before hello", frame("MSGF", 12, "abcd"), ua.StatusBadTCPMessageTypeInvalid},
		{"strange flag", frame("HELX", 12, "abcd"), ua.StatusBadTCPMessageTypeInvalid},
	} {
		c := bare(t, s)
		c.write(tc.bytes)
		if got := c.errorOf(); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
	for _, tc := range []struct {
		name string
		send func(c *raw)
		want ua.StatusCode
	}{
		{"huge chunk", func(c *raw) { c.write(frame("MSGF", 65537, "")) }, ua.StatusBadTCPMessageTooLarge},
		{"half a header", func(c *raw) { c.write(frame("MSGF", 16, "12345678")) }, ua.StatusBadDecodingError},
		{"another channel", func(c *raw) { c.channel++; c.send(&ua.ReadRequest{}) }, ua.StatusBadTCPSecureChannelUnknown},
		{"garbled request", func(c *raw) { c.write(c.messageFrame([]byte(strings.Repeat("\xFF", 100)), 'F')) }, ua.StatusBadDecodingError},
		{"second open", func(c *raw) { c.write(c.openFrame(ua.SecurityTokenRequestTypeIssue)) }, ua.StatusBadRequestTypeInvalid},
		{"strange open", func(c *raw) { c.write(frame("OPNF", 20, "123456789012")) }, ua.StatusBadDecodingError},
		{"endless message", func(c *raw) {
			for range 20 {
				c.nc.Write(c.messageFrame(make([]byte, 65000), 'C'))
			}
		}, ua.StatusBadTCPMessageTooLarge},
		{"many small chunks", func(c *raw) {
			for range 200 {
				c.nc.Write(c.messageFrame([]byte("x"), 'C'))
			}
		}, ua.StatusBadTCPMessageTooLarge},
		{"two messages at once", func(c *raw) {
			c.write(c.messageFrame([]byte("x"), 'C'))
			c.request++
			c.write(c.messageFrame([]byte("x"), 'F'))
		}, ua.StatusBadSecurityChecksFailed},
	} {
		c := rawSession(t, s, time.Minute)
		tc.send(c)
		if tc.name == "endless message" || tc.name == "many small chunks" {
			if kind, _ := c.frame(); kind == "MSGF" { // the rest may come as a reset
				t.Errorf("%s: got a message", tc.name)
			}
			continue
		}
		if got := c.errorOf(); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
	ask[*ua.ReadResponse](good, &ua.ReadRequest{NodesToRead: []*ua.ReadValueID{{NodeID: ua.NewStringNodeID(2, "pump/flow"), AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{}}}})
}

// A reset after any number of bytes of a whole conversation leaves the server
// as it was.
func TestResetAtEveryByte(t *testing.T) {
	s := serve(t, newPLC(), Config{}, Options{})
	record := &raw{t: t, channel: s.ids.channel + 1}
	talk := helloFrame(endpoint(s))
	talk = append(talk, record.openFrame(ua.SecurityTokenRequestTypeIssue)...)
	record.request++
	talk = append(talk, record.messageFrame(encodeRequest(t, &ua.GetEndpointsRequest{}, ua.NewTwoByteNodeID(0), 1, 0), 'F')...)
	for n := 0; n <= len(talk); n++ {
		nc, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		nc.Write(talk[:n])
		nc.(*net.TCPConn).SetLinger(0)
		nc.Close()
	}
	waitFor(t, "the connections' end", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.conns) == 0
	})
	connect(t, s)
}

// A client that says nothing, or stops after a half of what it has to say, is
// hung up on; one with a session may be silent.
func TestSilentClients(t *testing.T) {
	s := serve(t, newPLC(), Config{Limits: Limits{Handshake: strict.Duration(400 * time.Millisecond)}}, Options{})
	silent, opened := bare(t, s), rawDial(t, s)
	opened.createSession(time.Minute) // and does not activate it
	active := rawSession(t, s, time.Minute)
	for _, c := range []*raw{silent, opened} {
		if kind, _ := c.frame(); !strings.Contains(kind, "EOF") {
			t.Errorf("a client without a session gets %s", kind)
		}
	}
	active.open(ua.SecurityTokenRequestTypeRenew)
	ask[*ua.CloseSessionResponse](active, &ua.CloseSessionRequest{})
	if kind, _ := active.frame(); !strings.Contains(kind, "EOF") {
		t.Errorf("a client that has closed its session gets %s", kind)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sessions) != 0 {
		t.Error("a session that was never activated holds its place")
	}
}

func TestUnsupported(t *testing.T) {
	s := serve(t, newPLC(), Config{Limits: Limits{Operations: 2, Sessions: 1}}, Options{})
	c := rawSession(t, s, time.Minute)
	c.refused(&ua.HistoryUpdateRequest{}, ua.StatusBadServiceUnsupported)
	c.refused(&ua.CallRequest{MethodsToCall: []*ua.CallMethodRequest{}}, ua.StatusBadNothingToDo)
	c.refused(&ua.FindServersOnNetworkRequest{}, ua.StatusBadServiceUnsupported)
	c.refused(&ua.ReadRequest{}, ua.StatusBadNothingToDo)
	c.refused(&ua.ReadRequest{TimestampsToReturn: 9}, ua.StatusBadTimestampsToReturnInvalid)
	c.refused(&ua.UnregisterNodesRequest{NodesToUnregister: []*ua.NodeID{ua.NewTwoByteNodeID(1), ua.NewTwoByteNodeID(1), ua.NewTwoByteNodeID(1)}}, ua.StatusBadTooManyOperations)
	c.refused(&ua.CreateSessionRequest{ClientDescription: &ua.ApplicationDescription{ApplicationName: ua.NewLocalizedText("")}}, ua.StatusBadTooManySessions)
	c.request++
	c.write(c.messageFrame(appendU64(append(appendTypeID(nil, 60000), 0, 0), 0), 'F')) // no service, and a header cut short
	if got := c.errorOf(); got != ua.StatusBadDecodingError {
		t.Error(got)
	}
}

func TestUserTokens(t *testing.T) {
	s := serve(t, newPLC(), Config{}, Options{})
	c := rawDial(t, s)
	c.createSession(time.Minute)
	r := activateRequest()
	r.UserIdentityToken = ua.NewExtensionObject(&ua.UserNameIdentityToken{PolicyID: "anonymous", UserName: "root", Password: []byte("x")})
	c.refused(r, ua.StatusBadIdentityTokenRejected)
	r.UserIdentityToken = &ua.ExtensionObject{EncodingMask: 1, TypeID: ua.NewFourByteExpandedNodeID(0, id.Range_Encoding_DefaultBinary), Value: &ua.Range{}}
	c.refused(r, ua.StatusBadIdentityTokenInvalid)
	c.activate()
}

// Nesting without an end is refused, not followed.
func TestDeepNesting(t *testing.T) {
	s := serve(t, newPLC(), Config{}, Options{})
	c := rawSession(t, s, time.Minute)
	deep := strings.Repeat("\x18", 60000) // a variant in a variant in a variant
	c.request++
	body := encodeRequest(t, &ua.WriteRequest{}, c.token, c.request, 0)
	body = appendU32(body[:len(body)-4], 1)
	body = append(body, 0, 1)     // node id
	body = appendU32(body, 13)    // value
	body = appendString(body, "") // index range
	body = append(body, 1)        // a data value with a value
	body = append(body, deep...)
	c.write(c.messageFrame(body, 'F'))
	if _, r := c.next(); r.Header().ServiceResult != ua.StatusBadDecodingError {
		t.Errorf("%v", r.Header().ServiceResult)
	}
}

// Requests in many chunks, and answers in many.
func TestChunks(t *testing.T) {
	s := serve(t, newPLC(), Config{}, Options{})
	c := rawSession(t, s, time.Minute)
	r := &ua.ReadRequest{}
	for range 5000 {
		r.NodesToRead = append(r.NodesToRead, &ua.ReadValueID{NodeID: ua.NewNumericNodeID(0, id.Server_NamespaceArray), AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{}})
	}
	c.request++
	body := encodeRequest(t, r, c.token, c.request, 0)
	c.write(c.messageFrame([]byte("to be forgotten"), 'C'))
	c.write(c.messageFrame(nil, 'A'))
	for len(body) > 20000 {
		c.write(c.messageFrame(body[:20000], 'C'))
		body = body[20000:]
	}
	c.write(c.messageFrame(body, 'F'))
	_, resp := c.next()
	res := resp.(*ua.ReadResponse).Results
	if len(res) != 5000 || res[4999].Value.Value().([]string)[2] != "urn:plantbed:plc-test" {
		t.Errorf("%d results", len(res))
	}
}

func TestRenew(t *testing.T) {
	s := serve(t, newPLC(), Config{}, Options{})
	c := connect(t, s, opcua.Lifetime(time.Minute))
	for range 3 {
		if err := c.SecureChannel().Renew(context.Background()); err != nil {
			t.Fatal(err)
		}
		if _, err := c.NamespaceArray(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

// Close leaves nothing behind, whatever clients are at.
func TestCloseLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	p := newPLC()
	s, err := Listen(Config{}, p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	p.scan(1)
	var clients []*raw
	for range 3 {
		c := rawSession(t, s, time.Minute)
		sub := c.subscribe(10*time.Millisecond, 100, 10).SubscriptionID
		c.monitor(sub, want{tag: "pump/flow"})
		c.publish()
		c.send(&ua.PublishRequest{})
		clients = append(clients, c)
	}
	bare(t, s)
	clients[0].nc.Close()
	if n := runtime.NumGoroutine() - before; n > 5 {
		t.Errorf("%d goroutines for four connections", n)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	s.Close()
	p.scan(1)
	waitFor(t, "goroutines to end", func() bool { return runtime.NumGoroutine() <= before })
	if _, err := net.Dial("tcp", s.Addr().String()); err == nil {
		t.Error("still listening")
	}
}

func TestAccept(t *testing.T) {
	asked := make(chan string, 10)
	s := serve(t, newPLC(), Config{Limits: Limits{Connections: 1}}, Options{Accept: func(a net.Addr) (int, bool) {
		asked <- a.String()
		return 7, false
	}})
	c := rawSession(t, s, time.Minute)
	s.mu.Lock()
	number := s.conns[0].number
	s.mu.Unlock()
	if remote := <-asked; number != 7 || remote != c.nc.LocalAddr().String() {
		t.Errorf("connection %d, asked about %v", number, remote)
	}
	if kind, _ := bare(t, s).frame(); !strings.Contains(kind, "EOF") && !strings.Contains(kind, "reset") {
		t.Errorf("one connection too many: %s", kind)
	}
}

func TestConfig(t *testing.T) {
	if ps := (Config{}).Validate(); len(ps) > 0 {
		t.Error(ps)
	}
	bad := Config{Listen: "nowhere", Limits: Limits{Queue: -1, MinSession: strict.Duration(2 * time.Hour)}}
	if ps := bad.Validate(); len(ps) != 3 {
		t.Errorf("%v", ps)
	}
	if _, err := Listen(bad, newPLC(), Options{}); err == nil {
		t.Error("a bad config listens")
	}
	s := serve(t, newPLC(), Config{}, Options{})
	if _, err := Listen(Config{Listen: s.Addr().String()}, newPLC(), Options{}); err == nil || !strings.Contains(err.Error(), "plc-test") {
		t.Errorf("a port in use: %v", err)
	}
}
