package sparkplug

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

const interop = "testdata/interop"

// decoded is a payload as the independent decoder shows it.
type decoded struct {
	Timestamp float64
	Seq       *float64
	UUID      string `json:"uuid"`
	Metrics   []struct {
		Name         string
		Alias        float64
		Timestamp    float64
		Type         string
		IsHistorical bool
		IsNull       bool
		Value        any
		Properties   map[string]struct{ Value float64 }
	}
}

// decode has payloads read by sparkplug-payload, of the Eclipse Tahu project.
func decode(t *testing.T, payloads ...[]byte) (out []decoded) {
	t.Helper()
	_, err := os.Stat(filepath.Join(interop, "node_modules", "sparkplug-payload"))
	if _, nodeErr := exec.LookPath("node"); err != nil || nodeErr != nil {
		if os.Getenv("PLANTBED_REQUIRE") != "" {
			t.Fatal("sparkplug-payload is not installed; run make deps")
		}
		t.Skip("SKIPPED: no independent Sparkplug decoder; make deps installs it")
	}
	var in bytes.Buffer
	for _, p := range payloads {
		in.WriteString(base64.StdEncoding.EncodeToString(p) + "\n")
	}
	cmd := exec.Command("node", "decode.js")
	cmd.Dir, cmd.Stdin, cmd.Stderr = interop, &in, os.Stderr
	text, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for dec := json.NewDecoder(bytes.NewReader(text)); dec.More(); {
		var d decoded
		if err := dec.Decode(&d); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		out = append(out, d)
	}
	if len(out) != len(payloads) {
		t.Fatalf("%d of %d payloads decoded", len(out), len(payloads))
	}
	return out
}

// TestIndependentDecoder holds births, deaths and data against a decoder that
// is not ours.
func TestIndependentDecoder(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_123)
	n := NewNode("g", "edge-1", []signal.ID{"a/x", "a/y"})
	first, second := n.Death(), n.Death()
	birth := n.Birth(now)
	samples := []signal.Sample{
		{ID: "a/y", Value: -12.625, SourceTime: now.Add(-time.Second)},
		{ID: "a/x", Value: math.NaN(), Quality: signal.BadSensorFailure, SourceTime: now},
		{ID: "a/x", Value: 3, Quality: signal.UncertainLastUsable, SourceTime: now.Add(time.Millisecond)},
	}
	data := n.Data(nil, samples, true, "s/7", now)
	again := n.Birth(now)
	d := decode(t, first, second, birth, data, again)
	for i, p := range d[:2] {
		if m := p.Metrics; len(m) != 1 || m[0].Name != "bdSeq" || m[0].Value != float64(i) || p.Seq != nil && *p.Seq != 0 {
			t.Errorf("death %d: %+v", i, p)
		}
	}
	b := d[2]
	if b.Seq == nil || *b.Seq != 0 || len(b.Metrics) != 4 || b.Metrics[0].Name != "bdSeq" || b.Metrics[0].Value != 1.0 ||
		b.Metrics[1].Name != rebirth || b.Metrics[1].Type != "Boolean" || b.Metrics[1].Value != false || b.Timestamp != float64(now.UnixMilli()) {
		t.Errorf("birth: %+v", b)
	}
	for i, name := range []string{"a/x", "a/y"} {
		if m := b.Metrics[2+i]; m.Name != name || m.Alias != float64(i+1) || m.Type != "Double" || m.Value != nil {
			t.Errorf("birth of %s: %+v", name, m)
		}
	}
	x := d[3]
	if *x.Seq != 1 || x.UUID != "s/7" || len(x.Metrics) != 3 {
		t.Fatalf("data: %+v", x)
	}
	for i, want := range []struct {
		alias, at, quality, status float64
		value                      any
	}{
		{2, float64(now.Add(-time.Second).UnixMilli()), 192, 0, -12.625},
		{1, float64(now.UnixMilli()), 0, float64(signal.BadSensorFailure), nil},
		{1, float64(now.UnixMilli() + 1), 500, float64(signal.UncertainLastUsable), 3.0},
	} {
		m := x.Metrics[i]
		if m.Alias != want.alias || m.Timestamp != want.at || m.Value != want.value || !m.IsHistorical || m.Type != "Double" || m.Name != "" ||
			m.Properties["Quality"].Value != want.quality || m.Properties["StatusCode"].Value != want.status {
			t.Errorf("metric %d: %+v, want %+v", i, m, want)
		}
	}
	if m := d[4].Metrics; *d[4].Seq != 0 || m[2].Value != 3.0 || m[3].Value != -12.625 {
		t.Errorf("second birth: %+v", d[4])
	}
}

// TestSequence: births begin it, it ends at 255, a message taken back leaves
// no hole.
func TestSequence(t *testing.T) {
	n := NewNode("g", "e", nil)
	n.Birth(time.Now())
	seq := func(p []byte) (s uint64) {
		fields(p, func(number int, v uint64, _ []byte) {
			if number == 3 {
				s = v
			}
		})
		return s
	}
	for i := 1; i < 600; i++ {
		if i%7 == 0 {
			n.Data(nil, nil, false, "", time.Now())
			n.Back()
		}
		if got := seq(n.Data(nil, nil, false, "", time.Now())); got != uint64(i%256) {
			t.Fatalf("message %d has %d", i, got)
		}
	}
	if s := []signal.Sample{{ID: "x"}}; n.Knows(s) || !n.Knows(s) {
		t.Error("a new tag is new once")
	}
}

func TestWantsRebirth(t *testing.T) {
	metric := func(name string, v uint64) []byte { return bytesField(nil, 2, varint(text(nil, 1, name), 14, v)) }
	for _, c := range []struct {
		p    []byte
		want bool
	}{
		{metric(rebirth, 1), true}, {metric(rebirth, 0), false}, {metric("other", 1), false}, {nil, false},
		{append(metric("other", 1), metric(rebirth, 1)...), true}, {metric(rebirth, 1)[:9], false},
	} {
		if got := WantsRebirth(c.p); got != c.want {
			t.Errorf("%x: %v", c.p, got)
		}
	}
}

func FuzzWantsRebirth(f *testing.F) {
	f.Add(bytesField(nil, 2, varint(text(nil, 1, rebirth), 14, 1)))
	f.Fuzz(func(_ *testing.T, p []byte) { WantsRebirth(p) })
}
