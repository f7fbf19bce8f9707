package payload

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/plantbed/plantbed/sim/signal"
)

// firstProto is the first byte of a batch in Protocol Buffers: field 1, which is
// always written, as bytes.
const firstProto = 1<<3 | byte(protowire.BytesType)

// appendProtobuf writes what batch.proto says.
func appendProtobuf(dst []byte, b Batch) []byte {
	dst = protowire.AppendString(protowire.AppendTag(dst, 1, protowire.BytesType), valid(b.Gateway))
	if b.Stream != "" {
		dst = protowire.AppendString(protowire.AppendTag(dst, 2, protowire.BytesType), valid(b.Stream))
		dst = protowire.AppendVarint(protowire.AppendTag(dst, 3, protowire.VarintType), b.First)
	}
	if b.Backfill {
		dst = protowire.AppendVarint(protowire.AppendTag(dst, 4, protowire.VarintType), 1)
	}
	var one [1 << 10]byte
	for i := range b.Samples {
		dst = protowire.AppendBytes(protowire.AppendTag(dst, 5, protowire.BytesType), protoSample(one[:0], fit(b.Samples[i])))
	}
	return dst
}

func protoSample(m []byte, s signal.Sample) []byte {
	number := func(field protowire.Number, v uint64) {
		if v != 0 { // the default is left out
			m = protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), v)
		}
	}
	m = protowire.AppendString(protowire.AppendTag(m, 1, protowire.BytesType), valid(string(s.ID)))
	number(2, s.Seq)
	number(3, protowire.EncodeZigZag(s.SourceTime.Unix()))
	number(4, uint64(s.SourceTime.Nanosecond()))
	if bits := math.Float64bits(s.Value); bits != 0 {
		m = protowire.AppendFixed64(protowire.AppendTag(m, 5, protowire.Fixed64Type), bits)
	}
	number(6, uint64(s.Quality))
	return m
}

func (d *Decoder) protobuf(p []byte) (b Batch, err error) {
	b.Samples = []signal.Sample{}
	err = protoFields(p, func(field protowire.Number, v uint64, text []byte) error {
		switch field {
		case 1:
			b.Gateway = string(text)
		case 2:
			b.Stream = string(text)
		case 3:
			b.First = v
		case 4:
			b.Backfill = v != 0
		case 5:
			s, err := d.protoSample(text)
			if err != nil {
				return fmt.Errorf("samples[%d]: %w", len(b.Samples), err)
			}
			b.Samples = append(b.Samples, s)
		}
		return nil
	})
	return b, err
}

func (d *Decoder) protoSample(p []byte) (signal.Sample, error) {
	var s signal.Sample
	var sec int64
	var nsec uint64
	err := protoFields(p, func(field protowire.Number, v uint64, text []byte) error {
		switch field {
		case 1:
			s.ID = d.known(text)
		case 2:
			s.Seq = v
		case 3:
			sec = protowire.DecodeZigZag(v)
		case 4:
			nsec = v
		case 5:
			s.Value = math.Float64frombits(v)
		case 6:
			if v > math.MaxUint32 {
				return fmt.Errorf("quality %d is no 32-bit number", v)
			}
			s.Quality = signal.Quality(v)
		}
		return nil
	})
	if err != nil {
		return s, err
	}
	return checked(s, sec, nsec)
}

// protoFields calls each for every field: v for a number, text for bytes. It
// passes over fields that it does not know.
func protoFields(p []byte, each func(field protowire.Number, v uint64, text []byte) error) error {
	for len(p) > 0 {
		field, kind, n := protowire.ConsumeTag(p)
		if n < 0 {
			return protowire.ParseError(n)
		}
		p = p[n:]
		var v uint64
		var text []byte
		switch kind {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(p)
		case protowire.Fixed64Type:
			v, n = protowire.ConsumeFixed64(p)
		case protowire.BytesType:
			text, n = protowire.ConsumeBytes(p)
		default:
			if n = protowire.ConsumeFieldValue(field, kind, p); n >= 0 {
				p, field = p[n:], 0
				continue
			}
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		p = p[n:]
		if err := each(field, v, text); err != nil {
			return fmt.Errorf("field %d: %w", field, err)
		}
	}
	return nil
}
