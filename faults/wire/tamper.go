package wire

import "bytes"

// tamper lets the hook have its way with a chunk that starts at stream
// position from, and forwards what is left under its true positions.
func (l *lane) tamper(b []byte, from int64) {
	to := from + int64(len(b))
	was := bytes.Clone(b) // the hook may work in place
	out := l.c.w.opts.Tamper(l.c.n, l.dir == ToClient, b)
	if len(out) >= len(was) {
		l.forward(out, from, to)
		return
	}
	// One run of bytes is missing: what is before it is a common beginning,
	// what is after it stands at the end.
	head := common(was, out)
	if head > 0 {
		l.forward(out[:head], from, from+int64(head))
	}
	if tail := out[head:]; len(tail) > 0 {
		l.forward(tail, to-int64(len(tail)), to)
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
