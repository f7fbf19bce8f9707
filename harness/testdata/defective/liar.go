package main

import (
	"bytes"
	"encoding/binary"
	"sync"

	"github.com/plantbed/plantbed/faults/wire"
	"github.com/plantbed/plantbed/harness"
)

// liar makes a bad client of the broker of a good one: what it says is changed
// where it leaves the gateway, byte for byte as a bad one would say it. One
// packet at the beginning of a chunk is looked at, which is how the gateway
// writes them.
type liar struct {
	// connect changes a CONNECT, with the will in it, subscribe a SUBSCRIBE, birth
	// an edge node's NBIRTH, in place.
	connect, subscribe, birth func(packet []byte)
	// swallow keeps every so many-th NDATA from the broker and confirms it: the
	// node gave it a number, and then dropped it.
	swallow int

	mu   sync.Mutex
	data int
	owed map[int][]byte // PUBACKs by connection
}

// lie makes the named liar; false where there is none of that name.
func lie(name string) (harness.Tweak, bool) {
	l := &liar{owed: map[int][]byte{}}
	switch name {
	case "will-of-no-birth":
		l.connect = func(p []byte) { setBdSeq(p, func(v byte) byte { return v + 1 }) }
	case "one-will-for-all":
		l.connect = func(p []byte) { setBdSeq(p, func(byte) byte { return 0 }) }
	case "will-without-bdseq":
		l.connect = func(p []byte) { copy(p[max(0, bytes.Index(p, []byte("bdSeq"))):], "nobdS") }
	case "born-at-seven":
		l.birth = func(p []byte) { p[len(p)-1] = 7 } // the sequence number is the payload's end
	case "hears-no-wish-of-before": // asks the broker for no message that is retained
		l.subscribe = func(p []byte) { p[len(p)-1] |= 2 << 4 }
	case "hole-in-the-numbers":
		l.swallow = 25
	default:
		return harness.Tweak{}, false
	}
	return harness.Tweak{Wire: func(target string, o *wire.Options) {
		if target == "broker" {
			o.Tamper = l.tamper
		}
	}}, true
}

// bdSeq as a metric begins: its name, its type (a long), and the key of its value.
var bdSeq = []byte("\x0a\x05bdSeq\x20\x04\x58")

func setBdSeq(p []byte, to func(byte) byte) {
	if i := bytes.Index(p, bdSeq); i >= 0 {
		p[i+len(bdSeq)] = to(p[i+len(bdSeq)])
	}
}

// MQTT's first bytes, of what is at QoS 1.
const (
	connect   = 0x10
	publish   = 0x32
	puback    = 0x40
	subscribe = 0x82
)

func (l *liar) tamper(conn int, toClient bool, chunk []byte) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	if toClient {
		owed := l.owed[conn]
		delete(l.owed, conn)
		return append(bytes.Clone(chunk), owed...)
	}
	size, head := binary.Uvarint(chunk[1:]) // MQTT's lengths are varints as everybody's
	end := 1 + head + int(size)
	if head <= 0 || end > len(chunk) {
		return chunk
	}
	p := chunk[:end]
	switch {
	case p[0] == connect && l.connect != nil:
		l.connect(p)
	case p[0] == subscribe && l.subscribe != nil:
		l.subscribe(p)
	case p[0] == publish && l.birth != nil && bytes.Contains(p, []byte("/NBIRTH/")):
		l.birth(p)
	case p[0] == publish && l.swallow > 0 && bytes.Contains(p, []byte("/NDATA/")):
		if l.data++; l.data%l.swallow == 0 {
			id := 1 + head + 2 + int(binary.BigEndian.Uint16(p[1+head:]))
			l.owed[conn] = append(l.owed[conn], puback, 2, p[id], p[id+1])
			return chunk[end:]
		}
	}
	return chunk
}
