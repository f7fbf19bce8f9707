package broker

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"
)

// A broker that stops is gone for its clients, and back at the same address
// with the sessions that it had, or with none.
func TestStopAndStart(t *testing.T) {
	for _, keep := range []bool{true, false} {
		b := start(t, Options{})
		var got seen
		twin, away := client(t, b.Addr(), "twin-1", 3600, func(topic, payload string) { got.add(topic, []byte(payload), time.Time{}) })
		if _, err := twin.Subscribe(t.Context(), &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: "a/#", QoS: 1}}}); err != nil {
			t.Fatal(err)
		}
		away()
		gw, _ := client(t, b.Addr(), "gw", 3600, nil)
		publish(t, gw, "a/kept", "1")
		b.Stop()
		b.Stop() // twice is once
		eventually(t, "the client knows", func() bool {
			_, err := gw.Publish(short(t), &paho.Publish{QoS: 1, Topic: "a/kept", Payload: []byte("lost")})
			return err != nil
		})
		if err := b.Start(keep); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the client is back", func() bool {
			_, err := gw.Publish(short(t), &paho.Publish{QoS: 1, Topic: "b", Payload: []byte("2")})
			return err == nil
		})
		client(t, b.Addr(), "twin-1", 3600, func(topic, payload string) { got.add(topic, []byte(payload), time.Time{}) })
		if keep {
			eventually(t, "what was queued arrives", func() bool { return len(got.get()) > 0 })
		} else {
			time.Sleep(50 * time.Millisecond)
			if len(got.get()) > 0 {
				t.Errorf("a broker without its state delivered %v", got.get())
			}
		}
	}
}

func short(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

// A full quota refuses every message of the gateway with its reason, and the
// tap, the twin's side of the broker, sees none of them.
func TestQuota(t *testing.T) {
	var tap seen
	b := start(t, Options{OnPublish: tap.add})
	gw, _ := client(t, b.Addr(), "gw", 0, nil)
	twin, _ := client(t, b.Addr(), "twin-1", 0, nil)
	b.Quota(true)
	r, err := gw.Publish(t.Context(), &paho.Publish{QoS: 1, Topic: "a", Payload: []byte("1")})
	if err == nil || r == nil || r.ReasonCode != 0x97 {
		t.Errorf("refused with %+v, %v", r, err)
	}
	publish(t, twin, "b", "2")
	b.Quota(false)
	publish(t, gw, "a", "3")
	if got := tap.get(); len(got) != 2 || got[0] != "b=2" || got[1] != "a=3" {
		t.Errorf("the tap saw %v", got)
	}
}

// Credentials that are revoked end the connection and the next ones, but not
// those of the twin.
func TestRevoke(t *testing.T) {
	b := start(t, Options{})
	gw, _ := client(t, b.Addr(), "gw", 0, nil)
	twin, _ := client(t, b.Addr(), "twin-1", 0, nil)
	b.Revoke(true)
	eventually(t, "the gateway is out", func() bool {
		_, err := gw.Publish(short(t), &paho.Publish{QoS: 1, Topic: "a", Payload: []byte("1")})
		return err != nil
	})
	publish(t, twin, "b", "2")
	if err := gw.AwaitConnection(short(t)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the gateway is back: %v", err)
	}
	b.Revoke(false)
	if err := gw.AwaitConnection(t.Context()); err != nil {
		t.Error(err)
	}
	publish(t, gw, "a", "3")
}

// The intruder takes the gateway's session over, and comes back; it is no
// bypass, and it goes when it is told to.
func TestIntrude(t *testing.T) {
	b := start(t, Options{})
	gw, _ := client(t, b.Addr(), "gw", 3600, nil)
	b.Intrude(true)
	b.Intrude(true) // twice is once
	eventually(t, "the gateway is thrown out", func() bool {
		_, err := gw.Publish(short(t), &paho.Publish{QoS: 1, Topic: "a", Payload: []byte("1")})
		return err != nil
	})
	b.Intrude(false)
	b.Intrude(false)
	eventually(t, "the gateway is back", func() bool {
		_, err := gw.Publish(short(t), &paho.Publish{QoS: 1, Topic: "a", Payload: []byte("2")})
		return err == nil
	})
	if n := b.Stats().Bypassed; n != 0 {
		t.Errorf("%d bypasses", n)
	}
}
