package buffer

import (
	"encoding/binary"
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// instant identifies a tag's sample.
type instant struct {
	seq uint64
	at  time.Time
}

// Every segment begins with a preamble: the dictionary of all tags, and of each
// the last sample before the segment. So the newest segment alone tells, after
// a restart, which samples a source has handed over before, whatever became of
// them since.

// preamble encodes the dictionary, twice, so that no single damage takes it,
// and the latest.
func (l *segmentLog) preamble(dst []byte) []byte {
	if len(l.names) == 0 {
		return dst
	}
	at := 0
	for range 2 {
		dst, at = beginBlock(dst, kindIDs)
		dst = endBlock(appendIDs(dst, 0, l.names), at)
	}
	dst, at = beginBlock(dst, kindLatest)
	return endBlock(appendLatest(dst, l.latest), at)
}

// A latest block's body: count, and by index of the dictionary Seq, seconds and
// nanoseconds of SourceTime.
func appendLatest(dst []byte, latest []instant) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(latest)))
	for _, x := range latest {
		dst = binary.AppendUvarint(dst, x.seq)
		dst = binary.AppendVarint(dst, x.at.Unix())
		dst = binary.AppendUvarint(dst, uint64(x.at.Nanosecond()))
	}
	return dst
}

func (c *cursor) readLatest() (out []instant) {
	n := c.uvarint()
	for i := uint64(0); i < n && !c.bad; i++ {
		seq, sec, nsec := c.uvarint(), c.varint(), c.uvarint()
		if c.bad || nsec >= 1e9 {
			return nil
		}
		out = append(out, instant{seq, time.Unix(sec, int64(nsec)).UTC()})
	}
	return out
}

// loadLatest takes the tags and their last samples out of the newest segment.
func (l *segmentLog) loadLatest() error {
	if len(l.segs) == 0 {
		return nil
	}
	image, err := l.fs.ReadFile(l.segs[len(l.segs)-1].name)
	if err != nil {
		return err
	}
	var ids []signal.ID
	known := map[signal.ID]instant{}
	for off := 0; ; {
		start, kind, body := nextBlock(image, off)
		if kind == 0 {
			break
		}
		off = start + blockHead + len(body)
		c := cursor{p: body}
		switch kind {
		case kindIDs:
			ids = c.readIDs(ids)
		case kindLatest:
			for i, x := range c.readLatest() {
				if i < len(ids) {
					known[ids[i]] = x
				}
			}
		case kindGroup:
			g := c.groupHead()
			for range g.count {
				if s := c.record(ids, g.at.Unix()); !c.bad {
					known[s.ID] = instant{s.Seq, s.SourceTime}
				}
			}
		}
	}
	for _, id := range ids {
		if x, ok := known[id]; ok && id != "" {
			l.index(id)
			l.latest[len(l.latest)-1] = x
			l.recovered = append(l.recovered, signal.Sample{ID: id, Seq: x.seq, SourceTime: x.at})
		}
	}
	return nil
}

// index gives a new tag its place in the dictionary.
func (l *segmentLog) index(id signal.ID) int {
	i := len(l.names)
	l.dict[id] = i
	l.names = append(l.names, id)
	l.latest = append(l.latest, instant{})
	return i
}

// Latest is what the disk knew of each tag when it was opened.
func (l *segmentLog) Latest() []signal.Sample { return l.recovered }
