package payload

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

func sample(id string, seq uint64) signal.Sample {
	return signal.Sample{ID: signal.ID(id), Seq: seq, Value: 12.4, SourceTime: time.Date(2009, 11, 10, 23, 0, 17, 100_000_000, time.UTC)}
}

func TestWhatAPersonReads(t *testing.T) {
	b := Batch{Gateway: "edge-1", Stream: "9f2c", First: 4711, Samples: []signal.Sample{sample("pump/motor/current", 17)}}
	const want = `{"gw":"edge-1","stream":"9f2c","first":4711,"samples":[` +
		`{"id":"pump/motor/current","seq":17,"time":"2009-11-10T23:00:17.1Z","value":12.4,"quality":0}]}`
	if got := string(Append([]byte(">"), b)); got != ">"+want {
		t.Fatalf("\n got %s\nwant >%s", got, want)
	}
}

// randomBatch has everything a batch may have, odd strings and values included.
func randomBatch(r *rand.Rand) Batch {
	words := []string{"", "pump/motor/current", "a\"b", "tab\t", "ß/温度", "\u2028", "null"}
	values := []float64{0, math.Copysign(0, -1), 1, -12.4, 1e21, 5e-324, math.MaxFloat64, r.NormFloat64(), math.NaN(), math.Inf(-1)}
	b := Batch{Gateway: words[r.IntN(len(words))], Backfill: r.IntN(2) == 0, Samples: []signal.Sample{}}
	if r.IntN(2) == 0 {
		b.Stream, b.First = "s"+words[r.IntN(len(words))], r.Uint64()
	}
	for range r.IntN(6) {
		b.Samples = append(b.Samples, signal.Sample{
			ID: signal.ID("x" + words[r.IntN(len(words))]), Seq: r.Uint64() >> r.IntN(65), Value: values[r.IntN(len(values))],
			Quality:    signal.Quality(r.Uint32()) &^ (1 << 30 * signal.Quality(r.IntN(4))),
			SourceTime: time.Unix(r.Int64N(250_000_000_000), r.Int64N(1e9)).UTC(),
		})
	}
	return b
}

// carried is the batch as the wire shows it.
func carried(b Batch) Batch {
	b.Samples = append([]signal.Sample{}, b.Samples...)
	for i, s := range b.Samples {
		if math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
			b.Samples[i].Value = math.NaN()
			if !s.Quality.IsBad() {
				b.Samples[i].Quality = signal.BadOutOfRange
			}
		}
		if s.SourceTime.Year() > 9999 {
			b.Samples[i].SourceTime = time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)
		}
	}
	return b
}

func same(a, b Batch) bool { // NaN equals NaN, -0 does not equal 0
	for _, x := range []*Batch{&a, &b} {
		x.Samples = append([]signal.Sample{}, x.Samples...)
		for i := range x.Samples {
			if x.Samples[i].SourceTime = x.Samples[i].SourceTime.UTC(); math.IsNaN(x.Samples[i].Value) {
				x.Samples[i].Value = 4.25e300
			}
		}
	}
	for i := range a.Samples {
		if i < len(b.Samples) && math.Signbit(a.Samples[i].Value) != math.Signbit(b.Samples[i].Value) {
			return false
		}
	}
	return reflect.DeepEqual(a, b)
}

// dumb decodes with encoding/json alone.
func dumb(p []byte) (Batch, error) {
	var raw struct {
		Gw       string
		Stream   string
		First    uint64
		Backfill bool
		Samples  []struct {
			ID      string
			Seq     uint64
			Time    time.Time
			Value   *float64
			Quality uint32
		}
	}
	if err := json.Unmarshal(p, &raw); err != nil {
		return Batch{}, err
	}
	b := Batch{Gateway: raw.Gw, Stream: raw.Stream, First: raw.First, Backfill: raw.Backfill, Samples: []signal.Sample{}}
	for _, s := range raw.Samples {
		v := math.NaN()
		if s.Value != nil {
			v = *s.Value
		}
		b.Samples = append(b.Samples, signal.Sample{ID: signal.ID(s.ID), Seq: s.Seq, Value: v, Quality: signal.Quality(s.Quality), SourceTime: s.Time})
	}
	return b, nil
}

func TestRoundTripAndAgainstEncodingJSON(t *testing.T) {
	var d Decoder
	for seed := range uint64(3000) {
		b := randomBatch(rand.New(rand.NewPCG(seed, 2)))
		p := Append(nil, b)
		got, err := d.Decode(p)
		if err != nil || !same(got, carried(b)) {
			t.Fatalf("seed %d: %v\n%s\n got %+v\nwant %+v", seed, err, p, got, carried(b))
		}
		var spaced bytes.Buffer
		if err := json.Indent(&spaced, p, " ", "\t"); err != nil {
			t.Fatal(err)
		}
		got, err = Decode(spaced.Bytes())
		ref, rerr := dumb(p)
		if err != nil || rerr != nil || !same(got, ref) {
			t.Fatalf("seed %d: %v %v\n%s\n got %+v\nwant %+v", seed, err, rerr, p, got, ref)
		}
	}
}

const head, tail = `{"gw":"g","samples":[{`, `}]}`

