package mqtt

import (
	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/sim/signal"
)

// rekey gives the samples that came out of publish stages the dedup keys of
// those that went in, in as many messages as it takes: within a message keys
// are consecutive. A sample with no like in the input goes without a key.
func rekey(in, out []signal.Sample, b payload.Batch) []payload.Batch {
	var messages []payload.Batch
	from := 0
	for i, s := range out {
		at := find(in, s, from)
		if at < 0 && len(in) == len(out) {
			at = i // changed in place
		}
		if at >= 0 {
			from = at + 1
		}
		if n := len(messages); n > 0 && continues(messages[n-1], b, at) {
			messages[n-1].Samples = append(messages[n-1].Samples, s)
			continue
		}
		m := b
		m.Samples = []signal.Sample{s}
		if m.First += uint64(max(at, 0)); at < 0 {
			m.Stream, m.First = "", 0
		}
		messages = append(messages, m)
	}
	return messages
}

func continues(m, b payload.Batch, at int) bool {
	if at < 0 {
		return m.Stream == ""
	}
	return m.Stream != "" && m.First+uint64(len(m.Samples)) == b.First+uint64(at)
}

// find looks from a position on, and then from the front.
func find(in []signal.Sample, s signal.Sample, from int) int {
	for k := range in {
		i := (from + k) % len(in)
		if in[i].ID == s.ID && in[i].Seq == s.Seq && in[i].SourceTime.Equal(s.SourceTime) {
			return i
		}
	}
	return -1
}
