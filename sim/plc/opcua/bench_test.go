package opcua

import (
	"fmt"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc"
)

// loaded is a server with n fast tags, all of them monitored, with a
// publishing interval that never comes, so that a benchmark fires it itself.
func loaded(b *testing.B, n int) (*testPLC, *Server, *raw, *subscription) {
	task := &plc.Task{Period: 100 * time.Millisecond}
	var items []want
	for i := range n {
		id := fmt.Sprintf("pump/part-%d/value", i)
		task.Tags = append(task.Tags, tag(id, plc.Float64, 1))
		items = append(items, want{tag: id, queue: 20})
	}
	p := newImage(task)
	s := serve(b, p, Config{}, Options{Tap: func(int, int64, time.Time, []Ref) {}})
	c := rawSession(b, s, time.Hour)
	id := c.subscribe(time.Hour, 1000, 10).SubscriptionID
	c.monitor(id, items...)
	return p, s, c, s.subs[id]
}

// BenchmarkScan is what a scan of 60 monitored tags costs.
func BenchmarkScan(b *testing.B) {
	p, s, _, _ := loaded(b, 60)
	block := p.scan(0)
	b.ReportAllocs()
	for b.Loop() {
		next := *block
		block = &next
		block.Seq++
		for i := range block.Values {
			block.Values[i]++
		}
		s.scan(block)
	}
}

// BenchmarkPublish is what a scan of 60 tags and the publishing cycle with their
// values cost the server, from the block to the return of the write.
func BenchmarkPublish(b *testing.B) {
	p, s, c, sub := loaded(b, 60)
	go func() {
		buf := make([]byte, 65536)
		for {
			if _, err := c.nc.Read(buf); err != nil {
				return
			}
		}
	}()
	p.scan(0)
	s.mu.Lock()
	over := s.conns[0]
	s.mu.Unlock()
	b.ReportAllocs()
	for b.Loop() {
		p.scan(0)
		x := &exchange{s: s, c: over, now: time.Now()}
		s.mu.Lock()
		sub.session.queue = append(sub.session.queue, publishing{x: x})
		sub.sent = sub.sent[:0]
		s.makeDue(sub)
		s.pump(sub.session)
		s.mu.Unlock()
		over.flush()
	}
}

// BenchmarkPublishRoundTrip is a publish request and its answer with 60 values
// over loopback, with the reading of a client that decodes nothing.
func BenchmarkPublishRoundTrip(b *testing.B) {
	p, s, c, sub := loaded(b, 60)
	b.ReportAllocs()
	for b.Loop() {
		p.scan(0)
		s.mu.Lock()
		s.makeDue(sub)
		s.mu.Unlock()
		c.send(&ua.PublishRequest{SubscriptionAcknowledgements: []*ua.SubscriptionAcknowledgement{{SubscriptionID: sub.id, SequenceNumber: sub.next - 1}}})
		if kind, _ := c.frame(); kind != "MSGF" {
			b.Fatal(kind)
		}
	}
}

// BenchmarkListen is what one more server costs, with 100 tags.
func BenchmarkListen(b *testing.B) {
	task := &plc.Task{Period: 100 * time.Millisecond}
	for i := range 100 {
		task.Tags = append(task.Tags, tag(fmt.Sprintf("pump/part-%d/value", i), plc.Float64, 1))
	}
	b.ReportAllocs()
	for b.Loop() {
		s, err := Listen(Config{}, newImage(task), Options{})
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}
