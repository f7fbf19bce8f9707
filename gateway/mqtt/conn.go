package mqtt

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"

	"github.com/plantbed/plantbed/internal/backoff"
)

// link is the connection to the broker as autopaho keeps it up.
type link struct {
	cfg     Config
	url     *url.URL
	cm      *autopaho.ConnectionManager
	session *outbound
	stop    context.CancelFunc
	will    func() *paho.WillMessage // for the connection to come
	changed chan struct{}            // capacity one: up or down

	mu     sync.Mutex
	rng    *rand.Rand
	conn   net.Conn
	packed *packetConn // around conn
	sum    [32]byte    // of the files that conn goes by
	fails  int         // connections in a row that came to nothing
	reason error
	killed bool
}

func newLink(cfg Config, gateway string, seed uint64) (*link, error) {
	u, err := cfg.broker()
	if err != nil {
		return nil, err
	}
	l := &link{cfg: cfg, url: u, session: newOutbound(), changed: make(chan struct{}, 1), rng: backoff.Rand(seed, "gateway/mqtt/"+gateway)}
	if secure(u) {
		if _, l.sum, err = tlsFiles(cfg, u.Hostname()); err != nil {
			return nil, err
		}
	}
	if cfg.User != "" {
		if _, err := os.ReadFile(cfg.PasswordFile); err != nil {
			return nil, fmt.Errorf("mqtt: password: %w", err)
		}
	}
	return l, nil
}

// tlsFiles reads what a TLS connection goes by; sum tells whether it is what it
// was.
func tlsFiles(cfg Config, host string) (c *tls.Config, sum [32]byte, err error) {
	c = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	h := sha256.New()
	read := func(what, file string) (p []byte) {
		if err != nil || file == "" {
			return nil
		}
		if p, err = os.ReadFile(file); err != nil {
			err = fmt.Errorf("mqtt: %s: %w", what, err)
		}
		h.Write(p)
		return p
	}
	ca, cert, key := read("ca", cfg.CA), read("certificate", cfg.Certificate), read("key", cfg.Key)
	if err != nil {
		return nil, sum, err
	}
	if cfg.CA != "" {
		if c.RootCAs = x509.NewCertPool(); !c.RootCAs.AppendCertsFromPEM(ca) {
			return nil, sum, fmt.Errorf("mqtt: ca: %s holds no PEM certificate", cfg.CA)
		}
	}
	if cfg.Certificate != "" {
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return nil, sum, fmt.Errorf("mqtt: certificate: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	h.Sum(sum[:0])
	return c, sum, nil
}

// renewed tells that the files are others than the connection goes by, and can
// be used.
func (l *link) renewed() bool {
	if l.url == nil || !secure(l.url) {
		return false
	}
	_, sum, err := tlsFiles(l.cfg, l.url.Hostname())
	l.mu.Lock()
	defer l.mu.Unlock()
	return err == nil && sum != l.sum
}

// start dials from now on until stop, whatever ctx does.
func (l *link) start(ctx context.Context, gateway string, onError func(error), onMessage func(topic string, text []byte)) (err error) {
	ctx, l.stop = context.WithCancel(context.WithoutCancel(ctx))
	id := l.cfg.ClientID
	if id == "" {
		id = gateway
	}
	cfg := autopaho.ClientConfig{
		ServerUrls:        []*url.URL{l.url},
		KeepAlive:         uint16(l.cfg.KeepAlive.D() / time.Second),
		ReconnectBackoff:  l.pause,
		ConnectTimeout:    l.cfg.ConnectTimeout.D(),
		AttemptConnection: l.dial,
		OnConnectionUp:    func(*autopaho.ConnectionManager, *paho.Connack) { l.session.confirm(); poke(l.changed) },
		OnConnectionDown:  func() bool { poke(l.changed); return true },
		OnConnectError:    func(err error) { l.failed(err); onError(err) },
		ConnectPacketBuilder: func(c *paho.Connect, _ *url.URL) (*paho.Connect, error) {
			receive := uint16(8) // little is subscribed to; the library reserves room for as many
			if l.cfg.User != "" {
				password, err := os.ReadFile(l.cfg.PasswordFile)
				if err != nil {
					return nil, fmt.Errorf("mqtt: password: %w", err)
				}
				c.Username, c.UsernameFlag = l.cfg.User, true
				c.Password, c.PasswordFlag = bytes.TrimRight(password, "\r\n"), true
			}
			c.WillMessage = l.will()
			c.CleanStart, c.Properties = true, &paho.ConnectProperties{ReceiveMaximum: &receive}
			return c, nil
		},
		DisconnectPacketBuilder: l.goodbye,
		ClientConfig: paho.ClientConfig{ClientID: id, Session: l.session, PacketTimeout: l.cfg.PublishTimeout.D(),
			OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(m paho.PublishReceived) (bool, error) {
				onMessage(m.Packet.Topic, m.Packet.Payload)
				return true, nil
			}},
			OnClientError:      func(err error) { l.because(err) },
			OnServerDisconnect: func(d *paho.Disconnect) { l.because(fmt.Errorf("the broker disconnects, reason 0x%02X", d.ReasonCode)) }},
	}
	if user := l.url.User; user != nil {
		password, _ := user.Password()
		cfg.ConnectUsername, cfg.ConnectPassword = user.Username(), []byte(password)
	}
	l.cm, err = autopaho.NewConnection(ctx, cfg)
	return err
}

func (l *link) dial(ctx context.Context, _ autopaho.ClientConfig, u *url.URL) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.ConnectTimeout.D())
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	if secure(u) {
		files, sum, err := tlsFiles(l.cfg, u.Hostname())
		if err != nil {
			conn.Close()
			return nil, err
		}
		l.mu.Lock()
		l.sum = sum
		l.mu.Unlock()
		secured := tls.Client(conn, files)
		if err := secured.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		conn = secured
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.killed {
		conn.Close()
		return nil, ErrKilled
	}
	l.conn, l.packed = conn, newPacketConn(conn, l.cfg.PublishTimeout.D())
	return l.packed, nil
}

