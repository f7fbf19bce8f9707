package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/eclipse/paho.golang/packets"

	"github.com/plantbed/plantbed/internal/payload"
)

// ear subscribes at the broker with QoS 0 and counts what comes, or looks into
// it. It comes back by itself when the broker does.
type ear struct {
	broker string
	look   bool          // into every message: latency and identity
	period time.Duration // of the scans
	closed chan struct{}
	over   sync.WaitGroup

	mu        sync.Mutex
	conn      net.Conn
	messages  int
	values    int
	last      time.Time // of arrival
	newest    time.Time // scan that was heard of
	latencies []time.Duration
	seen      map[key]bool
	zero      time.Time // of scan 0, all but a phase
	decoder   payload.Decoder
	failure   error
}

// key tells samples apart: a tag and the number of the scan.
type key struct {
	id    string
	value int64
}

func listen(broker string, look bool, period time.Duration) *ear {
	e := &ear{broker: broker, look: look, period: period, closed: make(chan struct{}), seen: map[key]bool{}}
	e.over.Go(func() {
		for {
			err := e.connection()
			select {
			case <-e.closed:
				return
			case <-time.After(20 * time.Millisecond):
			}
			_ = err // the broker is away, or not there yet
		}
	})
	return e
}

func (e *ear) close() {
	close(e.closed)
	e.mu.Lock()
	if e.conn != nil {
		e.conn.Close()
	}
	e.mu.Unlock()
	e.over.Wait()
}

func (e *ear) connection() error {
	c, err := net.DialTimeout("tcp", e.broker, time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	e.mu.Lock()
	e.conn = c
	e.mu.Unlock()
	connect := packets.NewControlPacket(packets.CONNECT)
	body := connect.Content.(*packets.Connect)
	body.ProtocolName, body.ProtocolVersion, body.ClientID, body.CleanStart = "MQTT", 5, "bench-ear", true
	if _, err := connect.WriteTo(c); err != nil {
		return err
	}
	subscribe := packets.NewControlPacket(packets.SUBSCRIBE)
	s := subscribe.Content.(*packets.Subscribe)
	s.PacketID = 1
	s.Subscriptions = []packets.SubOptions{{Topic: "plantbed/+/data"}, {Topic: "telegraf/#"}}
	if _, err := subscribe.WriteTo(c); err != nil {
		return err
	}
	r := bufio.NewReaderSize(c, 256<<10)
	for {
		p, err := packets.ReadPacket(r)
		if err != nil {
			return err
		}
		if m, ok := p.Content.(*packets.Publish); ok {
			e.heard(m)
		}
	}
}

func (e *ear) heard(m *packets.Publish) {
	now := time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.messages++
	e.last = now
	ours := strings.HasPrefix(m.Topic, "plantbed/")
	if !e.look {
		if ours {
			e.values += bytes.Count(m.Payload, []byte(`"time":`))
		} else {
			e.values += bytes.Count(m.Payload, []byte("\n"))
		}
		return
	}
	if ours {
		batch, err := e.decoder.Decode(m.Payload)
		if err != nil {
			e.failure = err
		}
		for _, s := range batch.Samples {
			e.value(string(s.ID), s.Value, s.SourceTime, now)
		}
		return
	}
	for line := range bytes.Lines(m.Payload) {
		if err := e.line(string(bytes.TrimSpace(line)), now); err != nil {
			e.failure = err
		}
	}
}

func (e *ear) value(id string, v float64, at, now time.Time) {
	e.values++
	e.latencies = append(e.latencies, now.Sub(at))
	e.seen[key{id, int64(v)}] = true
	if e.zero.IsZero() {
		e.zero = at.Add(-time.Duration(v) * e.period)
	}
	if at.After(e.newest) {
		e.newest = at
	}
}

// line reads one of Telegraf's in InfluxDB line protocol:
// opcua,id=nsu\=...;s\=p0/m0/t1 Quality="...",v=12 1700000000000000000
func (e *ear) line(text string, now time.Time) error {
	head, fields, _ := strings.Cut(text, " ")
	_, rest, ok := strings.Cut(" "+strings.ReplaceAll(fields, ",v=", " v="), " v=")
	if !ok && fields != "" {
		return nil // there was no value yet
	}
	stamp := text[strings.LastIndexByte(text, ' ')+1:]
	ns, err := strconv.ParseInt(stamp, 10, 64)
	end := strings.IndexAny(rest, ", ")
	if !ok || err != nil || end < 0 {
		return fmt.Errorf("not understood: %q", text)
	}
	v, err := strconv.ParseFloat(rest[:end], 64)
	if err != nil {
		return fmt.Errorf("not understood: %q", text)
	}
	id := head[strings.LastIndex(head, "=")+1:]
	e.value(id, v, time.Unix(0, ns), now)
	return nil
}

// reset begins to count anew.
func (e *ear) reset() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.messages, e.values, e.latencies = 0, 0, e.latencies[:0]
	clear(e.seen)
}

func (e *ear) count() (messages, values int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.messages, e.values, e.failure
}

// quantile is of the latencies since the last reset, in milliseconds.
func (e *ear) quantile(q float64) float64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.latencies) == 0 {
		return 0
	}
	slices.Sort(e.latencies)
	return float64(e.latencies[min(len(e.latencies)-1, int(q*float64(len(e.latencies))))]) / 1e6
}
