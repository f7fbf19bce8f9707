package faults

import "github.com/plantbed/plantbed/internal/strict"

// checkLinkBytes is for link.cut and link.corrupt, which go by bytes.
func checkLinkBytes(c Config, ps *strict.Problems) {
	if c.After < 0 {
		ps.Addf("after", "%v is negative", c.After)
	}
	checkOneOf(ps, "way", "way", c.Way, ways)
}

// garbleEffect: nobody can tell a value with a wrong bit from another, unless
// the bytes are signed; and the connection may break over it.
func garbleEffect(Config, string) Effect { return Effect{Cut: true, Garbles: true} }
