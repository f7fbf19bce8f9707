package broker

import (
	"sync"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
)

// order numbers messages for a session that is away. When its client is back the
// library sends what waited sorted by the low 16 bits of each message's Created,
// a time in seconds; those of one second would come in any order, and MQTT
// promises that of the publisher. So the low bits count messages instead.
type order struct {
	mu   sync.Mutex
	next int64
}

const ordinals = 1 << 16

// created stands for the second in which a message came, off by at most 18 hours:
// the library compares it with maxAge only, which is years.
func (o *order) created(now time.Time, s *mqtt.Server) int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	// From zero again when nothing waits: so many messages as there are ordinals
	// are more than a session holds.
	if o.next >= ordinals/2 && !waiting(s) {
		o.next = 0
	}
	n := o.next % ordinals
	o.next++
	return now.Unix()&^(ordinals-1) | n
}

func waiting(s *mqtt.Server) bool {
	for _, cl := range s.Clients.GetAll() {
		if cl.State.Inflight.Len() > 0 {
			return true
		}
	}
	return false
}
