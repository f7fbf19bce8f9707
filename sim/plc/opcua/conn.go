package opcua

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/url"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uacp"
)

// conn is one TCP connection, with the one secure channel that it may have.
//
//	read a chunk ─► unseal ─► assemble ─► decode ─► serve ─► outbox ─► write
//
// All of it but writing for subscriptions happens on the connection's own
// goroutine.
type conn struct {
	s      *Server
	nc     net.Conn
	number int // what Accept gave
	in     reader
	parts  assembler
	url    string // what the client says it connected to

	chunkSize  int // of what is sent
	maxMessage int // that the client takes, 0 for any

	sessions int // active on this connection; under Server.mu

	gone chan struct{} // closed when the connection is

	wmu sync.Mutex // guards ch against senders, and out
	ch  channel
	out outbox
}

func newConn(s *Server, nc net.Conn, number int) *conn {
	return &conn{s: s, nc: nc, number: number, gone: make(chan struct{})}
}

// serve runs a connection until it ends, and reports nothing: a connection's
// end is its own matter.
func (c *conn) serve() {
	defer c.s.forget(c)
	err := c.talk()
	var status ua.StatusCode
	if errors.As(err, &status) {
		c.fail(status)
	}
	c.s.log.Debug("connection ended", "conn", c.number, "remote", c.nc.RemoteAddr(), "err", err)
}

// talk is the main loop of a connection.
func (c *conn) talk() (err error) {
	c.in.r = bufio.NewReaderSize(c.nc, 4096)
	if err := c.nc.SetReadDeadline(time.Now().Add(c.s.cfg.Limits.Handshake.D())); err != nil {
		return err
	}
	if err := c.hello(); err != nil {
		return err
	}
	for {
		kind, flag, chunk, err := c.in.next(bufferSize, typeMessage, typeOpen, typeClose)
		if err != nil {
			return err
		}
		switch kind {
		case typeOpen:
			if flag != flagFinal {
				return ua.StatusBadTCPMessageTypeInvalid
			}
			err = c.guard(func() error { return c.openChannel(chunk) })
		case typeMessage:
			err = c.guard(func() error { return c.message(flag, chunk) })
		case typeClose:
			if _, _, _, err := c.ch.open(chunk); err != nil {
				return err
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// guard is the one door behind which a panic, of a library at the bytes of a
// stranger, costs no more than the connection.
func (c *conn) guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			c.s.log.Error("a request broke its connection", "conn", c.number, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = ua.StatusBadInternalError
		}
	}()
	return f()
}

// hello is the first exchange: sizes and the address that the client asked for.
func (c *conn) hello() error {
	_, flag, chunk, err := c.in.next(chunkHeader+24+maxURL, typeHello)
	if err != nil {
		return err
	}
	var h uacp.Hello
	if n, err := h.Decode(chunk[chunkHeader:]); err != nil || n != len(chunk)-chunkHeader || flag != flagFinal {
		return ua.StatusBadDecodingError
	}
	if h.ReceiveBufSize < minBuffer || h.SendBufSize < minBuffer {
		return ua.StatusBadConnectionRejected
	}
	c.url = h.EndpointURL
	c.chunkSize = int(min(h.ReceiveBufSize, bufferSize))
	c.maxMessage = int(h.MaxMessageSize)
	if n := int(h.MaxChunkCount); n > 0 && (c.maxMessage == 0 || n*(c.chunkSize-bodyStart-600) < c.maxMessage) {
		c.maxMessage = n * (c.chunkSize - bodyStart - 600)
	}
	c.parts.max = c.s.cfg.Limits.MessageSize
	ack := uacp.Acknowledge{
		ReceiveBufSize: min(h.SendBufSize, bufferSize), SendBufSize: uint32(c.chunkSize),
		MaxMessageSize: uint32(c.parts.max), MaxChunkCount: uint32(c.parts.maxChunks()),
	}
	body, err := ack.Encode()
	if err != nil {
		return err
	}
	b := append([]byte("ACKF\x00\x00\x00\x00"), body...)
	putSize(b, len(b))
	c.wmu.Lock()
	c.put(outgoing{b: b})
	c.wmu.Unlock()
	c.flush()
	return nil
}

// message takes one MSG chunk, and serves the request that it completes.
func (c *conn) message(flag byte, chunk []byte) error {
	request, body, fresh, err := c.ch.open(chunk)
	if err != nil {
		return err
	}
	if fresh {
		c.useNewToken(chunk)
	}
	msg, whole, err := c.parts.add(flag, request, body)
	if err != nil || !whole {
		return err
	}
	return c.request(request, msg)
}

// useNewToken follows a client that has begun to use the renewed keys.
func (c *conn) useNewToken(chunk []byte) {
	in := cursor{b: chunk[secureHeader:]}
	id := in.u32()
	if id < c.ch.sending { // a straggler with the old keys
		return
	}
	c.wmu.Lock()
	c.ch.sending = id
	c.wmu.Unlock()
}

// armRead lets a connection that has a session be silent for as long as its
// channel's keys live. Without a session the handshake's deadline stands.
func (c *conn) armRead() {
	c.s.mu.Lock()
	active := c.sessions > 0
	c.s.mu.Unlock()
	if n := len(c.ch.tokens); active && n > 0 {
		c.nc.SetReadDeadline(c.ch.tokens[n-1].ends)
	}
}

// address is host and port as the client knows them, from the URL in its
// request or its hello, so that no client is led around a link.
func (c *conn) address(asked string) string {
	for _, s := range []string{asked, c.url} {
		u, err := url.Parse(s)
		if err == nil && len(s) <= maxURL && u.Scheme == "opc.tcp" && u.Host != "" {
			return "opc.tcp://" + u.Host + u.EscapedPath()
		}
	}
	return "opc.tcp://" + c.s.ln.Addr().String()
}
