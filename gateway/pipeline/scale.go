package pipeline

import "github.com/plantbed/plantbed/sim/signal"

// Linear turns a raw value into engineering units: value*Factor + Offset.
type Linear struct{ Factor, Offset float64 }

// Scale applies a Linear to the tags that have one.
type Scale struct{ by map[signal.ID]Linear }

// NewScale keeps by; tags with factor 1 and offset 0 need no entry.
func NewScale(by map[signal.ID]Linear) *Scale { return &Scale{by: by} }

// Name is "scale".
func (*Scale) Name() string { return "scale" }

// Process is Stage.Process.
func (s *Scale) Process(in []signal.Sample) []signal.Sample {
	if len(s.by) == 0 {
		return in
	}
	for i := range in {
		if l, ok := s.by[in[i].ID]; ok {
			in[i].Value = in[i].Value*l.Factor + l.Offset
		}
	}
	return in
}
