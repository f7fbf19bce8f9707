package opcua

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/signal"
)

func TestSample(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	value := func(v any) *ua.DataValue {
		return &ua.DataValue{Value: ua.MustVariant(v), SourceTimestamp: epoch, ServerTimestamp: at(1)}
	}
	for name, tc := range map[string]struct {
		dv   *ua.DataValue
		want signal.Sample
	}{
		"double":    {value(1.5), signal.Sample{Value: 1.5, SourceTime: epoch}},
		"float":     {value(float32(0.1)), signal.Sample{Value: float64(float32(0.1)), SourceTime: epoch}},
		"true":      {value(true), signal.Sample{Value: 1, SourceTime: epoch}},
		"false":     {value(false), signal.Sample{SourceTime: epoch}},
		"sbyte":     {value(int8(-3)), signal.Sample{Value: -3, SourceTime: epoch}},
		"byte":      {value(uint8(3)), signal.Sample{Value: 3, SourceTime: epoch}},
		"int16":     {value(int16(-4)), signal.Sample{Value: -4, SourceTime: epoch}},
		"uint16":    {value(uint16(4)), signal.Sample{Value: 4, SourceTime: epoch}},
		"int32":     {value(int32(-5)), signal.Sample{Value: -5, SourceTime: epoch}},
		"uint32":    {value(uint32(5)), signal.Sample{Value: 5, SourceTime: epoch}},
		"int64":     {value(int64(-6)), signal.Sample{Value: -6, SourceTime: epoch}},
		"uint64":    {value(uint64(6)), signal.Sample{Value: 6, SourceTime: epoch}},
		"uncertain": {&ua.DataValue{Value: ua.MustVariant(2.0), Status: 0x40930000, SourceTimestamp: epoch}, signal.Sample{Value: 2, Quality: signal.UncertainSensorNotAccurate, SourceTime: epoch}},
		"overflow":  {&ua.DataValue{Value: ua.MustVariant(2.0), Status: 0x00000480, SourceTimestamp: epoch}, signal.Sample{Value: 2, Quality: signal.Good.WithOverflow(), SourceTime: epoch}},
		"bad, no value": {&ua.DataValue{Value: new(ua.Variant), Status: ua.StatusBadNotConnected, SourceTimestamp: epoch},
			signal.Sample{Quality: signal.BadNotConnected, SourceTime: epoch}},
		"bad, with value": {&ua.DataValue{Value: ua.MustVariant(7.0), Status: ua.StatusBadSensorFailure, SourceTimestamp: epoch},
			signal.Sample{Value: 7, Quality: signal.BadSensorFailure, SourceTime: epoch}},
		"good, no value":   {&ua.DataValue{Value: new(ua.Variant), SourceTimestamp: epoch}, signal.Sample{Quality: badTypeMismatch, SourceTime: epoch}},
		"nil variant":      {&ua.DataValue{SourceTimestamp: epoch}, signal.Sample{Quality: badTypeMismatch, SourceTime: epoch}},
		"string":           {value("12"), signal.Sample{Quality: badTypeMismatch, SourceTime: epoch}},
		"array":            {value([]float64{1, 2}), signal.Sample{Quality: badTypeMismatch, SourceTime: epoch}},
		"server time only": {&ua.DataValue{Value: ua.MustVariant(1.0), ServerTimestamp: at(1)}, signal.Sample{Value: 1, SourceTime: at(1)}},
		"no time":          {&ua.DataValue{Value: ua.MustVariant(1.0)}, signal.Sample{Value: 1, SourceTime: now}},
	} {
		tc.want.ID = "x"
		if got := sample("x", tc.dv, now); got != tc.want {
			t.Errorf("%s: got %+v, want %+v", name, got, tc.want)
		}
	}
}

// FuzzSample decodes any bytes as a value: never a panic, never a good sample
// without a number.
func FuzzSample(f *testing.F) {
	for _, v := range []any{1.5, float32(2), true, int16(-1), uint64(9), "text", []int32{1, 2}, time.Now()} {
		dv := &ua.DataValue{Value: ua.MustVariant(v), SourceTimestamp: epoch, Status: ua.StatusBadNotConnected}
		dv.UpdateMask()
		b, err := dv.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		dv := new(ua.DataValue)
		if err := decodeSafely(dv, b); err != nil {
			return
		}
		s := sample("x", dv, epoch)
		if s.SourceTime.IsZero() {
			t.Error("a sample without a time")
		}
		if _, ok := number(dv.Value.Value()); !ok && !s.Quality.IsBad() {
			t.Errorf("%T became a sample of quality %v", dv.Value.Value(), s.Quality)
		}
		if s.Quality != badTypeMismatch && s.Quality != signal.Quality(dv.Status) {
			t.Errorf("status %v became quality %v", dv.Status, s.Quality)
		}
	})
}

