package payload

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// codecs are all of them.
func codecs(tb testing.TB) (out []*Codec) {
	for _, e := range Encodings {
		for _, c := range Compressions {
			codec, err := NewCodec(e, c)
			if err != nil {
				tb.Fatal(err)
			}
			out = append(out, codec)
		}
	}
	return out
}

// TestEveryEncodingCarriesTheSame holds each encoding and compression against
// the batch as JSON carries it.
func TestEveryEncodingCarriesTheSame(t *testing.T) {
	all := codecs(t)
	var d Decoder
	for seed := range uint64(2000) {
		b := randomBatch(rand.New(rand.NewPCG(seed, 5)))
		want, err := Decode(Append(nil, b))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			p := c.Append([]byte("before"), b)
			got, err := d.Decode(bytes.TrimPrefix(p, []byte("before")))
			if err != nil || !same(got, want) {
				t.Fatalf("seed %d, %s: %v\n%x\n got %+v\nwant %+v", seed, c.ContentType(), err, p, got, want)
			}
		}
	}
}

func TestInvalidTextIsTheSameEverywhere(t *testing.T) {
	b := Batch{Gateway: "g\xff\xfe", Stream: "s\xc3", Samples: nil}
	b.Samples = append(b.Samples, sample("a\xff\xffb", 1))
	want, err := Decode(Append(nil, b))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range codecs(t) {
		if got, err := Decode(c.Append(nil, b)); err != nil || !same(got, want) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", c.ContentType(), err, got, want)
		}
	}
}

// TestSizes: what each is for.
func TestSizes(t *testing.T) {
	b := benchBatch()
	last := math.MaxInt
	for _, c := range []struct{ encoding, compression string }{{JSON, None}, {CBOR, None}, {JSON, Zstd}, {Protobuf, Zstd}} {
		codec, err := NewCodec(c.encoding, c.compression)
		if err != nil {
			t.Fatal(err)
		}
		n := len(codec.Append(nil, b))
		t.Logf("%-30s %.1f bytes a sample", codec.ContentType(), float64(n)/float64(len(b.Samples)))
		if n >= last {
			t.Errorf("%s is no smaller than the one before", codec.ContentType())
		}
		last = n
	}
}

