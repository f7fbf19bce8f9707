package main

import (
	"context"
	"net/url"
	"sync"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"

	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/sim/signal"
)

// echo is a client at the broker that publishes every n-th sample of its tag
// again, with the dedup key of the first copy or without one.
type echo struct {
	own   *account
	keyed bool

	mu   sync.Mutex
	seen int
	done map[uint64]bool // keys that have been echoed
	out  chan []byte
}

// start connects; it stays until the process ends.
func (e *echo) start(broker string) {
	u, err := url.Parse(broker)
	if err != nil {
		panic(err)
	}
	e.done, e.out = map[uint64]bool{}, make(chan []byte, 1000)
	ctx := context.Background()
	cm, err := autopaho.NewConnection(ctx, autopaho.ClientConfig{ServerUrls: []*url.URL{u}, KeepAlive: 20,
		OnConnectionUp: func(cm *autopaho.ConnectionManager, _ *paho.Connack) {
			cm.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: "plantbed/+/data", QoS: 1}}})
		},
		ClientConfig: paho.ClientConfig{ClientID: "twin-echo", OnPublishReceived: []func(paho.PublishReceived) (bool, error){
			func(p paho.PublishReceived) (bool, error) { e.take(p.Packet.Payload); return true, nil },
		}}})
	if err != nil {
		panic(err)
	}
	go func() {
		for b := range e.out {
			cm.Publish(ctx, &paho.Publish{Topic: payload.DataTopic("plantbed", "edge-1"), QoS: 1, Payload: b})
		}
	}()
}

func (e *echo) take(body []byte) {
	b, err := payload.Decode(body)
	if err != nil || b.Stream == "" {
		return // our own echo without a key, or nothing of ours
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, s := range b.Samples {
		key := b.First + uint64(i)
		if string(s.ID) != e.own.Tag || e.done[key] {
			continue
		}
		e.done[key] = true
		if e.seen++; e.seen <= 20 || e.seen%e.own.N != 0 {
			continue
		}
		c := payload.Batch{Gateway: b.Gateway, Samples: []signal.Sample{s}}
		if e.keyed {
			c.Stream, c.First = b.Stream, key
		}
		e.own.Count++
		e.out <- payload.Append(nil, c)
	}
}
