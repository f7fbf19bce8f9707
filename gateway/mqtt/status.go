package mqtt

import (
	"slices"
	"sync"

	"github.com/plantbed/plantbed/internal/payload"
)

// statuses is what is to be said about the gateway and its sources, the latest
// of each.
type statuses struct {
	kick chan struct{} // capacity one: something changed

	mu     sync.Mutex
	byName []*sourceStatus // sorted; "" is the gateway itself
}

type sourceStatus struct {
	payload.Status
	dirty bool
	// after is the newest record when the source went down. The status follows
	// it, or a sample that waits in the buffer would make the source look alive
	// again.
	after uint64
}

func (s *statuses) set(st payload.Status, after uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, found := slices.BinarySearchFunc(s.byName, st.Source, func(e *sourceStatus, name string) int {
		switch {
		case e.Source < name:
			return -1
		case e.Source > name:
			return 1
		}
		return 0
	})
	if !found {
		s.byName = slices.Insert(s.byName, i, &sourceStatus{})
	} else if s.byName[i].Status == st {
		return
	}
	*s.byName[i] = sourceStatus{Status: st, dirty: true, after: after}
	poke(s.kick)
}

// all makes every status due at once, as after a reconnect.
func (s *statuses) all() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.byName {
		e.dirty, e.after = true, 0
	}
}

// maxWait is for how many records a status waits; with more in the way it is
// better said early.
const maxWait = 2000

// due returns one status that is to be sent now, and marks it as sent.
func (s *statuses) due(sent uint64) (payload.Status, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.byName {
		if e.dirty && (e.after <= sent || e.after > sent+maxWait) {
			e.dirty = false
			return e.Status, true
		}
	}
	return payload.Status{}, false
}
