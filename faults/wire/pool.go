package wire

import "sync"

// chunkMax is the most that is read in one go, in bytes.
const chunkMax = 64 << 10

// pool lends buffers in three sizes, so that a small chunk that waits in a
// queue does not hold a big one.
type pool struct{ small, medium, large sync.Pool }

const (
	smallSize  = 1 << 10
	mediumSize = 8 << 10
)

// get returns a buffer of at least n bytes, n up to chunkMax; a larger one is
// made for the occasion.
func (p *pool) get(n int) []byte {
	switch {
	case n <= smallSize:
		if b, ok := p.small.Get().(*[smallSize]byte); ok {
			return b[:]
		}
		return make([]byte, smallSize)
	case n <= mediumSize:
		if b, ok := p.medium.Get().(*[mediumSize]byte); ok {
			return b[:]
		}
		return make([]byte, mediumSize)
	case n <= chunkMax:
		if b, ok := p.large.Get().(*[chunkMax]byte); ok {
			return b[:]
		}
		return make([]byte, chunkMax)
	}
	return make([]byte, n)
}

func (p *pool) put(b []byte) {
	switch len(b) {
	case smallSize:
		p.small.Put((*[smallSize]byte)(b))
	case mediumSize:
		p.medium.Put((*[mediumSize]byte)(b))
	case chunkMax:
		p.large.Put((*[chunkMax]byte)(b))
	}
}
