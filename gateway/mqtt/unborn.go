package mqtt

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"

	"github.com/plantbed/plantbed/gateway/pipeline"
)

// Birth is what a Sparkplug node or device said when it was born.
type Birth struct {
	Topic string
	Text  []byte
}

// Births keeps the last birth on each topic over a restart. A broker that keeps
// a session sends what came meanwhile, and what that means was said before.
type Births interface {
	Kept() []Birth
	Keep(Birth)
}

// cradle is what a source knows of Sparkplug births, and what it does with
// messages whose birth it has not heard: they wait for it, unacknowledged. A
// broker has only so many on their way, mosquitto 20, and the birth may be
// behind them; so when none has come in time they are given up, told as gaps,
// and so is what comes of that node until its birth.
type cradle struct {
	births Births               // may be nil
	met    chan struct{}        // closed at the first connection
	once   sync.Once            // closes it
	resume bool                 // the broker had kept the session
	asked  map[string]time.Time // when nodes were asked for a birth

	mu       sync.Mutex
	waiting  []paho.PublishReceived
	patience *time.Timer     // nil while nothing waits
	hopeless map[string]bool // nodes that nobody waits for any more
}

func newCradle(births Births) cradle {
	return cradle{births: births, met: make(chan struct{}), asked: map[string]time.Time{}, hopeless: map[string]bool{}}
}

// maxUnborn bounds the messages that wait for a birth.
const maxUnborn = 1000

// askAgain is how long a node is given to be born before it is asked once more,
// and what waits for it is given up.
const askAgain = 5*time.Second + 171_713_317

// nodeOf names the edge node that a topic belongs to; empty if it is none of Sparkplug.
func nodeOf(topic string) string {
	p := strings.Split(topic, "/")
	if len(p) < 4 {
		return ""
	}
	return p[1] + "/" + p[3]
}

func isBirth(topic string) bool {
	p := strings.Split(topic, "/")
	return len(p) >= 4 && (p[2] == "NBIRTH" || p[2] == "DBIRTH")
}

// connected notes whether the broker has kept the session.
func (c *cradle) connected(a *paho.Connack) {
	c.once.Do(func() {
		c.resume = a.SessionPresent
		close(c.met)
	})
}

// recall has the reader hear again, before the first message, what was born
// before a restart; in a new session other births may have been missed since.
func (s *hearer) recall(ctx context.Context) {
	select {
	case <-s.cradle.met:
	case <-ctx.Done():
		return
	}
	if s.cradle.births == nil || !s.cradle.resume || s.recalled {
		s.recalled = true
		return
	}
	s.recalled = true
	kept := s.cradle.births.Kept()
	slices.SortFunc(kept, func(a, b Birth) int { // a node before its devices
		return cmp.Or(cmp.Compare(strings.Count(a.Topic, "/"), strings.Count(b.Topic, "/")), strings.Compare(a.Topic, b.Topic))
	})
	for _, b := range kept {
		s.readText(b.Topic, b.Text)
	}
}

// await has a message wait for its node's birth; false if it does so no longer.
func (s *hearer) await(ctx context.Context, m paho.PublishReceived) bool {
	c := &s.cradle
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hopeless[nodeOf(m.Packet.Topic)] || len(c.waiting) >= maxUnborn {
		return false
	}
	c.waiting = append(c.waiting, m)
	if c.patience == nil {
		c.patience = time.AfterFunc(askAgain, func() { s.giveUp(ctx) })
	}
	return true
}

// giveUp lets go of all that waits.
func (s *hearer) giveUp(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	c := &s.cradle
	c.mu.Lock()
	lost := c.waiting
	c.waiting, c.patience = nil, nil
	for _, m := range lost {
		c.hopeless[nodeOf(m.Packet.Topic)] = true
	}
	c.mu.Unlock()
	for _, m := range lost {
		s.gap(ctx, m)
	}
}

// gap tells of a message that nobody can read.
func (s *hearer) gap(ctx context.Context, m paho.PublishReceived) {
	s.log.Warn("mqtt: a message is lost: its birth did not come", "source", s.cfg.Name, "topic", m.Packet.Topic)
	s.sink(ctx, pipeline.Batch{Source: s.cfg.Name, Gaps: 1, Done: func(error) {}})
	m.Client.Ack(m.Packet)
}

// born keeps a birth and hands on what has waited for it.
func (s *hearer) born(ctx context.Context, birth paho.PublishReceived) {
	if s.cradle.births != nil {
		s.cradle.births.Keep(Birth{birth.Packet.Topic, birth.Packet.Payload})
	}
	for _, m := range s.cradle.release(nodeOf(birth.Packet.Topic)) {
		s.take(ctx, m)
	}
}

// release hands out all that waits, since a birth of its node has come.
func (c *cradle) release(node string) []paho.PublishReceived {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.hopeless, node)
	out := c.waiting
	c.waiting = nil
	if c.patience != nil {
		c.patience.Stop()
		c.patience = nil
	}
	return out
}

// askRebirth asks an edge node to say again what its aliases mean, once for all
// that waits for it.
func (s *hearer) askRebirth(ctx context.Context, cm *autopaho.ConnectionManager, topic string) {
	p := strings.Split(topic, "/")
	if node := nodeOf(topic); cm != nil && node != "" && time.Since(s.cradle.asked[node]) > askAgain {
		s.cradle.asked[node] = time.Now()
		go cm.Publish(ctx, rebirthCommand(p[1], p[3]))
	}
}