// pause is the time before the next attempt: little before a first one, so that
// no two clients dial at the same instant, and then growing to the limit, with
// half of it drawn from the seed.
func (l *link) pause(attempt int) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return backoff.Half(l.rng, backoff.Double(29_137_713*time.Nanosecond, l.cfg.MaxBackoff.D(), max(attempt, l.fails)))
}

// begin forgets why the connection before was lost.
func (l *link) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reason = nil
}

// worked says that the connection is of use, failed that it was not.
func (l *link) worked() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fails = 0
}

func (l *link) failed(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fails++
	if l.reason == nil {
		l.reason = err
	}
}

// because notes why the connection goes down; the first reason is the cause.
func (l *link) because(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reason == nil {
		l.reason = err
	}
}

func (l *link) why() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reason == nil {
		return errors.New("connection lost")
	}
	return l.reason
}

// hold keeps packets back until the next release.
func (l *link) hold(on bool) {
	l.mu.Lock()
	c := l.packed
	l.mu.Unlock()
	if c != nil {
		c.hold(on)
	}
}

// drop breaks the connection; autopaho makes another.
func (l *link) drop(err error) {
	l.because(err)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		l.conn.Close()
	}
}

// kill breaks it as the end of a process does, and for good.
func (l *link) kill() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.killed = true
	if l.conn == nil {
		return
	}
	if t, ok := l.conn.(*net.TCPConn); ok {
		t.SetLinger(0)
	}
	l.conn.Close()
}

func (l *link) goodbye() *paho.Disconnect {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.killed {
		return nil
	}
	return &paho.Disconnect{}
}

// end disconnects and waits until nothing of the library is left.
func (l *link) end() {
	l.stop()
	<-l.cm.Done()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		l.conn.Close()
	}
}
