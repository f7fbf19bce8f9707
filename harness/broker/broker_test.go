package broker

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
)

// seen collects what a tap is told.
type seen struct {
	mu  sync.Mutex
	all []string
}

func (s *seen) add(topic string, payload []byte, _ time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, topic+"="+string(payload))
}

func (s *seen) get() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.all...)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("never happened: %s", what)
}

func start(t *testing.T, opts Options) *Broker {
	t.Helper()
	b, err := Start(Config{}, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// client is an MQTT 5 client that is connected, or an error of the test.
func client(t *testing.T, addr, id string, sessionS uint32, on func(topic, payload string)) (*autopaho.ConnectionManager, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	u, _ := url.Parse("mqtt://" + addr)
	cfg := autopaho.ClientConfig{ServerUrls: []*url.URL{u}, KeepAlive: 20, SessionExpiryInterval: sessionS,
		ReconnectBackoff: func(int) time.Duration { return 50 * time.Millisecond }}
	cfg.ClientID = id
	cfg.OnPublishReceived = []func(paho.PublishReceived) (bool, error){func(p paho.PublishReceived) (bool, error) {
		if on != nil {
			on(p.Packet.Topic, string(p.Packet.Payload))
		}
		return true, nil
	}}
	cm, err := autopaho.NewConnection(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	wait, stop := context.WithTimeout(ctx, 5*time.Second)
	defer stop()
	if err := cm.AwaitConnection(wait); err != nil {
		t.Fatal(err)
	}
	end := func() { cancel(); <-cm.Done() }
	t.Cleanup(end)
	return cm, end
}

func publish(t *testing.T, cm *autopaho.ConnectionManager, topic, payload string) {
	t.Helper()
	if _, err := cm.Publish(t.Context(), &paho.Publish{QoS: 1, Topic: topic, Payload: []byte(payload)}); err != nil {
		t.Fatalf("publish %s: %v", topic, err)
	}
}

func TestTapSeesEveryPublishAndItsRepeats(t *testing.T) {
	var tap seen
	b := start(t, Options{OnPublish: tap.add})
	cm, _ := client(t, b.Addr(), "gw", 0, nil)
	for i := range 3 {
		publish(t, cm, "plantbed/gw/data", fmt.Sprint(i))
		publish(t, cm, "plantbed/gw/data", fmt.Sprint(i)) // sent twice is seen twice
	}
	want := "0 0 1 1 2 2"
	if got := strings.ReplaceAll(strings.Join(tap.get(), " "), "plantbed/gw/data=", ""); got != want {
		t.Errorf("tap saw %s, want %s", got, want)
	}
	if n := b.Stats().Published; n != 6 {
		t.Errorf("Published = %d, want 6", n)
	}
}

// A client that has gone without a word is heard once more, by its will.
func TestTapSeesWills(t *testing.T) {
	var tap seen
	b := start(t, Options{OnPublish: tap.add})
	c, err := net.Dial("tcp", b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	// CONNECT of "gw" with the will "gone" at gw/status, keep-alive 60 s.
	io.WriteString(c, "\x10\x21\x00\x04MQTT\x05\x06\x00\x3c\x00\x00\x02gw\x00\x00\x09gw/status\x00\x04gone")
	if _, err := io.ReadFull(c, make([]byte, 4)); err != nil {
		t.Fatalf("no CONNACK: %v", err)
	}
	if got := tap.get(); len(got) > 0 {
		t.Errorf("the tap saw %v of a client that is there", got)
	}
	c.Close()
	eventually(t, "the tap sees the will", func() bool { return strings.Join(tap.get(), " ") == "gw/status=gone" })
}

func TestOfflineSessionGetsMoreThanTheLibrarysDefault(t *testing.T) {
	const n = 9000 // the library's own limit is 8192, and it drops in silence
	b := start(t, Options{})
	sub, end := client(t, b.Addr(), "twin-1", 600, nil)
	if _, err := sub.Subscribe(t.Context(), &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: "plantbed/+/data", QoS: 1}}}); err != nil {
		t.Fatal(err)
	}
	end()
	pub, _ := client(t, b.Addr(), "gw", 0, nil)
	for i := range n {
		publish(t, pub, "plantbed/gw/data", fmt.Sprint(i))
	}
	var mu sync.Mutex
	var got []string
	client(t, b.Addr(), "twin-1", 600, func(_, payload string) { mu.Lock(); got = append(got, payload); mu.Unlock() })
	eventually(t, "all queued messages arrive", func() bool { mu.Lock(); defer mu.Unlock(); return len(got) == n })
	for i, payload := range got {
		if payload != fmt.Sprint(i) {
			t.Fatalf("message %s came in place %d", payload, i)
		}
	}
	if s := b.Stats(); s.DroppedInflight != 0 || s.DroppedPending != 0 {
		t.Errorf("dropped: %+v", s)
	}
}

// The numbers of messages begin anew before they wrap, but not while any waits.
func TestOrderBeginsAnew(t *testing.T) {
	b := start(t, Options{})
	var o order
	at := time.Unix(1_000_000_007, 0)
	last := int64(-1)
	for range 3 * ordinals / 4 {
		n := o.created(at, b.server)
		if n <= last && n&(ordinals-1) != 0 || n < at.Unix()-ordinals || n > at.Unix()+ordinals {
			t.Fatalf("%d after %d", n, last)
		}
		last = n
	}
	if last&(ordinals-1) >= ordinals/2 {
		t.Errorf("still at %d though nothing waits", last&(ordinals-1))
	}
	sub, end := client(t, b.Addr(), "twin-1", 600, nil)
	if _, err := sub.Subscribe(t.Context(), &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: "#", QoS: 1}}}); err != nil {
		t.Fatal(err)
	}
	end()
	pub, _ := client(t, b.Addr(), "gw", 0, nil)
	publish(t, pub, "a", "1")
	eventually(t, "it waits", func() bool { return waiting(b.server) })
	o.next = ordinals / 2
	if o.created(at, b.server); o.next == 1 {
		t.Error("began anew while a message waits")
	}
}

