package faults

import "github.com/plantbed/plantbed/internal/strict"

func checkLinkSlice(c Config, ps *strict.Problems) {
	if c.Size < 0 {
		ps.Addf("size", "%v is negative", c.Size)
	}
	notNegative(ps, "gap", c.Gap)
	checkOneOf(ps, "way", "way", c.Way, ways)
}

// The smallest slices and the longest gaps decide.
func shapeSlice(c Config, _ string, s *Shape) {
	if s.Slice == 0 || int(c.Size) < s.Slice {
		s.Slice = int(c.Size)
	}
	s.Gap = max(s.Gap, c.Gap.D())
}
