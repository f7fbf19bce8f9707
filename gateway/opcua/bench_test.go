package opcua

import (
	"context"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/gateway/pipeline"
)

// notification is a publish response of n items as it stands on the wire, behind
// the chunk's headers.
func notification(tb testing.TB, n int) []byte {
	d := &ua.DataChangeNotification{}
	for i := range n {
		dv := &ua.DataValue{Value: ua.MustVariant(float64(i)), SourceTimestamp: at(i), ServerTimestamp: at(i)}
		dv.UpdateMask()
		d.MonitoredItems = append(d.MonitoredItems, &ua.MonitoredItemNotification{ClientHandle: uint32(i + 1), Value: dv})
	}
	b := ua.NewBuffer(nil)
	b.WriteStruct(ua.NewFourByteExpandedNodeID(0, ua.ServiceTypeID(&ua.PublishResponse{})))
	b.WriteStruct(&ua.PublishResponse{ResponseHeader: okHeader(ua.StatusOK), SubscriptionID: 1,
		NotificationMessage: &ua.NotificationMessage{SequenceNumber: 1, NotificationData: []*ua.ExtensionObject{ua.NewExtensionObject(d)}}})
	if b.Error() != nil {
		tb.Fatal(b.Error())
	}
	return b.Bytes()
}

// BenchmarkReceive is the way of a sample through this package: gopcua's
// decoding, then sorting, converting and handing on. The part of gopcua is shown
// apart.
func BenchmarkReceive(b *testing.B) {
	const n = 100
	wire := notification(b, n)
	decode := func() *ua.PublishResponse {
		_, res, err := ua.DecodeService(wire)
		if err != nil {
			b.Fatal(err)
		}
		return res.(*ua.PublishResponse)
	}
	cfg := testConfig("opc.tcp://h:1", n)
	items, _ := newItems(cfg.Tags)
	newReceiver := func() *receiver {
		return &receiver{cfg: &cfg, items: &items, clock: &clock{}, sub: &subscription{ledger: newLedger()}, held: map[uint32]*ua.NotificationMessage{},
			sink: func(_ context.Context, batch pipeline.Batch) error { batch.Done(nil); return nil }}
	}
	perSample := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/sample")
	}
	b.Run("gopcua", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			decode()
		}
		perSample(b)
	})
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		r, msg := newReceiver(), decode().NotificationMessage
		for b.Loop() {
			if err := r.arrived(context.Background(), msg); err != nil {
				b.Fatal(err)
			}
			msg.SequenceNumber++
			r.sub.ledger.acks()
		}
		perSample(b)
	})
}

// BenchmarkSocket is the whole way over a socket, the fake server's part
// included.
func BenchmarkSocket(b *testing.B) {
	const n = 100
	f := newFake(b)
	done := make(chan struct{}, 1)
	cfg := testConfig(f.url, n)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	up := make(chan struct{})
	go func() {
		ended <- Run(ctx, cfg, 1, nil, func(_ context.Context, batch pipeline.Batch) error {
			batch.Done(nil)
			done <- struct{}{}
			return nil
		}, func(string, bool, string) { close(up) })
	}()
	<-up
	for b.Loop() {
		f.mu.Lock()
		s := f.subs[1]
		for i := range n {
			dv := &ua.DataValue{EncodingMask: ua.DataValueValue | ua.DataValueSourceTimestamp, Value: ua.MustVariant(1.5), SourceTimestamp: at(i)}
			s.queue = append(s.queue, &ua.MonitoredItemNotification{ClientHandle: uint32(i + 1), Value: dv})
		}
		for len(s.requests) == 0 {
			f.mu.Unlock()
			time.Sleep(10 * time.Microsecond)
			f.mu.Lock()
		}
		f.flush(s)
		f.mu.Unlock()
		<-done
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/sample")
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}
