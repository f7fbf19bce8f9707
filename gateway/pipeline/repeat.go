package pipeline

import (
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// Repeat drops a sample whose source time and sequence are those of its tag's
// last one. A server sends the current value again to every new subscription,
// so each reconnect would otherwise store one sample per tag twice.
type Repeat struct{ last map[signal.ID]*instant }

type instant struct {
	at  time.Time
	seq uint64
}

// NewRepeat has seen the samples in seen, such as those that a buffer remembers
// from before a restart.
func NewRepeat(seen ...signal.Sample) *Repeat {
	r := &Repeat{last: make(map[signal.ID]*instant, len(seen))}
	for _, s := range seen {
		r.last[s.ID] = &instant{s.SourceTime, s.Seq}
	}
	return r
}

// Name is "repeat".
func (*Repeat) Name() string { return "repeat" }

// Process is Stage.Process.
func (r *Repeat) Process(in []signal.Sample) []signal.Sample {
	out := in[:0]
	for _, s := range in {
		l, ok := r.last[s.ID]
		if !ok {
			l = &instant{}
			r.last[s.ID] = l
		} else if l.seq == s.Seq && l.at.Equal(s.SourceTime) {
			continue
		}
		l.at, l.seq = s.SourceTime, s.Seq
		out = append(out, s)
	}
	return out
}
