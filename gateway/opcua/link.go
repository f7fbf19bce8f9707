package opcua

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uacp"
	"github.com/gopcua/opcua/uasc"
)

const (
	// handshake bounds each step of connecting: TCP, hello, secure channel,
	// session. It is short because a link that swallows packets is noticed in no
	// other way, and what was sent into it is not answered when it comes back.
	handshake = 2500*time.Millisecond + 713171*time.Nanosecond
	// farewell bounds an orderly close.
	farewell = 500*time.Millisecond + 317713*time.Nanosecond
	// channelLifetime is what we ask for; gopcua renews at three quarters.
	channelLifetime = time.Hour
	// Buffer sizes that a server may state: less than minBuffer is against
	// OPC UA Part 6, and gopcua allocates that much for every chunk it reads.
	minBuffer, maxBuffer = 8192, 16 << 20
	// chunk is the size that we ask for: a notification mostly fits, and what is
	// allocated for it four times less than with largeChunk, which is asked for
	// where a server takes so few chunks that a message could be too long for
	// them.
	chunk, largeChunk = 16 << 10, uacp.DefaultReceiveBufSize
	enoughChunks      = 64 // a mebibyte
)

// link is one TCP connection with its secure channel and session.
type link struct {
	conn    *uacp.Conn
	channel *uasc.SecureChannel
	token   *ua.NodeID // of the session; nil before there is one
	nonce   []byte     // of the server, to be signed at the next activation
	keys    *keys
	end     *ua.EndpointDescription   // as discovered; nil without security
	offers  []*ua.EndpointDescription // as told with the session
	// serverCert is what the server showed for its session.
	serverCert []byte
	timeout    time.Duration // of a request
	step       time.Duration // of one that belongs to connecting
}

// connect dials as the config says, with what its files hold now.
func connect(ctx context.Context, cfg *Config) (*link, error) {
	k, err := cfg.Security.load()
	if err != nil {
		return nil, fmt.Errorf("security: %w", err)
	}
	var end *ua.EndpointDescription
	if cfg.Security.secured() {
		if end, err = discover(ctx, cfg, k); err != nil {
			return nil, err
		}
	}
	return dial(ctx, cfg.URL, cfg.RequestTimeout.D(), func(l *link) { l.keys, l.end = k, end })
}

// dial connects and opens the secure channel. A link that is returned must be
// closed.
func dial(ctx context.Context, endpoint string, timeout time.Duration, prepare func(*link)) (*link, error) {
	step := min(handshake, timeout)
	conn, err := dialTCP(ctx, endpoint, step)
	if err != nil {
		return nil, err
	}
	l := &link{conn: conn, timeout: timeout, step: step}
	if prepare != nil {
		prepare(l)
	}
	if err := l.open(ctx, endpoint); err != nil {
		l.close()
		return nil, fmt.Errorf("secure channel: %w", cause(err))
	}
	return l, nil
}

// dialTCP connects and says hello.
func dialTCP(ctx context.Context, endpoint string, step time.Duration) (*uacp.Conn, error) {
	conn, err := hello(ctx, endpoint, step, chunk)
	if err == nil && conn.MaxChunkCount() < enoughChunks {
		conn.Close()
		return hello(ctx, endpoint, step, largeChunk)
	}
	return conn, err
}

func hello(ctx context.Context, endpoint string, step time.Duration, buffer uint32) (*uacp.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, step)
	defer cancel()
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	port := u.Port()
	if port == "" {
		port = "4840"
	}
	c, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return nil, cause(err)
	}
	conn, err := uacp.NewConn(c.(*net.TCPConn), &uacp.Acknowledge{ReceiveBufSize: buffer, SendBufSize: buffer})
	if err != nil {
		c.Close()
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	err = conn.Handshake(ctx, endpoint)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = checkBuffers(conn)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("hello: %w", cause(err))
	}
	return conn, nil
}

func checkBuffers(c *uacp.Conn) error {
	for _, n := range []uint32{c.ReceiveBufSize(), c.SendBufSize()} {
		if n < minBuffer || n > maxBuffer {
			return fmt.Errorf("the server states a buffer of %d bytes, not between %d and %d", n, minBuffer, maxBuffer)
		}
	}
	return nil
}

func (l *link) open(ctx context.Context, endpoint string) (err error) {
	cfg := l.channelConfig()
	cfg.Lifetime, cfg.RequestTimeout = uint32(channelLifetime/time.Millisecond), l.step
	if l.channel, err = uasc.NewSecureChannel(endpoint, l.conn, cfg, make(chan error, 1)); err != nil {
		return err
	}
	return l.channel.Open(ctx)
}

// close drops the connection at once and leaves the session to the server. The
// order matters: with the socket gone nothing in the channel can block.
func (l *link) close() {
	l.conn.Close()
	if l.channel != nil {
		l.channel.Close()
	}
}

// bye closes the session and its subscriptions in good order.
func (l *link) bye() {
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { l.conn.Close() })
	_, err := call[*ua.CloseSessionResponse](ctx, l, &ua.CloseSessionRequest{DeleteSubscriptions: true}, farewell)
	if err == nil {
		l.channel.Close()
	}
	stop()
	l.close()
}

// call sends a request and waits for its answer.
func call[R ua.Response](ctx context.Context, l *link, req ua.Request, timeout time.Duration) (R, error) {
	var out R
	err := l.channel.SendRequestWithTimeout(ctx, req, l.token, timeout, func(r ua.Response) error {
		answer, ok := r.(R)
		if !ok {
			return fmt.Errorf("the server answered a %T with a %T", req, r)
		}
		out = answer
		return nil
	})
	return out, err
}

var errDropped = errors.New("the connection was dropped")

// cause says in words what the library says with an EOF, and drops the
// addresses from what the network says: one of them is random, and the reason of
// a status should read the same each time.
func cause(err error) error {
	var op *net.OpError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
		return errDropped
	case errors.As(err, &op):
		return fmt.Errorf("%s: %w", op.Op, op.Err)
	}
	return err
}

// refused is the status code if the server answered with a fault and the
// session lives on; then it is worth asking something else.
func refused(err error) (ua.StatusCode, bool) {
	var status ua.StatusCode
	if !errors.As(err, &status) {
		return 0, false
	}
	switch status {
	case ua.StatusBadTimeout, ua.StatusBadSessionIDInvalid, ua.StatusBadSessionClosed, ua.StatusBadSessionNotActivated,
		ua.StatusBadSecureChannelIDInvalid, ua.StatusBadSecureChannelClosed, ua.StatusBadSubscriptionIDInvalid,
		ua.StatusBadConnectionClosed, ua.StatusBadServerNotConnected, ua.StatusBadShutdown:
		return 0, false
	}
	return status, true
}