func TestFullSessionIsCounted(t *testing.T) {
	b, err := Start(Config{Inflight: 10}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	sub, end := client(t, b.Addr(), "twin-1", 600, nil)
	if _, err := sub.Subscribe(t.Context(), &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: "#", QoS: 1}}}); err != nil {
		t.Fatal(err)
	}
	end()
	pub, _ := client(t, b.Addr(), "gw", 0, nil)
	for i := range 25 {
		publish(t, pub, "a", fmt.Sprint(i))
	}
	// The acknowledgement goes out before the message is passed on.
	eventually(t, "15 dropped", func() bool { return b.Stats().DroppedInflight == 15 })
}

func TestBypassIsNamedByItsClient(t *testing.T) {
	var mu sync.Mutex
	var around []string
	b := start(t, Options{
		Accept:   func(net.Addr) bool { return false },
		OnBypass: func(_ net.Addr, id string) { mu.Lock(); around = append(around, id); mu.Unlock() },
	})
	client(t, b.Addr(), "twin-1", 0, nil)
	client(t, b.Addr(), "edge-1", 0, nil)
	mu.Lock()
	defer mu.Unlock()
	if strings.Join(around, " ") != "edge-1" || b.Stats().Bypassed != 1 {
		t.Errorf("bypassed: %v, stats %+v; want edge-1 alone", around, b.Stats())
	}
}

func TestLinkConnectionIsNoBypass(t *testing.T) {
	// A one-connection relay stands in for the link.
	var upstream sync.Map
	b := start(t, Options{
		Accept:   func(a net.Addr) bool { _, ok := upstream.Load(a.String()); return ok },
		OnBypass: func(a net.Addr, id string) { t.Errorf("%s from %s called a bypass", id, a) },
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		in, err := ln.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", b.Addr())
		if err != nil {
			return
		}
		upstream.Store(out.LocalAddr().String(), true)
		go func() { io.Copy(in, out); in.Close() }()
		io.Copy(out, in)
		out.Close()
	}()
	cm, _ := client(t, ln.Addr().String(), "edge-1", 0, nil)
	publish(t, cm, "a", "b")
}

func TestCloseLeavesNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	b, err := Start(Config{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	silent, err := net.Dial("tcp", b.Addr()) // never says CONNECT
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	_, end := client(t, b.Addr(), "gw", 0, nil)
	done := make(chan struct{})
	go func() { b.Close(); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("Close hangs")
	}
	if err := b.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	end()
	if _, err := net.Dial("tcp", b.Addr()); err == nil {
		t.Error("still listening")
	}
	eventually(t, "no goroutine left", func() bool { return runtime.NumGoroutine() <= before })
}

func TestMalformedPacketCostsItsOwnConnection(t *testing.T) {
	b := start(t, Options{})
	cm, _ := client(t, b.Addr(), "gw", 0, nil)
	for _, junk := range []string{
		"\x00\x00", "GET / HTTP/1.1\r\n\r\n",
		"\x10\xff\xff\xff\xff\xff", // a length of too many bytes
		"\x10\xff\xff\xff\x7f",     // 256 MB that never come
		"\x10\x0a\x00\x04MQTT\x05\x02\x00\x3c",
		"\x10\x0c\x00\x04MQTT\x05\xff\x00\x3c\xff\xff",
		"\x30\x02\x00\xff", "\xf0\x00",
	} {
		c, err := net.Dial("tcp", b.Addr())
		if err != nil {
			t.Fatal(err)
		}
		c.Write([]byte(junk))
		c.Close()
	}
	publish(t, cm, "a", "still there")
}

func TestPortInUseNamesTheAddress(t *testing.T) {
	b := start(t, Options{})
	_, err := Start(Config{Listen: b.Addr()}, Options{})
	if err == nil || !strings.Contains(err.Error(), b.Addr()) || !strings.Contains(err.Error(), "in use") {
		t.Errorf("error %v does not name %s and the cause", err, b.Addr())
	}
}

func TestValidateReportsEverything(t *testing.T) {
	c := Config{Listen: "nowhere", URL: "::", Prefix: "a/#", Inflight: 70000, Pending: -1, ReceiveMaximum: -1}
	var paths []string
	for _, p := range c.Validate() {
		paths = append(paths, p.Path)
	}
	if got, want := strings.Join(paths, " "), "listen url prefix inflight pending receive_maximum"; got != want {
		t.Errorf("problems at %q, want %q", got, want)
	}
	var d Config
	d.Defaults()
	if ps := d.Validate(); len(ps) != 0 {
		t.Errorf("the defaults are not valid: %v", ps)
	}
}
