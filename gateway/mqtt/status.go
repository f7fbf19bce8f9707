package mqtt

import (
	"bytes"
	"slices"
	"strings"
	"sync"
)

// statuses is what is to be said about the gateway, its sources and its tags,
// the latest of each.
type statuses struct {
	kick chan struct{} // capacity one: something changed

	mu      sync.Mutex
	byTopic []*said // sorted
}

// word is a retained message.
type word struct {
	topic string
	text  []byte
}

type said struct {
	word
	dirty bool
	// after is the newest record when the source went down. The status follows
	// it, or a sample that waits in the buffer would make the source look alive
	// again.
	after uint64
}

func (s *statuses) set(topic string, text []byte, after uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, found := slices.BinarySearchFunc(s.byTopic, topic, func(e *said, topic string) int { return strings.Compare(e.topic, topic) })
	if !found {
		s.byTopic = slices.Insert(s.byTopic, i, &said{})
	} else if bytes.Equal(s.byTopic[i].text, text) {
		return
	}
	*s.byTopic[i] = said{word: word{topic, text}, dirty: true, after: after}
	poke(s.kick)
}

// all makes every word due at once, as after a reconnect.
func (s *statuses) all() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.byTopic {
		e.dirty, e.after = true, 0
	}
}

// maxWait is for how many records a status waits; with more in the way it is
// better said early.
const maxWait = 2000

// due returns one word that is to be said now, and marks it as sent.
func (s *statuses) due(sent uint64) (word, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.byTopic {
		if e.dirty && (e.after <= sent || e.after > sent+maxWait) {
			e.dirty = false
			return e.word, true
		}
	}
	return word{}, false
}
