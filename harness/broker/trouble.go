package broker

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// trouble is what a fault has the broker do to those that come through the link.
type trouble struct {
	quota, revoked atomic.Bool

	mu       sync.Mutex
	client   string          // who last came through the link
	ours     map[string]bool // addresses of the intruder
	intruder func()          // ends it; nil where there is none
	old      sync.WaitGroup  // servers that are being closed
	life     sync.Mutex      // of server and door
}

// came notes a client, and tells whether it is the intruder.
func (t *trouble) came(client string, remote net.Addr, direct bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ours[remote.String()] {
		return true
	}
	if !direct {
		t.client = client
	}
	return false
}

func (b *Broker) serving() *mqtt.Server {
	b.trouble.life.Lock()
	defer b.trouble.life.Unlock()
	return b.server
}

func (b *Broker) entrance() *door {
	b.trouble.life.Lock()
	defer b.trouble.life.Unlock()
	return b.door
}

func (b *Broker) address() string { return b.entrance().Address() }
func (b *Broker) panics() int64   { return b.entrance().panics.Load() }

// Stop is the end of a broker's process as others see it: every connection is
// reset, and new ones are refused.
func (b *Broker) Stop() { b.entrance().lock() }

// Start ends Stop, at the same address. With keep it has the sessions, retained
// and queued messages that it had, without it none.
func (b *Broker) Start(keep bool) error {
	if keep {
		return b.entrance().unlock()
	}
	b.trouble.life.Lock()
	defer b.trouble.life.Unlock()
	old, addr := b.server, b.door.addr
	b.door.lock()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("broker: cannot listen on %s again: %w", addr, err)
	}
	b.trouble.old.Go(func() { _ = old.Close() })
	return b.open(ln)
}

// end closes everything and waits.
func (b *Broker) end() error {
	b.Intrude(false)
	err := b.serving().Close()
	b.trouble.old.Wait()
	return err
}

// Quota has every message that comes through the link refused with reason 0x97.
func (b *Broker) Quota(on bool) { b.trouble.quota.Store(on) }

// Revoke throws out whoever came through the link (0x87), and refuses their
// credentials (0x86).
func (b *Broker) Revoke(on bool) {
	if b.trouble.revoked.Swap(on) || !on {
		return
	}
	s := b.serving()
	var out []*mqtt.Client
	for _, cl := range s.Clients.GetAll() {
		if !cl.Net.Inline && !cl.Closed() && !b.opts.direct(cl.ID) {
			out = append(out, cl)
		}
	}
	slices.SortFunc(out, func(a, b *mqtt.Client) int { return strings.Compare(a.ID, b.ID) })
	for _, cl := range out {
		_ = s.DisconnectClient(cl, packets.ErrNotAuthorized)
	}
}

// intruderPause is how long the intruder stays away after it was thrown out.
const intruderPause = 1_000_317_713 * time.Nanosecond

// Intrude has another client connect with the id of the one that last came
// through the link, and come back whenever that one has thrown it out.
func (b *Broker) Intrude(on bool) {
	t := &b.trouble
	t.mu.Lock()
	stop := t.intruder
	t.intruder = nil
	if on && stop == nil {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); b.intrude(ctx) }()
		t.intruder = func() { cancel(); <-done }
	} else if on {
		t.intruder, stop = stop, nil
	}
	t.mu.Unlock()
	if stop != nil {
		stop()
	}
}

func (b *Broker) intrude(ctx context.Context) {
	for ctx.Err() == nil {
		b.trouble.mu.Lock()
		id := b.trouble.client
		b.trouble.mu.Unlock()
		if id != "" {
			if err := b.takeOver(ctx, id); err != nil && ctx.Err() == nil {
				b.opts.Log.Debug("the intruder is out", "client", id, "cause", err)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(intruderPause):
		}
	}
}

// takeOver connects under an id, and stays until it is thrown out.
func (b *Broker) takeOver(ctx context.Context, id string) error {
	d := net.Dialer{KeepAlive: -1}
	c, err := d.DialContext(ctx, "tcp", b.Addr())
	if err != nil {
		return err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	t := &b.trouble
	t.mu.Lock()
	t.ours = map[string]bool{c.LocalAddr().String(): true}
	t.mu.Unlock()
	if _, err := c.Write(connectPacket(id)); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, c)
	return err
}

// connectPacket is an MQTT 5 CONNECT that takes a session over and lets it live
// for an hour: no keep-alive, no credentials, no will.
func connectPacket(id string) []byte {
	body := []byte{0, 4, 'M', 'Q', 'T', 'T', 5, 0, 0, 0, 5, 0x11, 0, 0, 0x0E, 0x10}
	body = binary.BigEndian.AppendUint16(body, uint16(len(id)))
	body = append(body, id...)
	out := []byte{0x10}
	n := len(body)
	for ; n > 0x7F; n >>= 7 {
		out = append(out, byte(n&0x7F)|0x80)
	}
	return append(append(out, byte(n)), body...)
}
