package broker

import (
	"bytes"
	"log/slog"
	"math"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

const (
	// maxPacket bounds what one fixed header can make the broker allocate, bytes.
	maxPacket = 4 << 20
	// maxAge stands in for "never": the library deletes retained and queued
	// messages that are older, and its default is one day. Seconds.
	maxAge = 10 * 365 * 24 * 3600
	// sysEvery spaces out the $SYS topics, which nobody here reads and which
	// stop the world for memory statistics. Seconds.
	sysEvery = 10 * 365 * 24 * 3600
)

// serverOptions spells out every capability: the library's defaults drop
// messages early.
func serverOptions(cfg Config) *mqtt.Options {
	caps := mqtt.NewDefaultServerCapabilities()
	caps.MaximumClients = 10_000
	caps.MaximumMessageExpiryInterval = maxAge
	caps.MaximumClientWritesPending = int32(cfg.Pending)
	caps.MaximumSessionExpiryInterval = math.MaxUint32
	caps.MaximumPacketSize = maxPacket
	caps.ReceiveMaximum = uint16(cfg.ReceiveMaximum)
	caps.MaximumInflight = uint16(cfg.Inflight)
	caps.MaximumQos = 2
	caps.RetainAvailable = 1
	caps.WildcardSubAvailable = 1
	// An acknowledgement that repeats the publisher's user properties is a
	// protocol violation and costs as much as a small message.
	caps.Compatibilities.NoInheritedPropertiesOnAck = true
	return &mqtt.Options{
		Capabilities:           caps,
		SysTopicResendInterval: sysEvery,
		// The library's own log is per packet; what matters is in Stats.
		Logger: slog.New(slog.DiscardHandler),
	}
}

// hook is how the library tells us what happens. Everybody may connect,
// publish and subscribe: the broker is a test fixture on a loopback address.
type hook struct {
	mqtt.HookBase
	b *Broker
}

func (h *hook) ID() string { return "plantbed" }

func (h *hook) Provides(what byte) bool {
	return bytes.IndexByte([]byte{mqtt.OnConnectAuthenticate, mqtt.OnACLCheck, mqtt.OnConnect, mqtt.OnPublish, mqtt.OnWillSent}, what) >= 0
}

func (h *hook) OnConnectAuthenticate(cl *mqtt.Client, _ packets.Packet) bool {
	return !h.b.trouble.revoked.Load() || h.b.opts.direct(cl.ID)
}

func (h *hook) OnACLCheck(*mqtt.Client, string, bool) bool { return true }

// OnConnect is called when a client has said who it is.
func (h *hook) OnConnect(cl *mqtt.Client, _ packets.Packet) error {
	remote := cl.Net.Conn.RemoteAddr()
	if h.b.trouble.came(cl.ID, remote, h.b.opts.direct(cl.ID)) {
		return nil
	}
	if !h.b.opts.bypassed(remote, cl.ID) {
		return nil
	}
	h.b.bypassed.Add(1)
	h.b.opts.Log.Warn("a client went around the link", "client", cl.ID, "remote", remote.String())
	if h.b.opts.OnBypass != nil {
		h.b.opts.OnBypass(remote, cl.ID)
	}
	return nil
}

// OnPublish is called before a message is acknowledged or passed on.
func (h *hook) OnPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if h.b.trouble.quota.Load() && !h.b.opts.direct(cl.ID) {
		return pk, packets.ErrQuotaExceeded
	}
	h.b.published.Add(1)
	pk.Created = h.b.order.created(time.Now(), h.b.server)
	h.tell(pk)
	return pk, nil
}

// OnWillSent is called when a client has gone without a word, and its will was
// passed on.
func (h *hook) OnWillSent(_ *mqtt.Client, pk packets.Packet) { h.tell(pk) }

func (h *hook) tell(pk packets.Packet) {
	if h.b.opts.OnPublish != nil {
		h.b.tap.Lock()
		defer h.b.tap.Unlock()
		h.b.opts.OnPublish(pk.TopicName, pk.Payload, time.Now())
	}
}
