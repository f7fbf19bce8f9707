//go:build !faketime

package virtual

// Clock says that this binary runs under Go's fake clock.
const Clock = false
