package mqtt

import (
	"strings"
	"testing"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/plantbed/plantbed/sim/signal"
)

// TestEdgeNode: a birth first on every connection, sequence numbers without a
// hole, a rebirth when asked, a death by will with the bdSeq of its birth, and
// one told before the end.
func TestEdgeNode(t *testing.T) {
	b := startBroker(t, "", nil)
	var all []packets.Packet // a will does not come by the broker's other hook
	err := b.s.Subscribe("spBv1.0/#", 1, func(_ *mochi.Client, _ packets.Subscription, pk packets.Packet) {
		b.mu.Lock()
		defer b.mu.Unlock()
		all = append(all, pk)
	})
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, b, func(c *Config, o *Options) {
		c.Format, o.Tags = FormatSparkplug, []signal.ID{"m/t-0", "m/t-1", "m/t-2", "m/t-3", "m/t-4"}
	})
	kinds := func([]packets.Packet) (out []string) {
		for _, pk := range all {
			if p := strings.Split(pk.TopicName, "/"); p[0] == "spBv1.0" {
				out = append(out, p[2])
			}
		}
		return out
	}
	count := func(kind string, n int) func([]packets.Packet) bool {
		return func(seen []packets.Packet) bool { return strings.Count(strings.Join(kinds(seen), " "), kind) >= n }
	}
	r.put(200)
	b.until("data", count("NDATA", 4))
	b.cut()
	b.until("death by will", count("NDEATH", 1))
	b.until("born again", count("NBIRTH", 2))
	r.put(100)
	b.until("more data", count("NDATA", 6))
	cmd := append([]byte{0x12, 24, 0x0a, 20}, "Node Control/Rebirth"...)
	if err := b.s.Publish("spBv1.0/plantbed/NCMD/edge-1", append(cmd, 0x70, 1), false, 0); err != nil {
		t.Fatal(err)
	}
	b.until("born on command", count("NBIRTH", 3))
	r.put(50)
	b.until("yet more data", count("NDATA", 7))
	r.stop(nil)
	b.until("death told", count("NDEATH", 2))
	b.mu.Lock()
	defer b.mu.Unlock()
	next, born, alive := byte(0), uint64(0), false
	for _, pk := range all {
		p := strings.Split(pk.TopicName, "/")
		if p[0] != "spBv1.0" {
			continue
		}
		seq, bdSeq := numbers(pk.Payload)
		switch p[2] {
		case "NBIRTH":
			if seq != 0 || alive && bdSeq != born {
				t.Errorf("birth with seq %d, bdSeq %d after %d", seq, bdSeq, born)
			}
			next, born, alive = 1, bdSeq, true
		case "NDATA":
			if !alive || byte(seq) != next {
				t.Errorf("data with seq %d, want %d; alive %v", seq, next, alive)
			}
			next++
		case "NDEATH":
			if bdSeq != born {
				t.Errorf("death of %d, born as %d", bdSeq, born)
			}
			alive = false
		}
	}
}

// numbers reads the seq of a payload and the value of its first metric, as
// plainly as can be.
func numbers(p []byte) (seq, bdSeq uint64) {
	for len(p) > 1 {
		switch key := p[0]; key {
		case 0x08, 0x18: // timestamp, seq
			v, n := uint64(0), 1
			for shift := 0; ; shift += 7 {
				v |= uint64(p[n]&0x7f) << shift
				if n++; p[n-1] < 0x80 {
					break
				}
			}
			if p = p[n:]; key == 0x18 {
				seq = v
			}
		default: // metric, uuid
			n, at := int(p[1]), 2
			if n >= 0x80 {
				n, at = n&0x7f|int(p[2])<<7, 3
			}
			if body := p[at : at+n]; key == 0x12 && strings.Contains(string(body), "bdSeq") {
				bdSeq = uint64(body[len(body)-1])
			}
			p = p[at+n:]
		}
	}
	return seq, bdSeq
}
