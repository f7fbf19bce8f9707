package mqtt

import (
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/internal/strict"
)

// TestOrderAfterOneRefusal: with several in flight a broker that forgets costs
// the order of one window; from then on messages go one at a time.
func TestOrderAfterOneRefusal(t *testing.T) {
	b := startBroker(t, "", nil)
	b.answer = func(n int) error {
		if n%7 == 3 {
			return packets.ErrRejectPacket
		}
		return nil
	}
	r := newRig(t, b, func(cfg *Config, _ *Options) {
		cfg.PublishTimeout, cfg.Inflight = strict.Duration(30*time.Millisecond), 4
	})
	r.put(2000)
	r.complete()
	newest, late := uint64(0), 0
	for _, x := range b.batches() {
		if x.First <= newest && x.First+uint64(len(x.Samples))-1 > newest-150 { // three messages were behind the lost one
			late++
		}
		newest = max(newest, x.First+uint64(len(x.Samples))-1)
	}
	if late > 4 { // the lost one itself, and the three again
		t.Errorf("%d messages came behind younger ones", late)
	}
}

// TestPoison has a broker that calls the payload of one sample invalid: that
// one is given up and told, the others come.
func TestPoison(t *testing.T) {
	const bad = 137
	b := startBroker(t, "", nil)
	drops := map[string]int{}
	r := newRig(t, b, func(c *Config, o *Options) {
		c.Inflight = 1
		o.OnDrop = func(why string, n int) { drops[why] += n }
	})
	b.refuse = func(x payload.Batch) bool { return x.First <= bad && bad < x.First+uint64(len(x.Samples)) }
	r.put(400)
	r.b.until("delivery", func([]packets.Packet) bool { return r.buf.Depth() == 0 })
	next := uint64(1)
	for _, x := range b.batches() {
		for i := range x.Samples {
			if n := x.First + uint64(i); n == next {
				next++
			} else if n > next {
				t.Fatalf("%d came before %d", n, next)
			}
			if next == bad {
				next++
			}
		}
	}
	if next != 401 || drops[DropRefused] != 1 || len(drops) != 1 {
		t.Errorf("came up to %d, dropped %v", next-1, drops)
	}
}
