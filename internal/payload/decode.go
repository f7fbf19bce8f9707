package payload

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/plantbed/plantbed/sim/signal"
)

// Decode reads what Append or a Codec wrote, or what another gateway wrote in
// these formats; the first byte tells which. It is strict about types and about what a sample must have (id, time, value),
// takes keys in any order, and passes over keys that it does not know. A value
// of null becomes NaN and must come with a bad quality.
func Decode(p []byte) (Batch, error) {
	var d Decoder
	return d.Decode(p)
}

// Decoder is Decode that remembers the IDs it has seen, so that samples of
// known signals cost no allocation. It is for one goroutine.
type Decoder struct {
	ids   map[string]signal.ID
	zstd  *zstd.Decoder
	plain []byte
}

// maxIDs bounds what a Decoder remembers.
const maxIDs = 1 << 16

// Decode is as the function Decode.
func (d *Decoder) Decode(p []byte) (Batch, error) {
	b, err := d.decode(p)
	if err != nil {
		return Batch{}, fmt.Errorf("payload: %w", err)
	}
	return b, nil
}

func (d *Decoder) decode(p []byte) (Batch, error) {
	p, err := d.unpack(p)
	switch {
	case err != nil:
		return Batch{}, err
	case len(p) > 0 && p[0] == firstProto:
		return d.protobuf(p)
	case len(p) > 0 && p[0]&0xE0 == 0xA0: // a map of CBOR
		return d.cbor(p)
	}
	return d.json(p)
}

func (d *Decoder) json(p []byte) (Batch, error) {
	s := scanner{p: p}
	var b Batch
	hasSamples := false
	err := s.object("batch", func(key []byte) error {
		var err error
		switch string(key) {
		case "gw":
			b.Gateway, err = s.text("gw")
		case "stream":
			b.Stream, err = s.text("stream")
		case "first":
			b.First, err = s.uint("first", 64)
		case "backfill":
			b.Backfill, err = s.bool("backfill")
		case "samples":
			hasSamples = true
			b.Samples, err = d.samples(&s)
		default:
			err = s.skip(0)
		}
		return err
	})
	if err == nil {
		err = s.end()
	}
	if err == nil && !hasSamples {
		err = fmt.Errorf("no \"samples\"")
	}
	return b, err
}

// bytesPerSample is the least that a sample takes in JSON; it bounds what a
// short payload can make us allocate.
const bytesPerSample = 90

func (d *Decoder) samples(s *scanner) ([]signal.Sample, error) {
	if err := s.expect('[', "samples", "an array"); err != nil {
		return nil, err
	}
	out := make([]signal.Sample, 0, (len(s.p)-s.i)/bytesPerSample+1)
	for first := true; ; first = false {
		more, err := s.next(']', first)
		if err != nil {
			return nil, err
		}
		if !more {
			return out, nil
		}
		sample, err := d.sample(s)
		if err != nil {
			return nil, fmt.Errorf("samples[%d]: %w", len(out), err)
		}
		out = append(out, sample)
	}
}

func (d *Decoder) sample(s *scanner) (signal.Sample, error) {
	var out signal.Sample
	var hasTime, hasValue bool
	err := s.object("sample", func(key []byte) error {
		var err error
		switch string(key) {
		case "id":
			out.ID, err = d.id(s)
		case "seq":
			out.Seq, err = s.uint("seq", 64)
		case "time":
			hasTime = true
			out.SourceTime, err = s.time("time")
		case "value":
			hasValue = true
			out.Value, err = s.value("value")
		case "quality":
			var q uint64
			q, err = s.uint("quality", 32)
			out.Quality = signal.Quality(q)
		default:
			err = s.skip(0)
		}
		return err
	})
	switch {
	case err != nil:
	case out.ID == "":
		err = fmt.Errorf("no \"id\"")
	case !hasTime:
		err = fmt.Errorf("%s: no \"time\"", out.ID)
	case !hasValue:
		err = fmt.Errorf("%s: no \"value\"", out.ID)
	case math.IsNaN(out.Value) && !out.Quality.IsBad():
		err = fmt.Errorf("%s: value null with quality %v, which is not bad", out.ID, out.Quality)
	}
	return out, err
}

