package modbus

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/signal"
)

func TestValue(t *testing.T) {
	for _, tc := range []struct {
		kind, order string
		bytes       []byte
		scale, want float64
	}{
		{"bool", "abcd", []byte{0, 0}, 1, 0},
		{"bool", "abcd", []byte{0, 1}, 1, 1},
		{"bool", "abcd", []byte{2, 0}, 1, 1},
		{"int16", "abcd", []byte{0xff, 0xfe}, 1, -2},
		{"int16", "abcd", []byte{0x01, 0x02}, 0.1, 258 * 0.1},
		{"int16", "badc", []byte{0xfe, 0xff}, 1, -2},
		{"uint16", "abcd", []byte{0xff, 0xfe}, 1, 65534},
		{"int32", "abcd", []byte{0xff, 0xff, 0xff, 0xfd}, 1, -3},
		{"int32", "cdab", []byte{0xff, 0xfd, 0xff, 0xff}, 1, -3},
		{"uint32", "abcd", []byte{1, 2, 3, 4}, 1, 0x01020304},
		{"uint32", "cdab", []byte{3, 4, 1, 2}, 1, 0x01020304},
		{"uint32", "badc", []byte{2, 1, 4, 3}, 1, 0x01020304},
		{"uint32", "dcba", []byte{4, 3, 2, 1}, 1, 0x01020304},
		{"int64", "abcd", []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfd}, 1, -3},
		{"uint64", "cdab", []byte{7, 8, 5, 6, 3, 4, 1, 2}, 1, 0x0102030405060708},
		{"float", "abcd", []byte{0x40, 0x49, 0x0f, 0xdb}, 1, float64(float32(math.Pi))},
		{"double", "abcd", []byte{0x40, 0x09, 0x21, 0xfb, 0x54, 0x44, 0x2d, 0x18}, 1, math.Pi},
		{"double", "cdab", []byte{0x2d, 0x18, 0x54, 0x44, 0x21, 0xfb, 0x40, 0x09}, 1, math.Pi},
		{"double", "dcba", []byte{0x18, 0x2d, 0x44, 0x54, 0xfb, 0x21, 0x09, 0x40}, 2, 2 * math.Pi},
	} {
		f := field{0, kinds[tc.kind], orders[tc.order], tc.scale}
		if got := f.value(tc.bytes); got != tc.want {
			t.Errorf("%s %s % x: got %v, want %v", tc.kind, tc.order, tc.bytes, got, tc.want)
		}
	}
}

// FuzzValue holds the decoder against a dumb one that writes out every order.
func FuzzValue(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8}, 0.1)
	f.Fuzz(func(t *testing.T, b []byte, scale float64) {
		if len(b) < 8 {
			return
		}
		order2 := map[string][]int{"abcd": {0, 1}, "cdab": {0, 1}, "badc": {1, 0}, "dcba": {1, 0}}
		order4 := map[string][]int{"abcd": {0, 1, 2, 3}, "cdab": {2, 3, 0, 1}, "badc": {1, 0, 3, 2}, "dcba": {3, 2, 1, 0}}
		order8 := map[string][]int{"abcd": {0, 1, 2, 3, 4, 5, 6, 7}, "cdab": {6, 7, 4, 5, 2, 3, 0, 1}, "badc": {1, 0, 3, 2, 5, 4, 7, 6}, "dcba": {7, 6, 5, 4, 3, 2, 1, 0}}
		for name, k := range kinds {
			for o := range orders {
				index := map[int][]int{1: order2[o], 2: order4[o], 4: order8[o]}[k.words]
				plain := make([]byte, len(index))
				for i, from := range index {
					plain[i] = b[from]
				}
				var want float64
				switch name {
				case "bool":
					want = map[bool]float64{true: 1}[plain[0]|plain[1] != 0]
				case "int16":
					want = float64(int16(binary.BigEndian.Uint16(plain)))
				case "uint16":
					want = float64(binary.BigEndian.Uint16(plain))
				case "int32":
					want = float64(int32(binary.BigEndian.Uint32(plain)))
				case "uint32":
					want = float64(binary.BigEndian.Uint32(plain))
				case "int64":
					want = float64(int64(binary.BigEndian.Uint64(plain)))
				case "uint64":
					want = float64(binary.BigEndian.Uint64(plain))
				case "float":
					want = float64(math.Float32frombits(binary.BigEndian.Uint32(plain)))
				case "double":
					want = math.Float64frombits(binary.BigEndian.Uint64(plain))
				}
				want *= scale
				got := (&field{0, k, orders[o], scale}).value(b)
				if got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
					t.Errorf("%s %s % x: got %v, want %v", name, o, b[:8], got, want)
				}
			}
		}
	})
}

