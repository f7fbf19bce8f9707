package buffer

import (
	"encoding/binary"
	"hash/crc32"
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// A segment file is a row of blocks and nothing else:
//
//	3 bytes  magic
//	1 byte   kind
//	4 bytes  length of the body, little endian
//	4 bytes  CRC-32C over kind, length and body
//	body
//
// Kinds: a group of records that was synced as one; a piece of the segment's
// ID dictionary, written twice in a row so that no single damage takes it; an
// acknowledgement, which says up to which number everything is delivered; the
// last sample of each tag before the segment (latest.go). Every block says all
// that it needs but for the dictionary, so the blocks behind a damaged one are
// found again by their magic and checksum.
const (
	kindGroup  = 'g'
	kindIDs    = 'd'
	kindAck    = 'a'
	kindLatest = 'l'

	blockHead = 12      // bytes
	maxBody   = 1 << 30 // bytes
	maxIDs    = 1 << 24
)

var (
	magic      = [3]byte{0xB7, 'p', 'b'}
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// beginBlock reserves the head; endBlock fills it in for all that follows.
func beginBlock(dst []byte, kind byte) ([]byte, int) {
	at := len(dst)
	dst = append(dst, magic[:]...)
	return append(dst, kind, 0, 0, 0, 0, 0, 0, 0, 0), at
}

func endBlock(dst []byte, at int) []byte {
	body := dst[at+blockHead:]
	binary.LittleEndian.PutUint32(dst[at+4:], uint32(len(body)))
	binary.LittleEndian.PutUint32(dst[at+8:], checksum(dst[at+3:at+8], body))
	return dst
}

func checksum(head, body []byte) uint32 {
	return crc32.Update(crc32.Update(0, castagnoli, head), castagnoli, body)
}

// blockAt returns the sound block that begins at off.
func blockAt(p []byte, off int) (kind byte, body []byte, ok bool) {
	if len(p)-off < blockHead || [3]byte(p[off:off+3]) != magic {
		return 0, nil, false
	}
	n := int64(binary.LittleEndian.Uint32(p[off+4:]))
	if n > maxBody || n > int64(len(p)-off-blockHead) {
		return 0, nil, false
	}
	body = p[off+blockHead : off+blockHead+int(n)]
	if checksum(p[off+3:off+8], body) != binary.LittleEndian.Uint32(p[off+8:]) {
		return 0, nil, false
	}
	return p[off+3], body, true
}

// nextBlock returns the first sound block at off or behind, and where it
// begins; without one, start is the end of p.
func nextBlock(p []byte, off int) (start int, kind byte, body []byte) {
	for ; off < len(p); off++ {
		if p[off] != magic[0] {
			continue
		}
		if kind, body, ok := blockAt(p, off); ok {
			return off, kind, body
		}
	}
	return len(p), 0, nil
}

// A group's body: stream, first number, time of the first append by the buffer's clock (ns), count,
// records.
func appendGroupHead(dst []byte, stream, first uint64, at time.Time, count int) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, stream)
	dst = binary.LittleEndian.AppendUint64(dst, first)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(at.UnixNano()))
	return binary.AppendUvarint(dst, uint64(count))
}

type groupHead struct {
	stream, first, count uint64
	at                   time.Time
}

func (g groupHead) next() uint64 { return g.first + g.count }

func (c *cursor) groupHead() groupHead {
	g := groupHead{stream: c.uint64(), first: c.uint64(), at: time.Unix(0, int64(c.uint64())), count: c.uvarint()}
	if g.count > uint64(len(c.p))/minRecord {
		c.bad = true
	}
	return g
}

// A dictionary's body: index of the first ID, count, and each ID's length and text.
func appendIDs(dst []byte, base int, ids []signal.ID) []byte {
	dst = binary.AppendUvarint(dst, uint64(base))
	dst = binary.AppendUvarint(dst, uint64(len(ids)))
	for _, id := range ids {
		dst = binary.AppendUvarint(dst, uint64(len(id)))
		dst = append(dst, id...)
	}
	return dst
}

// readIDs puts the IDs of a dictionary block in their places.
func (c *cursor) readIDs(ids []signal.ID) []signal.ID {
	base, n := c.uvarint(), c.uvarint()
	if base > maxIDs || n > uint64(len(c.p)) {
		return ids
	}
	for i := base; i < base+n && !c.bad; i++ {
		text := c.bytes(c.uvarint())
		for uint64(len(ids)) <= i {
			ids = append(ids, "")
		}
		if ids[i] == "" {
			ids[i] = signal.ID(text)
		}
	}
	return ids
}

// An acknowledgement's body: stream, number.
func appendAck(dst []byte, stream, acked uint64) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, stream)
	return binary.LittleEndian.AppendUint64(dst, acked)
}