// decodeSafely keeps gopcua's own panics (a negative array length) out.
func decodeSafely(dv *ua.DataValue, b []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("gopcua: %v", p)
		}
	}()
	_, err = dv.Decode(b)
	return err
}

func TestSequence(t *testing.T) {
	if after(7) != 8 || after(math.MaxUint32) != 1 {
		t.Error("after")
	}
	for _, p := range [][2]uint32{{1, 2}, {math.MaxUint32, 1}, {math.MaxUint32 - 5, 3}} {
		if !before(p[0], p[1]) || before(p[1], p[0]) || before(p[0], p[0]) {
			t.Errorf("before %v", p)
		}
	}
}

// TestLedger plays at random and holds the ledger against a plain table of
// states.
func TestLedger(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 7))
		l := newLedger()
		l.skip(math.MaxUint32 - 20) // the wrap is in every game
		state := map[uint32]string{}
		next := l.expected()
		pick := func(want string) (uint32, bool) {
			var ns []uint32
			for n, s := range state {
				if s == want {
					ns = append(ns, n)
				}
			}
			slices.Sort(ns)
			if len(ns) == 0 {
				return 0, false
			}
			return ns[rng.IntN(len(ns))], true
		}
		check := func(what, from, to string, got []uint32) {
			t.Helper()
			for _, n := range got {
				if state[n] != from {
					t.Fatalf("seed %d: %s gave %d, which is %q", seed, what, n, state[n])
				}
				state[n] = to
			}
			if n, left := pick(from); left {
				t.Fatalf("seed %d: %s left out %d", seed, what, n)
			}
		}
		for range 300 {
			switch rng.IntN(8) {
			case 0, 1, 2:
				l.take(next)
				state[next] = "open"
				next = after(next)
			case 3, 4:
				if n, ok := pick("open"); ok {
					l.done(n, nil)
					l.done(n, errors.New("late")) // the second verdict does not count
					state[n] = "durable"
				}
			case 5:
				if n, ok := pick("open"); ok {
					l.done(n, errors.New("lost"))
					state[n] = "failed"
				}
			case 6:
				got := l.acks()
				check("acks", "durable", "sent", got)
				if rng.IntN(3) == 0 {
					l.unsent(got)
					for _, n := range got {
						state[n] = "durable"
					}
				}
			case 7:
				for _, n := range l.redo() {
					if state[n] != "failed" {
						t.Fatalf("seed %d: redo gave %d, which is %q", seed, n, state[n])
					}
					l.take(n) // fetched again
					state[n] = "open"
				}
			}
			if l.expected() != next {
				t.Fatalf("seed %d: expects %d, want %d", seed, l.expected(), next)
			}
		}
	}
}

func TestLedgerAfterTransfer(t *testing.T) {
	l := newLedger()
	for n := range uint32(6) { // 1 to 6
		l.take(n + 1)
	}
	l.done(1, nil)
	l.done(2, nil)
	l.acks() // under way when the connection dropped, and the answer with it
	l.done(3, nil)
	l.done(4, errors.New("disk full"))
	// The server holds 2 still, so it has not seen that acknowledgement; 5 and 6
	// are on their way to the disk; 7 to 9 never arrived, in whatever order.
	if got, want := l.wanted([]uint32{2, 3, 4, 5, 6, 9, 7, 8, 7}), []uint32{7, 8, 9}; !slices.Equal(got, want) {
		t.Errorf("wanted %v, want %v", got, want)
	}
	acks := l.acks()
	slices.Sort(acks)
	if !slices.Equal(acks, []uint32{2, 3}) {
		t.Errorf("acknowledges %v, want [2 3]", acks)
	}
}

func TestCounts(t *testing.T) {
	for _, tc := range []struct {
		publishing time.Duration
		want       uint32
	}{{100 * time.Millisecond, 30}, {time.Second, 3}, {2 * time.Second, 1}, {5 * time.Second, 1}} {
		c := Config{Publishing: strict.Duration(tc.publishing)}
		c.Defaults()
		if got := c.keepAliveCount(); got != tc.want {
			t.Errorf("publishing %v: a keep-alive every %d, want %d", tc.publishing, got, tc.want)
		}
		if c.lifetimeCount() < 3*c.keepAliveCount() {
			t.Errorf("publishing %v: lifetime %d", tc.publishing, c.lifetimeCount())
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
