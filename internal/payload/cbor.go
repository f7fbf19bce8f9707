package payload

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"github.com/plantbed/plantbed/sim/signal"
)

// A batch in CBOR is a map with small numbers for keys, and a sample an array:
//
//	{1: gw, 2: stream, 3: first, 4: backfill, 5: [[id, seq, seconds, nanoseconds, value, quality], ...]}
type cborBatch struct {
	Gateway  string       `cbor:"1,keyasint"`
	Stream   string       `cbor:"2,keyasint,omitempty"`
	First    uint64       `cbor:"3,keyasint,omitempty"`
	Backfill bool         `cbor:"4,keyasint,omitempty"`
	Samples  []cborSample `cbor:"5,keyasint"`
}

type cborSample struct {
	_       struct{} `cbor:",toarray"`
	ID      string
	Seq     uint64
	Seconds int64
	Nanos   uint32
	Value   float64
	Quality uint32
}

// cborIn is strict about what it meets: no key twice, and text that is UTF-8.
var cborIn, _ = cbor.DecOptions{DupMapKey: cbor.DupMapKeyEnforcedAPF, MaxArrayElements: 1 << 20, MaxNestedLevels: 8}.DecMode()

func appendCBOR(dst []byte, b Batch) []byte {
	out := cborBatch{Gateway: valid(b.Gateway), Stream: valid(b.Stream), Backfill: b.Backfill, Samples: make([]cborSample, len(b.Samples))}
	if b.Stream != "" {
		out.First = b.First
	}
	for i := range b.Samples {
		s := fit(b.Samples[i])
		out.Samples[i] = cborSample{ID: valid(string(s.ID)), Seq: s.Seq, Seconds: s.SourceTime.Unix(), Nanos: uint32(s.SourceTime.Nanosecond()), Value: s.Value, Quality: uint32(s.Quality)}
	}
	text, _ := cbor.Marshal(out) // numbers, texts and arrays of them always marshal
	return append(dst, text...)
}

func (d *Decoder) cbor(p []byte) (Batch, error) {
	var in cborBatch
	if err := cborIn.Unmarshal(p, &in); err != nil {
		return Batch{}, err
	}
	if in.Samples == nil {
		return Batch{}, fmt.Errorf("no samples: %w", errNoBatch)
	}
	b := Batch{Gateway: in.Gateway, Stream: in.Stream, First: in.First, Backfill: in.Backfill, Samples: make([]signal.Sample, len(in.Samples))}
	for i, s := range in.Samples {
		var err error
		if b.Samples[i], err = checked(signal.Sample{ID: d.known([]byte(s.ID)), Seq: s.Seq, Value: s.Value, Quality: signal.Quality(s.Quality)}, s.Seconds, uint64(s.Nanos)); err != nil {
			return Batch{}, fmt.Errorf("samples[%d]: %w", i, err)
		}
	}
	return b, nil
}
