package mqtt

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/sim/signal"
)

// TestEncodingsThroughCuts sends in every encoding, with either QoS, with and
// without topic aliases, while connections break.
func TestEncodingsThroughCuts(t *testing.T) {
	for i, encoding := range payload.Encodings {
		for k, compression := range payload.Compressions {
			qos, alias := 1+(i+k)%2, (i+k)%3 > 0
			t.Run(fmt.Sprintf("%s %s qos=%d alias=%v", encoding, compression, qos, alias), func(t *testing.T) {
				r := newRig(t, startBroker(t, "", nil), func(c *Config, _ *Options) {
					c.Encoding, c.Compression, c.QoS, c.TopicAlias = encoding, compression, qos, alias
				})
				rng := rand.New(rand.NewPCG(uint64(i), uint64(k)))
				for range 6 {
					for range 10 {
						r.put(1 + rng.IntN(60))
					}
					time.Sleep(time.Duration(rng.IntN(4)) * time.Millisecond)
					r.b.cut()
				}
				r.delivered()
				r.b.mu.Lock()
				defer r.b.mu.Unlock()
				for _, pk := range r.b.seen {
					if pk.TopicName == payload.DataTopic("plantbed", "edge-1") && int(pk.FixedHeader.Qos) != qos {
						t.Fatalf("sent with QoS %d", pk.FixedHeader.Qos)
					}
				}
			})
		}
	}
}

// TestAliasesAsTheBrokerAllows: one that allows none gets the topic.
func TestAliasesAsTheBrokerAllows(t *testing.T) {
	for _, most := range []uint16{0, 1} {
		r := newRig(t, startBroker(t, "", func(c *mochi.Capabilities) { c.TopicAliasMaximum = most }), func(c *Config, _ *Options) {
			c.TopicAlias = true
		})
		r.put(500)
		r.delivered()
		r.b.mu.Lock()
		if named := r.b.alias; named > 0 != (most > 0) {
			t.Errorf("%d messages with an alias where the broker allows %d", named, most)
		}
		r.b.mu.Unlock()
	}
}

// TestRefusedAtPubrec: with QoS 2 a refusal comes with PUBREC, and is treated as
// one at PUBACK.
func TestRefusedAtPubrec(t *testing.T) {
	b := startBroker(t, "", nil)
	b.answer = func(n int) error {
		if n%7 == 3 {
			return packets.ErrQuotaExceeded
		}
		return nil
	}
	r := newRig(t, b, func(c *Config, _ *Options) { c.QoS, c.Inflight = 2, 1 })
	r.put(900)
	if r.delivered(); b.data <= 900/50 {
		t.Fatal("nothing was refused: the test tests nothing")
	}
}

// TestReceiveMaximumHolds: no more messages are on their way than the broker
// wants, with QoS 2 counted until PUBCOMP.
func TestReceiveMaximumHolds(t *testing.T) {
	for _, qos := range []int{1, 2} {
		b := startBroker(t, "", func(c *mochi.Capabilities) { c.ReceiveMaximum = 3 })
		r := newRig(t, b, func(c *Config, _ *Options) { c.QoS, c.Inflight, c.Batch = qos, 100, 1 })
		r.put(2000)
		if repeats := r.delivered(); repeats > 0 { // mochi ends a connection that sends more
			t.Errorf("QoS %d: %d samples sent again on a link that never broke", qos, repeats)
		}
	}
}

func TestPackedSourceReadsItself(t *testing.T) {
	c, err := payload.NewCodec(payload.Protobuf, payload.Zstd)
	if err != nil {
		t.Fatal(err)
	}
	s := signal.Sample{ID: "m/t", Seq: 3, Value: 1.5, SourceTime: time.Unix(1e9, 7).UTC()}
	text := c.Append(nil, payload.Batch{Gateway: "other", Stream: "s", First: 1, Samples: []signal.Sample{s}})
	got, err := newReader().read(SourceTopic{Format: FormatPlantbed, Prefix: "far/"}, "plantbed/other/data", text, time.Now())
	if s.ID = "far/m/t"; err != nil || len(got) != 1 || got[0] != s {
		t.Errorf("%v %v", got, err)
	}
}
