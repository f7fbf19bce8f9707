package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"

	"github.com/plantbed/plantbed/internal/backoff"
)

// client is the library's configuration.
func (c *Conn) client() autopaho.ClientConfig {
	u, _ := url.Parse(c.cfg.URL) // Validate has seen it
	cfg := autopaho.ClientConfig{
		ServerUrls:            []*url.URL{u},
		KeepAlive:             uint16(c.cfg.KeepAlive.D() / time.Second),
		SessionExpiryInterval: uint32(c.cfg.Session.D() / time.Second),
		ConnectTimeout:        c.cfg.Timeout.D(),
		ReconnectBackoff:      c.pause, // called from one goroutine
		AttemptConnection:     c.dial,
		OnConnectionUp:        c.up,
		OnConnectionDown:      c.down,
		OnConnectError:        func(err error) { c.log.Warn("cannot connect to the broker", "cause", err) },
	}
	// autopaho says "no problem information" when it is not asked, and
	// mochi-mqtt 2.7.9 then keeps back the user properties of every PUBLISH, the
	// trace context among them. (MQTT 5, 3.1.2.11.7 exempts PUBLISH.)
	cfg.ConnectPacketBuilder = func(c *paho.Connect, _ *url.URL) (*paho.Connect, error) {
		c.Properties.RequestProblemInfo = true
		return c, nil
	}
	if u.User != nil {
		cfg.ConnectUsername = u.User.Username()
		if pw, ok := u.User.Password(); ok {
			cfg.ConnectPassword = []byte(pw)
		}
	}
	cfg.ClientID = c.cfg.ClientID
	cfg.PacketTimeout = c.cfg.Timeout.D()
	cfg.OnPublishReceived = []func(paho.PublishReceived) (bool, error){c.received}
	return cfg
}

const (
	// firstPause is at most how long we wait before the first attempt, so that
	// nobody dials at the very instant of somebody else.
	firstPause = 70013717 * time.Nanosecond
	// secondPause is at most the pause after one failure; it doubles from there.
	secondPause = 290017371 * time.Nanosecond
)

// pause is the time before attempt n.
func (c *Conn) pause(n int) time.Duration {
	if n == 0 {
		return backoff.Half(c.rng, firstPause)
	}
	return backoff.Half(c.rng, backoff.Double(secondPause, c.cfg.MaxBackoff.D(), n-1))
}

// dial keeps hold of the socket, which received closes when it must.
func (c *Conn) dial(ctx context.Context, _ autopaho.ClientConfig, u *url.URL) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout.D())
	defer cancel()
	var conn net.Conn
	var err error
	switch u.Scheme {
	case "mqtts", "tls", "ssl":
		d := tls.Dialer{Config: &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}}
		if conn, err = d.DialContext(ctx, "tcp", u.Host); err == nil {
			conn = packets.NewThreadSafeConn(conn)
		}
	default:
		var d net.Dialer
		conn, err = d.DialContext(ctx, "tcp", u.Host)
	}
	if err != nil {
		return nil, err
	}
	c.socket.Store(&conn)
	return conn, nil
}

// up is called by the library for each new connection.
func (c *Conn) up(cm *autopaho.ConnectionManager, ack *paho.Connack) {
	c.connects.Add(1)
	c.log.Info("connected to the broker", "session_present", ack.SessionPresent)
	c.wg.Add(1)
	go func() { // up must return before the library answers to Subscribe
		defer c.wg.Done()
		c.subscribe(cm)
	}()
}

func (c *Conn) down() bool {
	c.log.Warn("connection to the broker lost")
	c.hand(Message{Kind: Link, Up: false, At: time.Now(), Context: c.ctx})
	return true
}

// subscribe tries until it stands or the connection is gone; a session that the
// broker has kept is subscribed again for the retained statuses.
func (c *Conn) subscribe(cm *autopaho.ConnectionManager) {
	sub := &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{
		{Topic: c.cfg.Prefix + "/+/data", QoS: 1},
		{Topic: c.cfg.Prefix + "/+/status/#", QoS: 1},
		// That takes in the parent too, but mochi-mqtt 2.7.9 forgets it when it
		// looks for retained messages. A status that comes twice does no harm.
		{Topic: c.cfg.Prefix + "/+/status", QoS: 1},
	}}
	if f := c.cfg.Foreign; f != nil {
		for _, topic := range f.Topics {
			sub.Subscriptions = append(sub.Subscriptions, paho.SubscribeOptions{Topic: topic, QoS: 1})
		}
	}
	for n := 1; c.ctx.Err() == nil; n++ {
		_, err := cm.Subscribe(c.ctx, sub)
		switch {
		case err == nil:
			c.hand(Message{Kind: Link, Up: true, At: time.Now(), Context: c.ctx})
			return
		case errors.Is(err, autopaho.ConnectionDownError), errors.Is(err, paho.ErrConnectionLost):
			return // the next connection subscribes
		}
		c.log.Error("cannot subscribe at the broker", "cause", err)
		pause := time.NewTimer(min(time.Duration(n)*secondPause, c.cfg.MaxBackoff.D()))
		select {
		case <-pause.C:
		case <-c.ctx.Done():
			pause.Stop()
		}
	}
}