func (d *Decoder) id(s *scanner) (signal.ID, error) {
	raw, err := s.str("id")
	if err != nil {
		return "", err
	}
	return d.known(raw), nil
}

// known is the ID of that text, without an allocation if it was seen before.
func (d *Decoder) known(raw []byte) signal.ID {
	if id, ok := d.ids[string(raw)]; ok { // no allocation
		return id
	}
	if d.ids == nil || len(d.ids) >= maxIDs {
		d.ids = map[string]signal.ID{}
	}
	id := signal.ID(raw)
	d.ids[string(id)] = id
	return id
}

// value is a number or null, which is NaN.
func (s *scanner) value(what string) (float64, error) {
	s.space()
	if s.word("null") {
		return math.NaN(), nil
	}
	text, err := s.number(what)
	if err != nil {
		return 0, err
	}
	v, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %s is no 64-bit float", what, text)
	}
	return v, nil
}

func (s *scanner) time(what string) (time.Time, error) {
	text, err := s.str(what)
	if err != nil {
		return time.Time{}, err
	}
	if t, ok := quickTime(text); ok {
		return t, nil
	}
	var t time.Time
	if bytes.IndexByte(text, ',') >= 0 || t.UnmarshalText(text) != nil { // stricter than time.Parse, but for a comma
		return time.Time{}, fmt.Errorf("%s: %q is no RFC 3339 time such as 2009-11-10T23:00:17.1Z", what, text)
	}
	return t.UTC(), nil
}

// quickTime reads "2009-11-10T23:00:17.123456789Z" with up to nine decimals;
// whatever looks different is left to package time.
func quickTime(p []byte) (time.Time, bool) {
	if len(p) < 20 || len(p) > 30 || p[4] != '-' || p[7] != '-' || p[10] != 'T' || p[13] != ':' || p[16] != ':' || p[len(p)-1] != 'Z' {
		return time.Time{}, false
	}
	ok := true
	num := func(p []byte) (n int) {
		for _, c := range p {
			ok = ok && '0' <= c && c <= '9'
			n = n*10 + int(c-'0')
		}
		return n
	}
	year, month, day := num(p[0:4]), num(p[5:7]), num(p[8:10])
	hour, minute, sec := num(p[11:13]), num(p[14:16]), num(p[17:19])
	nsec, decimals := 0, p[19:len(p)-1]
	if len(decimals) > 0 {
		if decimals[0] != '.' || len(decimals) < 2 {
			return time.Time{}, false
		}
		nsec = num(decimals[1:])
		for range 10 - len(decimals) {
			nsec *= 10
		}
	}
	// Days that only some months have are package time's to judge.
	if !ok || month < 1 || month > 12 || day < 1 || day > 28 && !(day <= 30 && month != 2) || hour > 23 || minute > 59 || sec > 59 {
		return time.Time{}, false
	}
	return time.Date(year, time.Month(month), day, hour, minute, sec, nsec, time.UTC), true
}

// DecodeStatus reads what AppendStatus wrote.
func DecodeStatus(p []byte) (Status, error) {
	var raw struct {
		Gateway *string `json:"gw"`
		Source  string  `json:"source"`
		Up      *bool   `json:"up"`
		Why     string  `json:"why"`
	}
	if err := json.Unmarshal(p, &raw); err != nil {
		return Status{}, fmt.Errorf("payload: status: %w", err)
	}
	if raw.Gateway == nil || raw.Up == nil {
		return Status{}, fmt.Errorf("payload: status: \"gw\" and \"up\" must be there")
	}
	return Status{Gateway: *raw.Gateway, Source: raw.Source, Up: *raw.Up, Why: raw.Why}, nil
}