// TestBad is one line per way to be wrong: the payload and what the error must name.
func TestBad(t *testing.T) {
	ok := `"id":"a","time":"2009-11-10T23:00:17Z","value":1`
	for _, c := range []struct{ in, want string }{
		{``, "the end"},
		{`[]`, "an array at byte 0, want an object"},
		{`{`, "key"},
		{`{"gw":7,"samples":[]}`, "gw: a number at byte 6, want a string"},
		{`{"gw":"g"}`, "no \"samples\""},
		{`{"samples":{}}`, "samples: an object"},
		{`{"samples":[]} x`, "after the batch"},
		{`{"samples":[],}`, "after a comma"},
		{`{"samples":[1]}`, "samples[0]"},
		{`{"samples":[`, "the end"},
		{`{"samples" []}`, "colon"},
		{`{"first":-1,"samples":[]}`, "first: -1 is no unsigned"},
		{`{"first":18446744073709551616,"samples":[]}`, "is no unsigned 64-bit"},
		{`{"first":1.5,"samples":[]}`, "1.5 is no unsigned"},
		{`{"backfill":"yes","samples":[]}`, "backfill: a string"},
		{`{"stream":"a` + "\n" + `","samples":[]}`, "stream"},
		{`{"stream":"a`, "without its end"},
		{`{"stream":"\x","samples":[]}`, "stream"},
		{`{"x":` + strings.Repeat("[", 100), "inside each other"},
		{`{"x":nil,"samples":[]}`, "value"},
		{head + tail, "no \"id\""},
		{head + `"id":"a","value":1` + tail, "a: no \"time\""},
		{head + `"id":"a","time":"2009-11-10T23:00:17Z"` + tail, "a: no \"value\""},
		{head + `"id":"a","time":"2009-11-10T23:00:17Z","value":null` + tail, "not bad"},
		{head + `"id":"a","time":"yesterday","value":1` + tail, "RFC 3339"},
		{head + `"id":"a","time":"2009-02-30T23:00:17Z","value":1` + tail, "RFC 3339"},
		{head + `"id":"a","time":"2009-11-10T23:00:17,5Z","value":1` + tail, "RFC 3339"},
		{head + `"id":"a","time":17,"value":1` + tail, "time: a number"},
		{head + ok + `,"value":"1"` + tail, "value: a string"},
		{head + ok + `,"value":1e999` + tail, "no 64-bit float"},
		{head + ok + `,"value":01` + tail, "no JSON number"},
		{head + ok + `,"value":1.` + tail, "no JSON number"},
		{head + ok + `,"value":-` + tail, "no JSON number"},
		{head + ok + `,"value":+1` + tail, "want a number"},
		{head + ok + `,"value":NaN` + tail, "want a number"},
		{head + ok + `,"quality":4294967296` + tail, "32-bit"},
		{head + ok + `,"quality":"Good"` + tail, "quality: a string"},
		{head + ok + `} {` + ok + tail, "comma"},
	} {
		b, err := Decode([]byte(c.in))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "payload: ") {
			t.Errorf("%s\n got %v %v\nwant %q", c.in, b, err, c.want)
		}
	}
	if _, err := Decode([]byte(head + ok + `,"unit":{"of":["A",null,true]}` + tail)); err != nil {
		t.Errorf("a key that is not known: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	for seed := range uint64(5) {
		f.Add(Append(nil, randomBatch(rand.New(rand.NewPCG(seed, 3)))))
	}
	f.Add([]byte(head + `"id":"a","time":"2009-11-10T23:00:17Z","value":1` + tail))
	f.Fuzz(func(t *testing.T, p []byte) {
		b, err := Decode(p)
		if err != nil {
			return
		}
		if p[0] == '{' && !json.Valid(p) {
			t.Fatalf("took what is no JSON: %q", p)
		}
		again, err := Decode(Append(nil, b))
		b.First *= min(1, uint64(len(b.Stream))) // without a stream the number means nothing
		if err != nil || !same(again, b) {
			t.Fatalf("%q: %v\n%+v\n%+v", p, err, b, again)
		}
	})
}

func TestStatus(t *testing.T) {
	for _, s := range []Status{{Gateway: "g", Up: true}, {Gateway: "g", Source: "plc-1", Why: "refused \"it\""}} {
		got, err := DecodeStatus(AppendStatus(nil, s))
		if err != nil || got != s {
			t.Errorf("%v %v, want %v", got, err, s)
		}
	}
	for _, bad := range []string{``, `{}`, `{"gw":"g"}`, `{"gw":1,"up":true}`, `{"gw":"g","up":"yes"}`, `{"gw":"g","up":true} 1`} {
		if s, err := DecodeStatus([]byte(bad)); err == nil {
			t.Errorf("%s gave %v", bad, s)
		}
	}
}

func benchBatch() Batch {
	b := Batch{Gateway: "edge-1", Stream: "9f2c61aa", First: 4711}
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 500 {
		s := sample(fmt.Sprintf("machine-%d/motor/quantity-%d", i%7, i%60), uint64(i/60)+170000)
		s.Value, s.SourceTime = r.NormFloat64()*100, s.SourceTime.Add(time.Duration(r.Int64N(1e12)))
		b.Samples = append(b.Samples, s)
	}
	return b
}

// The benchmarks count one sample as one operation.
func perSample(b *testing.B, n int, f func()) {
	b.ReportAllocs()
	for i := 0; i < b.N; i += n {
		f()
	}
}

func BenchmarkAppend(b *testing.B) {
	batch, dst := benchBatch(), []byte(nil)
	perSample(b, len(batch.Samples), func() { dst = Append(dst[:0], batch) })
}

func BenchmarkDecode(b *testing.B) {
	p := Append(nil, benchBatch())
	perSample(b, 500, func() {
		if _, err := Decode(p); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkDecoder(b *testing.B) {
	p, d := Append(nil, benchBatch()), Decoder{}
	perSample(b, 500, func() {
		if _, err := d.Decode(p); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkDecodeEncodingJSON(b *testing.B) {
	p := Append(nil, benchBatch())
	perSample(b, 500, func() {
		if _, err := dumb(p); err != nil {
			b.Fatal(err)
		}
	})
}
