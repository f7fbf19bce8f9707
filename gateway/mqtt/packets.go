package mqtt

import (
	"bufio"
	"net"
	"sync"
	"time"
)

// packetConn sends each MQTT packet with one Write, or several that are held
// together with one, within a time; it closes the connection when that fails, so
// that nothing is sent behind half a packet. It reads ahead: a PUBACK is four
// bytes, and the library asks for them in three. The library locks a connection
// around each packet if it can be locked.
type packetConn struct {
	net.Conn
	timeout time.Duration
	in      *bufio.Reader
	mu      sync.Mutex
	buf     []byte
	held    bool
}

// most is how many bytes are held.
const most = 64 << 10

func newPacketConn(c net.Conn, timeout time.Duration) *packetConn {
	return &packetConn{Conn: c, timeout: timeout, in: bufio.NewReaderSize(c, 4<<10)}
}

// Read is net.Conn's.
func (c *packetConn) Read(p []byte) (int, error) { return c.in.Read(p) }

// Lock begins a packet.
func (c *packetConn) Lock() { c.mu.Lock() }

// Write adds to the packet.
func (c *packetConn) Write(p []byte) (int, error) {
	c.buf = append(c.buf, p...)
	return len(p), nil
}

// Unlock sends the packet, unless it is to wait for others.
func (c *packetConn) Unlock() {
	defer c.mu.Unlock()
	if !c.held || len(c.buf) >= most {
		c.flush()
	}
}

// hold keeps packets back, or sends those that were.
func (c *packetConn) hold(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held = on; !on {
		c.flush()
	}
}

func (c *packetConn) flush() {
	if len(c.buf) == 0 {
		return
	}
	c.SetWriteDeadline(time.Now().Add(c.timeout))
	if _, err := c.Conn.Write(c.buf); err != nil {
		c.Close()
	}
	c.buf = c.buf[:0]
}
