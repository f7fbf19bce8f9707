package faults

import "github.com/plantbed/plantbed/internal/strict"

// checkLinkBytes is for link.cut and link.corrupt, which go by bytes.
func checkLinkBytes(c Config, ps *strict.Problems) {
	if c.After < 0 {
		ps.Addf("after", "%v is negative", c.After)
	}
	checkOneOf(ps, "way", "way", c.Way, ways)
}

// cutEffect: a client may find no connection that lasts, until the window's end.
func cutEffect(Config, string) Effect { return Effect{Cut: true} }
