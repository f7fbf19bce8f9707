package wire

import "bytes"

// tamper lets the hook have its way with a chunk that starts at stream
// position from, and forwards what is left under its true positions.
func (l *lane) tamper(b []byte, from int64) {
	to := from + int64(len(b))
	was := bytes.Clone(b) // the hook may work in place
	out := l.c.w.opts.Tamper(l.c.n, l.dir == ToClient, b)
	if len(out) > len(was) { // rules leave it alone: their positions would not be the stream's
		l.skim(out)
		l.forward(out, from, to)
		return
	}
	if len(out) == len(was) {
		l.onward(out, from)
		return
	}
	// One run of bytes is missing: what is before it is a common beginning,
	// what is after it stands at the end.
	head := common(was, out)
	if head > 0 {
		l.onward(out[:head], from)
	}
	if tail := out[head:]; len(tail) > 0 {
		l.onward(tail, to-int64(len(tail)))
	}
}

// common is the length of the longest common beginning.
func common(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
