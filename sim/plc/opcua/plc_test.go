package opcua

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/plc"
)

// A real PLC, with its kernel, behind the server: what a client writes is what
// the next scan reads, and raw counts go both ways.
func TestWithAPLC(t *testing.T) {
	k, set := sim.New(1), 20.0
	p, err := plc.New(k, plc.Config{Name: "plc-oven", Protocol: "opcua", Scan: strict.Duration(100 * time.Millisecond)}, time.Now(), []plc.Tag{
		{ID: "oven/setpoint", Unit: "degC", Lo: 0, Hi: 300, Type: plc.Int16, Scale: 0.1, Read: func(time.Duration) float64 { return set }, Write: func(v float64) error { set = v; return nil }},
		{ID: "oven/alive", Type: plc.Bool, Read: func(time.Duration) float64 { return 1 }},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, p, Config{}, Options{})
	p.Start()
	k.Run(time.Second)
	c := connect(t, s)
	read := func() *ua.DataValue {
		v, err := c.Read(context.Background(), &ua.ReadRequest{TimestampsToReturn: ua.TimestampsToReturnSource, NodesToRead: []*ua.ReadValueID{{NodeID: ua.NewStringNodeID(2, "oven/setpoint"), AttributeID: ua.AttributeIDValue}}})
		if err != nil {
			t.Fatal(err)
		}
		return v.Results[0]
	}
	if got := read(); got.Value.Value() != int16(200) || !got.SourceTimestamp.Equal(p.Latest(0).Stamp) {
		t.Errorf("%v at %v, want 200 counts at %v", got.Value.Value(), got.SourceTimestamp, p.Latest(0).Stamp)
	}
	for v, want := range map[int16]ua.StatusCode{3001: ua.StatusBadOutOfRange, 1805: ua.StatusOK} {
		w, err := c.Write(context.Background(), &ua.WriteRequest{NodesToWrite: []*ua.WriteValue{{NodeID: ua.NewStringNodeID(2, "oven/setpoint"), AttributeID: ua.AttributeIDValue, Value: &ua.DataValue{EncodingMask: 1, Value: ua.MustVariant(v)}}}})
		if err != nil || w.Results[0] != want {
			t.Errorf("write %d: %v, %v; want %v", v, w.Results[0], err, want)
		}
	}
	k.Run(2 * time.Second)
	if got := read().Value.Value(); got != int16(1805) {
		t.Errorf("after the next scan: %v counts, want 1805", got)
	}
}

// Ten clients at once, each cut and back again, lose nothing that the queues
// can hold.
func TestTenClients(t *testing.T) {
	p := newPLC()
	s := serve(t, p, Config{}, Options{Tap: func(int, int64, time.Time, []Ref) {}})
	p.scan(1)
	const scans = 200
	var wg sync.WaitGroup
	for n := range 10 {
		c := rawSession(t, s, time.Minute)
		sub := c.subscribe(time.Duration(10+n)*time.Millisecond, 1000, 10).SubscriptionID
		c.monitor(sub, want{tag: "pump/flow", queue: 2 * scans})
		wg.Go(func() { follow(t, s, c, sub, scans) })
	}
	for range scans - 1 {
		p.scan(1)
		time.Sleep(time.Millisecond)
	}
	wg.Wait()
}

// follow takes samples until it has all, and breaks its connection after
// every third message, before it has acknowledged that.
func follow(t *testing.T, s *Server, c *raw, sub uint32, scans int) {
	var next uint32 = 1
	have := 0
	take := func(m *ua.NotificationMessage) error {
		if len(m.NotificationData) == 0 {
			return nil
		}
		if m.SequenceNumber != next {
			return fmt.Errorf("message %d instead of %d", m.SequenceNumber, next)
		}
		next++
		for _, v := range values(m) {
			if have++; v.value != float64(have) || v.overflow {
				return fmt.Errorf("value %v instead of %d", v, have)
			}
		}
		return nil
	}
	var acks []*ua.SubscriptionAcknowledgement
	for i := 1; have < scans; i++ {
		if i%3 == 0 {
			c.send(&ua.PublishRequest{})
			c.nc.Close()
			again := rawDial(t, s)
			again.token = c.token
			c = again
			c.activate()
			for {
				resp := c.do(&ua.RepublishRequest{SubscriptionID: sub, RetransmitSequenceNumber: next})
				m, ok := resp.(*ua.RepublishResponse)
				if !ok {
					break
				}
				if err := take(m.NotificationMessage); err != nil {
					t.Error(err)
					return
				}
			}
		}
		if err := take(c.publish(acks...).NotificationMessage); err != nil {
			t.Error(err)
			return
		}
		acks = []*ua.SubscriptionAcknowledgement{{SubscriptionID: sub, SequenceNumber: next - 1}}
	}
}
