package payload

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
	"unicode/utf8"

	kgzip "github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/plantbed/plantbed/sim/signal"
)

// Encodings and compressions of a batch. All carry the same; a decoder tells
// them apart by the first byte.
const (
	JSON     = "json"
	CBOR     = "cbor"
	Protobuf = "protobuf"

	None = "none"
	Zstd = "zstd"
	Gzip = "gzip"
)

// Encodings and Compressions are the names that NewCodec takes.
var (
	Encodings    = []string{JSON, CBOR, Protobuf}
	Compressions = []string{None, Zstd, Gzip}
)

// maxPlain bounds what a short payload can unfold to, in bytes.
const maxPlain = 64 << 20

// Codec writes batches in one encoding and compression; for one goroutine.
type Codec struct {
	append      func(dst []byte, b Batch) []byte
	compress    func(dst, plain []byte) []byte // nil for none
	contentType string
	plain       []byte
}

// NewCodec takes names out of Encodings and Compressions.
func NewCodec(encoding, compression string) (*Codec, error) {
	c := &Codec{}
	switch encoding {
	case JSON:
		c.append, c.contentType = Append, "application/json"
	case CBOR:
		c.append, c.contentType = appendCBOR, "application/cbor"
	case Protobuf:
		c.append, c.contentType = appendProtobuf, "application/x-protobuf"
	default:
		return nil, fmt.Errorf("%q is no encoding of a batch", encoding)
	}
	switch compression {
	case None:
		return c, nil
	case Zstd:
		w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(256<<10))
		if err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
		c.compress = func(dst, plain []byte) []byte { return w.EncodeAll(plain, dst) }
	case Gzip:
		w, _ := kgzip.NewWriterLevel(nil, kgzip.BestSpeed)
		c.compress = func(dst, plain []byte) []byte {
			buf := bytes.NewBuffer(dst)
			w.Reset(buf)
			w.Write(plain) // a buffer refuses nothing
			w.Close()
			return buf.Bytes()
		}
	default:
		return nil, fmt.Errorf("%q is no compression of a batch", compression)
	}
	c.contentType += "+" + compression
	return c, nil
}

// ContentType is for the message that carries the batch, such as
// "application/cbor+zstd".
func (c *Codec) ContentType() string { return c.contentType }

// Append writes b behind dst and returns the longer slice.
func (c *Codec) Append(dst []byte, b Batch) []byte {
	if c.compress == nil {
		return c.append(dst, b)
	}
	c.plain = c.append(c.plain[:0], b)
	return c.compress(dst, c.plain)
}

// unpack takes the compression off, if there is one.
func (d *Decoder) unpack(p []byte) ([]byte, error) {
	switch {
	case len(p) > 3 && p[0] == 0x28 && p[1] == 0xB5 && p[2] == 0x2F && p[3] == 0xFD:
		if d.zstd == nil {
			var err error
			if d.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPlain), zstd.WithDecoderLowmem(true)); err != nil {
				return nil, fmt.Errorf("zstd: %w", err)
			}
		}
		var err error
		if d.plain, err = d.zstd.DecodeAll(p, d.plain[:0]); err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
		return d.plain, nil
	case len(p) > 1 && p[0] == 0x1F && p[1] == 0x8B:
		r, err := gzip.NewReader(bytes.NewReader(p))
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		buf := bytes.NewBuffer(d.plain[:0])
		_, err = io.Copy(buf, io.LimitReader(r, maxPlain+1))
		if d.plain = buf.Bytes(); err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		if len(d.plain) > maxPlain {
			return nil, fmt.Errorf("gzip: it unfolds to more than %d bytes", maxPlain)
		}
		return d.plain, nil
	}
	return p, nil
}

// fit is a sample as every encoding carries it: what JSON has no number for is
// NaN under a bad quality, and a clock out of its mind is at an end of time.
func fit(s signal.Sample) signal.Sample {
	if math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
		s.Value = math.NaN()
		if !s.Quality.IsBad() {
			s.Quality = signal.BadOutOfRange
		}
	}
	s.SourceTime = within(s.SourceTime)
	return s
}

// within keeps an instant within the years 0 to 9999.
func within(t time.Time) time.Time {
	t = t.UTC()
	switch y := t.Year(); {
	case y > 9999:
		return time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)
	case y < 0:
		return time.Time{}
	}
	return t
}

var (
	errNoID    = errors.New("a sample without an id")
	errNotBad  = errors.New("a value that is no number under a quality that is not bad")
	errNoTime  = errors.New("a time out of the years 0 to 9999")
	errNoBatch = errors.New("not a batch")
)

// checked is what a binary decoder found, held to what JSON's is held to.
func checked(s signal.Sample, sec int64, nsec uint64) (signal.Sample, error) {
	switch {
	case s.ID == "":
		return s, errNoID
	case s.Value-s.Value != 0 && !s.Quality.IsBad():
		return s, fmt.Errorf("%s: %w", s.ID, errNotBad)
	case nsec >= 1e9 || sec < -62167219200 || sec > 253402300799:
		return s, fmt.Errorf("%s: %w", s.ID, errNoTime)
	}
	if s.Value-s.Value != 0 {
		s.Value = math.NaN()
	}
	s.SourceTime = time.Unix(sec, int64(nsec)).UTC()
	return s, nil
}

// valid is text as JSON writes it: bytes that are no UTF-8 become U+FFFD.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}
