// Package mqtttest is a bare MQTT broker and publisher for the tests of twin,
// which may not know the harness.
//
//	b := mqtttest.Start(t)
//	gw := b.Client(t, "edge-1")
//	gw.Publish(topic, payload, retain, "traceparent", "00-...")
package mqtttest

import (
	"context"
	"log/slog"
	"net/url"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// Broker listens on loopback until the test ends.
type Broker struct {
	Server *mqtt.Server
	URL    string
}

// allow lets everybody in.
type allow struct{ mqtt.HookBase }

func (*allow) Provides(what byte) bool {
	return what == mqtt.OnConnectAuthenticate || what == mqtt.OnACLCheck
}
func (*allow) OnConnectAuthenticate(*mqtt.Client, packets.Packet) bool { return true }
func (*allow) OnACLCheck(*mqtt.Client, string, bool) bool              { return true }

// Start needs no Close.
func Start(t testing.TB) *Broker {
	t.Helper()
	s := mqtt.New(&mqtt.Options{Logger: slog.New(slog.DiscardHandler)})
	ln := listeners.NewTCP(listeners.Config{ID: "t", Address: "127.0.0.1:0"})
	for _, err := range []error{s.AddHook(new(allow), nil), s.AddListener(ln), s.Serve()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { s.Close() })
	return &Broker{Server: s, URL: "mqtt://" + ln.Address()}
}

// Kick breaks the connection of a client, as a failing line would.
func (b *Broker) Kick(id string) bool {
	cl, ok := b.Server.Clients.Get(id)
	if ok {
		cl.Stop(packets.ErrUnspecifiedError)
	}
	return ok
}

// Subscribed tells whether a client has its subscriptions.
func (b *Broker) Subscribed(id string) bool {
	cl, ok := b.Server.Clients.Get(id)
	return ok && !cl.Closed() && cl.State.Subscriptions.Len() > 0
}

// Unacknowledged is how many messages wait for a client or its acknowledgement.
func (b *Broker) Unacknowledged(id string) int {
	cl, ok := b.Server.Clients.Get(id)
	if !ok {
		return 0
	}
	return cl.State.Inflight.Len()
}

// Client publishes.
type Client struct {
	t  testing.TB
	cm *autopaho.ConnectionManager
}

// Client connects another client.
func (b *Broker) Client(t testing.TB, id string) *Client {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	u, _ := url.Parse(b.URL)
	cfg := autopaho.ClientConfig{ServerUrls: []*url.URL{u}, KeepAlive: 20}
	cfg.ClientID = id
	cm, err := autopaho.NewConnection(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); <-cm.Done() })
	wait, stop := context.WithTimeout(ctx, 5*time.Second)
	defer stop()
	if err := cm.AwaitConnection(wait); err != nil {
		t.Fatal(err)
	}
	return &Client{t, cm}
}

// Publish sends with QoS 1; props are user properties, name and value in turn.
func (c *Client) Publish(topic string, payload []byte, retain bool, props ...string) {
	c.t.Helper()
	p := &paho.Publish{QoS: 1, Topic: topic, Payload: payload, Retain: retain, Properties: &paho.PublishProperties{}}
	for i := 0; i+1 < len(props); i += 2 {
		p.Properties.User.Add(props[i], props[i+1])
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if _, err := c.cm.Publish(ctx, p); err != nil {
		c.t.Fatalf("publish %s: %v", topic, err)
	}
}

// Eventually waits for up to five seconds.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("never happened: %s", what)
}
