package wire

import (
	"slices"
	"time"
)

// knife is where a lane does what rules say. Bytes come from operate in the
// pieces that the splitter makes, and leave through send.
type knife struct {
	mine bool      // the frame at hand began under rules
	do   string    // what happens to it; "" is nothing
	hold time.Time // and until when
	// kept are bytes of it that do not go yet: the header until it is known
	// what it is, or all of it.
	kept stash
	// swapped is a frame that waits for the one behind it.
	swapped stash
	cut     bool
	passed  map[*liveRule]int64 // bytes since the rule was set
}

// stash is bytes with their positions in the stream.
type stash struct {
	b        []byte
	from, to int64
}

func (s *stash) add(b []byte, from int64) {
	if len(s.b) == 0 {
		s.from = from
	}
	s.b, s.to = append(s.b, b...), from+int64(len(b))
}

func (s *stash) take() stash {
	out := *s
	*s = stash{}
	return out
}

// frameMax is the largest frame that can be repeated or put out of order, in
// bytes; a larger one passes as it is.
const frameMax = 1 << 20

// operate takes a chunk of the stream apart where there are rules.
func (l *lane) operate(b []byte, from int64) {
	k, set := &l.knife, l.c.w.rules.Load()
	if k.cut {
		return
	}
	if (set == nil || !set.frames[l.dir]) && !k.busy() {
		k.mine = false
		l.skim(b)
		k.send(l, b, from, from+int64(len(b)), time.Time{})
		return
	}
	for len(b) > 0 && !k.cut {
		if l.frames.fresh() {
			k.mine, k.do, k.hold = true, "", time.Time{}
		}
		n, what := l.frames.take(b)
		k.piece(l, set, what, b[:n], from)
		b, from = b[n:], from+int64(n)
	}
}

// busy tells that bytes are kept back.
func (k *knife) busy() bool { return len(k.kept.b) > 0 || len(k.swapped.b) > 0 || k.do != "" }

func (k *knife) piece(l *lane, set *ruleSet, what step, b []byte, from int64) {
	if what == noFrame {
		k.letGo(l)
	}
	if what == noFrame || !k.mine {
		k.send(l, b, from, from+int64(len(b)), time.Time{})
		return
	}
	switch what {
	case inHead:
		k.kept.add(b, from)
		return
	case begins:
		k.kept.add(b, from)
		k.decide(l, set)
		b = nil
	}
	switch k.do {
	case Drop:
		k.kept.take()
	case Cut:
		k.kept.take()
		k.end(l)
		return
	case Repeat, Reorder, follow:
		if len(b) > 0 {
			k.kept.add(b, from)
		}
	default:
		if s := k.kept.take(); len(s.b) > 0 {
			k.send(l, s.b, s.from, s.to, k.hold)
		}
		if len(b) > 0 {
			k.send(l, b, from, from+int64(len(b)), k.hold)
		}
	}
	if l.frames.left == 0 {
		k.complete(l)
	}
}

// skim keeps count of the frames in bytes that no rule touches.
func (l *lane) skim(b []byte) {
	for len(b) > 0 && l.frames.known() {
		n, _ := l.frames.take(b)
		b = b[n:]
	}
}

// follow is what is done to the frame behind one that is to be reordered.
const follow = "follow"

// decide finds what happens to the frame whose header is kept.
func (k *knife) decide(l *lane, set *ruleSet) {
	if set != nil {
		if r, ok := set.choose(&l.frames); ok {
			k.do = r.Do
			if r.Do == Hold {
				k.hold = time.Now().Add(r.Hold + l.phase)
			}
		}
	}
	large := l.frames.whole > frameMax
	switch {
	case len(k.swapped.b) > 0 && k.do != Cut && k.do != Drop:
		k.do = follow
		if large {
			k.letGoSwapped(l)
			k.do = ""
		}
	case large && (k.do == Repeat || k.do == Reorder):
		k.do = ""
	}
}

// complete is called when the last byte of a frame has come.
func (k *knife) complete(l *lane) {
	do := k.do
	k.do = ""
	switch do {
	case Repeat:
		s := k.kept.take()
		k.send(l, s.b, s.from, s.to, time.Time{})
		k.send(l, s.b, s.to, s.to, time.Time{}) // stands for no bytes of the server's
	case Reorder:
		k.swapped = k.kept.take()
	case follow:
		s, first := k.kept.take(), k.swapped.take()
		k.send(l, slices.Concat(s.b, first.b), first.from, s.to, time.Time{})
	}
}

// letGo sends what is kept back, where no more comes that it waits for.
func (k *knife) letGo(l *lane) {
	k.letGoSwapped(l)
	if s := k.kept.take(); len(s.b) > 0 && !k.cut && !l.c.muted.Load() {
		k.send(l, s.b, s.from, s.to, time.Time{})
	}
	k.do = ""
}

func (k *knife) letGoSwapped(l *lane) {
	if s := k.swapped.take(); len(s.b) > 0 && !k.cut && !l.c.muted.Load() {
		k.send(l, s.b, s.from, s.to, time.Time{})
	}
}

// send passes bytes on, by way of the rules that go by bytes.
func (k *knife) send(l *lane, b []byte, from, to int64, until time.Time) {
	set := l.c.w.rules.Load()
	if set == nil {
		k.passed = nil
	}
	for set != nil && len(b) > 0 && !k.cut {
		r, n := k.next(l, set, len(b))
		if r == nil {
			break
		}
		k.count(l, set, n)
		k.forward(l, b[:n], from, min(from+int64(n), to), until)
		b, from = b[n:], min(from+int64(n), to)
		if r.Do == Cut {
			k.end(l)
			return
		}
		bad := []byte{b[0] ^ 1<<(mix(l.key+uint64(from))&7)}
		k.count(l, set, 1)
		k.forward(l, bad, from, from, until)
		b, from = b[1:], min(from+1, to)
	}
	if set != nil {
		k.count(l, set, len(b))
	}
	k.forward(l, b, from, to, until)
}

func (k *knife) forward(l *lane, b []byte, from, to int64, until time.Time) {
	if len(b) > 0 && !k.cut {
		l.forwardAt(b, from, to, until)
	}
}

// next is the rule that strikes first within n bytes, and before which of them.
func (k *knife) next(l *lane, set *ruleSet, n int) (*liveRule, int) {
	var first *liveRule
	at := int64(n)
	for _, r := range set.rules {
		if left := r.After - k.passed[r]; r.Frame == "" && r.Dir == l.dir && left >= 0 && left < at {
			first, at = r, left
		}
	}
	return first, int(at)
}

// count notes that n bytes have passed the rules that go by bytes.
func (k *knife) count(l *lane, set *ruleSet, n int) {
	for _, r := range set.rules {
		if r.Frame == "" && r.Dir == l.dir {
			if k.passed == nil {
				k.passed = map[*liveRule]int64{}
			}
			k.passed[r] += int64(n)
		}
	}
}

// end resets the connection behind all that has been sent.
func (k *knife) end(l *lane) {
	k.cut = true
	if l.busy.Load() || !l.c.w.shape.Load().dirs[l.dir].plain {
		l.enqueueEnd(false)
		return
	}
	l.c.reset()
}
