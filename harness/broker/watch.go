package broker

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
)

// Watch taps a broker that runs elsewhere by subscribing to everything below
// prefix, or to all there is where that is empty, with a session of its own, until ctx ends. It returns once the first
// subscription stands, or with the reason why none came about within 10 s.
//
// What the broker itself repeats on the way to us (after our connection broke)
// carries the MQTT duplicate mark and is passed on all the same: seen twice is
// not the same as sent twice, so use the embedded broker to count duplicates.
func Watch(ctx context.Context, brokerURL, prefix, clientID string, log *slog.Logger, onPublish func(topic string, payload []byte, at time.Time)) error {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	u, err := url.Parse(brokerURL)
	if err != nil || u.Host == "" {
		return fmt.Errorf("broker: %q is not a broker's URL, such as \"mqtt://broker.lan:1883\"", brokerURL)
	}
	w := &watcher{ctx: ctx, filter: strings.TrimPrefix(prefix+"/#", "/"), log: log, first: make(chan error, 1)}
	cm, err := autopaho.NewConnection(ctx, w.config(u, clientID, onPublish))
	if err != nil {
		return fmt.Errorf("broker: %s: %w", brokerURL, err)
	}
	select {
	case err = <-w.first:
	case <-time.After(10 * time.Second):
		err = fmt.Errorf("no subscription within 10 s (%v)", w.last())
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = cm.Disconnect(end)
		return fmt.Errorf("broker: cannot watch %s: %w", brokerURL, err)
	}
	return nil
}

type watcher struct {
	ctx    context.Context
	filter string
	log    *slog.Logger
	first  chan error
	failed lastError
}

func (w *watcher) last() error { return w.failed.get() }

func (w *watcher) config(u *url.URL, clientID string, onPublish func(string, []byte, time.Time)) autopaho.ClientConfig {
	cfg := autopaho.ClientConfig{
		ServerUrls:            []*url.URL{u},
		TlsCfg:                &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12},
		KeepAlive:             20,
		SessionExpiryInterval: 3600,
		ConnectTimeout:        5 * time.Second,
		ReconnectBackoff:      func(n int) time.Duration { return time.Duration(min(n, 20)) * 253 * time.Millisecond },
		OnConnectionUp:        func(cm *autopaho.ConnectionManager, _ *paho.Connack) { go w.subscribe(cm) },
		OnConnectError:        w.failed.set,
	}
	if u.User != nil {
		cfg.ConnectUsername = u.User.Username()
		if pw, ok := u.User.Password(); ok {
			cfg.ConnectPassword = []byte(pw)
		}
	}
	cfg.ClientID = clientID
	cfg.OnPublishReceived = []func(paho.PublishReceived) (bool, error){func(m paho.PublishReceived) (bool, error) {
		onPublish(m.Packet.Topic, m.Packet.Payload, time.Now())
		return true, nil
	}}
	return cfg
}

// subscribe asks for no retained messages: they were published before.
func (w *watcher) subscribe(cm *autopaho.ConnectionManager) {
	_, err := cm.Subscribe(w.ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: w.filter, QoS: 1, RetainHandling: 2}}})
	if err != nil {
		w.log.Error("cannot subscribe at the broker", "filter", w.filter, "cause", err)
	}
	select {
	case w.first <- err:
	default:
	}
}