func TestBlockCounter(t *testing.T) {
	cfg := testConfig("h:1", time.Second)
	b := newBlock(cfg.Blocks[0])
	now := time.Unix(5, 0)
	for _, tc := range []struct {
		bytes []byte
		want  []signal.Sample
	}{
		{[]byte{0, 0, 0, 0, 0, 1}, []signal.Sample{{ID: "m/c/q", Seq: 0, Value: 0.1, SourceTime: now}}}, // a first 0 is a scan
		{[]byte{0, 0, 0, 0, 0, 2}, nil},
		{[]byte{0, 1, 0, 2, 0, 2}, []signal.Sample{{ID: "m/c/q", Seq: 65538, Value: 0.2, SourceTime: now}}},
		{[]byte{0, 0, 0, 1, 0, 2}, []signal.Sample{{ID: "m/c/q", Seq: 1, Value: 0.2, SourceTime: now}}}, // a device that restarted
	} {
		got := b.samples(tc.bytes, now)
		if len(got) != len(tc.want) || len(got) == 1 && got[0] != tc.want[0] {
			t.Errorf("% x: got %+v, want %+v", tc.bytes, got, tc.want)
		}
	}
}

// TestGridsNeverMeet compares every instant of every pair over the least common
// multiple of the periods.
func TestGridsNeverMeet(t *testing.T) {
	start := time.Unix(1000, 0)
	sets := [][]time.Duration{
		{time.Second, time.Second, time.Second, time.Second},
		{time.Second, 100 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond},
		{7 * time.Millisecond, 3 * time.Millisecond, 3 * time.Millisecond},
		{time.Second, time.Second + time.Nanosecond*1000, 100 * time.Millisecond},
	}
	for seed := range uint64(30) {
		for _, periods := range sets {
			grids := newGrids(rand.New(rand.NewPCG(seed, 1)), start, periods)
			seen := map[time.Time]int{}
			for i, g := range grids {
				if g.origin.Before(start) || !g.origin.Before(start.Add(g.period)) {
					t.Fatalf("phase %v of period %v", g.origin.Sub(start), g.period)
				}
				for at := g.origin; at.Before(start.Add(10 * time.Second)); at = g.after(at) {
					if k, ok := seen[at]; ok {
						t.Fatalf("seed %d: blocks %d and %d of %v meet at %v", seed, k, i, periods, at)
					}
					seen[at] = i
				}
			}
		}
	}
}

func TestGridAfter(t *testing.T) {
	g := grid{time.Unix(100, 7), 10 * time.Second}
	for _, tc := range []struct{ t, want time.Time }{
		{time.Unix(0, 0), time.Unix(100, 7)},
		{time.Unix(100, 6), time.Unix(100, 7)},
		{time.Unix(100, 7), time.Unix(110, 7)},
		{time.Unix(125, 0), time.Unix(130, 7)},
		{time.Unix(130, 7), time.Unix(140, 7)},
	} {
		if got := g.after(tc.t); !got.Equal(tc.want) {
			t.Errorf("after %v: got %v, want %v", tc.t, got, tc.want)
		}
	}
}

// TestConfig decodes each testdata/*.toml; what is wrong with it stands in its
// lines that begin with "# want: ".
func TestConfig(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.toml")
	if len(files) < 2 {
		t.Fatal("no cases")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var cfg Config
		src, problems := strict.Decode(filepath.Base(file), text, &cfg)
		cfg.Defaults()
		problems = append(problems, src.Locate(cfg.Validate())...)
		var got, want []string
		for _, p := range problems {
			got = append(got, fmt.Sprintf("%d: %s: %s", p.Line, p.Path, p.Msg))
		}
		for line := range strings.Lines(string(text)) {
			if w, ok := strings.CutPrefix(line, "# want: "); ok {
				want = append(want, strings.TrimSpace(w))
			}
		}
		if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
			t.Errorf("%s:\ngot\n%s\nwant\n%s", file, g, w)
		}
	}
}

func BenchmarkBlock(b *testing.B) {
	cfg := testConfig("h:1", time.Second)
	blk := &cfg.Blocks[0]
	blk.Count, blk.Tags = 125, nil
	for i := range 60 {
		blk.Tags = append(blk.Tags, Tag{ID: signal.ID(fmt.Sprint(i)), Address: uint16(12 + 2*i), Type: "float", Scale: 1, Order: "abcd"})
	}
	x := newBlock(*blk)
	data := make([]byte, 250)
	b.ReportAllocs()
	n := uint32(0)
	for b.Loop() {
		n++
		binary.BigEndian.PutUint32(data, n)
		if len(x.samples(data, time.Time{})) != 60 {
			b.Fatal("samples")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/60, "ns/sample")
}
