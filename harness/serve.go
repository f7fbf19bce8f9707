package harness

import (
	"sync/atomic"
	"time"
)

// serving is a plant that stays up for whoever comes.
type serving struct {
	host string // where links listen whose PLC has no address of its own
	plcs []served
}

// served counts what a PLC did.
type served struct{ scans, bytes atomic.Int64 }

func (s *serving) delivered(i int) func(conn int, from, to int64, at time.Time) {
	return func(_ int, from, to int64, _ time.Time) { s.plcs[i].bytes.Add(to - from) }
}