// TestProtobufAfterItsSchema has the reference library decode after a
// descriptor of batch.proto.
func TestProtobufAfterItsSchema(t *testing.T) {
	field := func(name string, n int32, kind descriptorpb.FieldDescriptorProto_Type) *descriptorpb.FieldDescriptorProto {
		return &descriptorpb.FieldDescriptorProto{Name: &name, Number: &n, Type: &kind, Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()}
	}
	const (
		str, u64, b1, f64 = descriptorpb.FieldDescriptorProto_TYPE_STRING, descriptorpb.FieldDescriptorProto_TYPE_UINT64, descriptorpb.FieldDescriptorProto_TYPE_BOOL, descriptorpb.FieldDescriptorProto_TYPE_DOUBLE
		u32, s64          = descriptorpb.FieldDescriptorProto_TYPE_UINT32, descriptorpb.FieldDescriptorProto_TYPE_SINT64
	)
	samples := field("samples", 5, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE)
	samples.TypeName, samples.Label = proto.String(".plantbed.Sample"), descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{Name: proto.String("batch.proto"), Package: proto.String("plantbed"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{
			{Name: proto.String("Batch"), Field: []*descriptorpb.FieldDescriptorProto{field("gw", 1, str), field("stream", 2, str), field("first", 3, u64), field("backfill", 4, b1), samples}},
			{Name: proto.String("Sample"), Field: []*descriptorpb.FieldDescriptorProto{field("id", 1, str), field("seq", 2, u64), field("seconds", 3, s64), field("nanos", 4, u32), field("value", 5, f64), field("quality", 6, u32)}},
		}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := Batch{Gateway: "edge-1", Stream: "9f2c", First: 4711, Backfill: true}
	b.Samples = append(b.Samples, sample("pump/motor/current", 17))
	m := dynamicpb.NewMessage(file.Messages().ByName("Batch"))
	if err := proto.Unmarshal(appendProtobuf(nil, b), m); err != nil {
		t.Fatal(err)
	}
	top := m.Descriptor().Fields()
	list := m.Get(top.ByName("samples")).List()
	if len(m.GetUnknown()) > 0 || m.Get(top.ByName("gw")).String() != "edge-1" || m.Get(top.ByName("first")).Uint() != 4711 || !m.Get(top.ByName("backfill")).Bool() || list.Len() != 1 {
		t.Fatalf("%v", m)
	}
	s, fields := list.Get(0).Message(), list.Get(0).Message().Descriptor().Fields()
	if s.Get(fields.ByName("id")).String() != "pump/motor/current" || s.Get(fields.ByName("seq")).Uint() != 17 || s.Get(fields.ByName("value")).Float() != 12.4 ||
		s.Get(fields.ByName("seconds")).Int() != b.Samples[0].SourceTime.Unix() || s.Get(fields.ByName("nanos")).Uint() != 100_000_000 {
		t.Errorf("%v", s)
	}
}

// TestBadBinary is one line per way to be wrong.
func TestBadBinary(t *testing.T) {
	mustCBOR := func(v any) string {
		p, err := cbor.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(p)
	}
	zw, _ := zstd.NewWriter(nil)
	bomb := zw.EncodeAll(make([]byte, maxPlain+1), nil)
	var gz bytes.Buffer
	g := gzip.NewWriter(&gz)
	g.Write(make([]byte, maxPlain+1))
	g.Close()
	row := func(id string, sec int64, nsec uint32, v float64, q uint32) string {
		return mustCBOR(map[int]any{1: "g", 5: []any{[]any{id, 1, sec, nsec, v, q}}})
	}
	for _, c := range []struct{ what, in, want string }{
		{"a CBOR map cut off", "\xa5\x01", "EOF"},
		{"CBOR without samples", mustCBOR(map[int]any{1: "g"}), "no samples"},
		{"CBOR with a text for a list", mustCBOR(map[int]any{1: "g", 5: "x"}), "cannot unmarshal"},
		{"a key twice", "\xa2\x05\x80\x05\x80", "duplicate"},
		{"no id", row("", 1, 0, 1, 0), "without an id"},
		{"nanoseconds", row("a", 1, 1_000_000_000, 1, 0), "time"},
		{"a year", row("a", 1<<50, 0, 1, 0), "time"},
		{"NaN that is good", row("a", 1, 0, math.NaN(), 0), "not bad"},
		{"a field cut off", "\x0a\x05a", "EOF"},
		{"a sample without an id", "\x0a\x01g\x2a\x02\x10\x01", "without an id"},
		{"a quality", "\x0a\x01g\x2a\x0a\x0a\x01a\x30\xff\xff\xff\xff\xff\x01", "quality"},
		{"a group without end", "\x0a\x01g\x3b", "EOF"},
		{"zstd cut off", "\x28\xb5\x2f\xfd\x04", "zstd"},
		{"gzip cut off", "\x1f\x8b\x08", "gzip"},
		{"a bomb in zstd", string(bomb), "zstd"},
		{"a bomb in gzip", gz.String(), "gzip"},
		{"gzip in gzip", "\x1f\x8b", "gzip"},
	} {
		if b, err := Decode([]byte(c.in)); err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "payload: ") {
			t.Errorf("%s: got %v %v, want %q", c.what, b, err, c.want)
		}
	}
}

// FuzzDecodeBinary: whatever is taken is a batch that every encoding carries.
func FuzzDecodeBinary(f *testing.F) {
	for _, c := range codecs(f) {
		for seed := range uint64(2) {
			f.Add(c.Append(nil, randomBatch(rand.New(rand.NewPCG(seed, 6)))))
		}
	}
	all := codecs(f)
	var d Decoder
	f.Fuzz(func(t *testing.T, p []byte) {
		b, err := d.Decode(p)
		if err != nil {
			return
		}
		want, err := Decode(Append(nil, b))
		if err != nil {
			t.Fatalf("%s: %v", hex.EncodeToString(p), err)
		}
		for _, c := range all {
			if again, err := Decode(c.Append(nil, b)); err != nil || !same(again, want) {
				t.Fatalf("%x, %s: %v\n%+v\n%+v", p, c.ContentType(), err, want, again)
			}
		}
	})
}

func BenchmarkCodec(b *testing.B) {
	batch := benchBatch()
	for _, c := range codecs(b) {
		b.Run(strings.TrimPrefix(c.ContentType(), "application/"), func(b *testing.B) {
			p := c.Append(nil, batch)
			var d Decoder
			b.Run("append", func(b *testing.B) {
				var out []byte
				perSample(b, len(batch.Samples), func() { out = c.Append(out[:0], batch) })
				b.ReportMetric(float64(len(p))/float64(len(batch.Samples)), "bytes/sample")
			})
			b.Run("decode", func(b *testing.B) {
				perSample(b, len(batch.Samples), func() { d.Decode(p) })
			})
		})
	}
}
