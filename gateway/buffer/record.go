package buffer

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// One record, about 20 bytes:
//
//	uvarint  index of the ID in the segment's dictionary
//	uvarint  Seq
//	uvarint  Quality
//	varint   whole seconds of SourceTime after the group's
//	uvarint  nanoseconds of SourceTime within its second
//	8 bytes  Value, IEEE 754, little endian
//
// Seconds and nanoseconds apart carry every time.Time, the zero one and those
// that a device with a broken clock sends included.
const minRecord = 13 // bytes

func appendRecord(dst []byte, idx int, s *signal.Sample, groupSec int64) []byte {
	dst = binary.AppendUvarint(dst, uint64(idx))
	dst = binary.AppendUvarint(dst, s.Seq)
	dst = binary.AppendUvarint(dst, uint64(s.Quality))
	dst = binary.AppendVarint(dst, s.SourceTime.Unix()-groupSec)
	dst = binary.AppendUvarint(dst, uint64(s.SourceTime.Nanosecond()))
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(s.Value))
}

// cursor reads fields from front to back; bad is set by what does not fit.
type cursor struct {
	p   []byte
	bad bool
}

func (c *cursor) uvarint() uint64 {
	if len(c.p) > 0 && c.p[0] < 0x80 { // by far the most
		v := uint64(c.p[0])
		c.p = c.p[1:]
		return v
	}
	v, n := binary.Uvarint(c.p)
	if n <= 0 {
		c.bad, c.p = true, nil
		return 0
	}
	c.p = c.p[n:]
	return v
}

func (c *cursor) varint() int64 {
	u := c.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (c *cursor) bytes(n uint64) []byte {
	if n > uint64(len(c.p)) {
		c.bad, c.p = true, nil
		return nil
	}
	b := c.p[:n]
	c.p = c.p[n:]
	return b
}

func (c *cursor) uint64() uint64 {
	b := c.bytes(8)
	if b == nil {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

func (c *cursor) record(ids []signal.ID, groupSec int64) (s signal.Sample) {
	idx := c.uvarint()
	s.Seq = c.uvarint()
	q := c.uvarint()
	sec, nsec := c.varint(), c.uvarint()
	s.Value = math.Float64frombits(c.uint64())
	if idx >= uint64(len(ids)) || ids[idx] == "" || q > math.MaxUint32 || nsec >= 1e9 {
		c.bad = true
	}
	if c.bad {
		return signal.Sample{}
	}
	s.ID, s.Quality = ids[idx], signal.Quality(q)
	s.SourceTime = time.Unix(groupSec+sec, int64(nsec)).UTC()
	return s
}

// skipRecord is record without a dictionary.
func (c *cursor) skipRecord() {
	for range 5 {
		c.uvarint()
	}
	c.uint64()
}
