package buffer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/disk"
	"github.com/plantbed/plantbed/sim/signal"
)

func mustOpen(t *testing.T, cfg Config, opt Options) Buffer {
	t.Helper()
	b, err := Open(cfg, opt)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// numbered makes samples whose Seq is a serial number of the test.
func numbered(from, n int) (out []signal.Sample) {
	for i := from; i < from+n; i++ {
		out = append(out, signal.Sample{ID: signal.ID(fmt.Sprintf("machine/tag-%d", i%7)), Seq: uint64(i), Value: float64(i) / 3,
			Quality: []signal.Quality{signal.Good, signal.BadSensorFailure}[i%5/4], SourceTime: time.Unix(int64(i), int64(i)*7).UTC()})
	}
	return out
}

// torture runs a buffer on a model disk against the simplest idea of it: a
// list of what was told durable, and a map of what was received.
type torture struct {
	t    *testing.T
	r    *rand.Rand
	fs   *disk.ModelFS
	cfg  Config
	b    Buffer
	note string

	mu      sync.Mutex
	made    int
	durable map[int]bool // serials whose done came with nil
	waiting int

	got   map[uint64]int // serial by number, of all that Next ever returned
	has   map[int]bool   // serials received
	acked uint64
	old   []int  // serials that a recovered buffer said it had
	last  uint64 // number of the last one in this pass
	top   int    // serial of it
}

func (x *torture) open() {
	x.b = mustOpen(x.t, x.cfg, Options{FS: x.fs, Name: "edge", OnDrop: func(why string, n int) {
		x.t.Errorf("%s: dropped %d: %s", x.note, n, why)
	}})
	known := x.b.Last() - uint64(x.b.Depth()) // not every Ack reaches the disk
	if _, ok := x.got[known]; known > x.acked && ok {
		x.t.Fatalf("%s: acknowledged up to %d, and %d is taken for it", x.note, x.acked, known)
	}
	x.acked = known
	x.rewound()
	x.checkLatest()
}

// checkLatest wants of each tag nothing older than what was durable; that it is
// nothing younger shows at the end, when all that was stored has come.
func (x *torture) checkLatest() {
	latest := map[int]int{}
	for _, s := range x.b.Latest() {
		i := int(s.Seq)
		if want := numbered(i, 1)[0]; s.ID != want.ID || s.SourceTime != want.SourceTime {
			x.t.Fatalf("%s: latest %+v is not %+v", x.note, s, want)
		}
		latest[i%7] = i
		x.old = append(x.old, i)
	}
	for i := range x.made {
		if newest, ok := latest[i%7]; (x.isDurable(i) || x.has[i]) && (!ok || newest < i) {
			x.t.Fatalf("%s: serial %d was durable, and the latest of its tag is %d", x.note, i, newest)
		}
	}
}

func (x *torture) rewound() {
	x.last, x.top = x.acked, -1
	for num := x.acked; num > 0 && x.top < 0; num-- {
		if s, ok := x.got[num]; ok {
			x.top = s
		}
	}
}

func (x *torture) isDurable(serial int) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.durable[serial]
}

func (x *torture) append(n int) {
	from := x.made
	x.made += n
	x.mu.Lock()
	x.waiting++
	x.mu.Unlock()
	err := x.b.Append(context.Background(), numbered(from, n), func(err error) {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.waiting--
		for i := from; i < from+n && err == nil; i++ {
			x.durable[i] = true
		}
	})
	if err != nil {
		x.t.Fatalf("%s: append: %v", x.note, err)
	}
}

// settle waits until every done has come.
func (x *torture) settle() {
	for range 5000 {
		x.mu.Lock()
		n := x.waiting
		x.mu.Unlock()
		if n == 0 {
			return
		}
		time.Sleep(100 * time.Microsecond)
	}
	x.t.Fatalf("%s: a done never came", x.note)
}

func (x *torture) read(max int) bool {
	first, samples, _, err := x.b.TryNext(max)
	if err != nil {
		x.t.Fatalf("%s: next: %v", x.note, err)
	}
	if len(samples) == 0 {
		return false
	}
	if first <= x.last || len(samples) > max {
		x.t.Fatalf("%s: number %d after %d, %d samples", x.note, first, x.last, len(samples))
	}
	for i, s := range samples {
		num, serial := first+uint64(i), int(s.Seq)
		if s != numbered(serial, 1)[0] {
			x.t.Fatalf("%s: number %d: %+v is not what was appended", x.note, num, s)
		}
		if old, ok := x.got[num]; ok && old != serial {
			x.t.Fatalf("%s: number %d was %d and is now %d", x.note, num, old, serial)
		}
		if serial <= x.top {
			x.t.Fatalf("%s: serial %d after %d", x.note, serial, x.top)
		}
		for j := x.top + 1; j < serial; j++ { // what is passed over must never have been promised or shown
			if x.isDurable(j) || x.has[j] {
				x.t.Fatalf("%s: serial %d is lost", x.note, j)
			}
		}
		x.got[num], x.has[serial], x.top = serial, true, serial
	}
	x.last = first + uint64(len(samples)) - 1
	return true
}

func (x *torture) step(kills bool) {
	switch x.r.IntN(10) {
	case 0, 1, 2:
		x.append(1 + x.r.IntN(40))
	case 3, 4:
		x.settle()
	case 5, 6:
		x.read(1 + x.r.IntN(60))
	case 7:
		if x.last > x.acked {
			x.acked += uint64(x.r.IntN(int(x.last-x.acked) + 1))
			x.b.Ack(x.acked)
		}
	case 8:
		x.b.Rewind()
		x.rewound()
	case 9:
		if !kills || x.r.IntN(3) > 0 {
			return
		}
		if x.r.IntN(4) == 0 {
			x.b.Close()
		}
		x.fs = x.fs.Reopen()
		x.b.Close()
		x.settle()
		x.open()
	}
}

// TestTorture does random things with kills at random points. Nothing durable
// is lost, nothing that was not durable was ever shown (or it would be missing
// after a kill), numbers rise and keep their meaning.
func TestTorture(t *testing.T) {
	seeds := 40
	if testing.Short() {
		seeds = 10
	}
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 6))
		x := &torture{t: t, r: r, durable: map[int]bool{}, got: map[uint64]int{}, has: map[int]bool{}, note: fmt.Sprintf("seed %d", seed)}
		x.fs = disk.NewModel(disk.Model{Sync: []time.Duration{-1, time.Microsecond}[seed%2], Torn: seed%3 > 0, Seed: seed})
		x.cfg.Segment = 700
		x.cfg.Commit = 1
		x.open()
		for i := range 400 {
			x.note = fmt.Sprintf("seed %d step %d", seed, i)
			x.step(true)
		}
		x.settle()
		for x.read(50) {
		}
		for i := range x.durable {
			if !x.has[i] {
				t.Fatalf("%s: serial %d was durable and never came", x.note, i)
			}
		}
		for _, i := range x.old {
			if !x.has[i] {
				t.Fatalf("%s: serial %d was said to be known and never came", x.note, i)
			}
		}
		x.b.Ack(x.last)
		if d := x.b.Depth(); d != 0 {
			t.Fatalf("%s: depth %d when all is acknowledged", x.note, d)
		}
		if err := x.b.Close(); err != nil {
			t.Fatal(err)
		}
		names, _ := x.fs.List()
		if len(names) > 2 {
			t.Fatalf("%s: %v left when all is acknowledged", x.note, names)
		}
		again := mustOpen(t, x.cfg, Options{FS: x.fs})
		if again.Stream() != x.b.Stream() || again.Depth() != 0 {
			t.Fatalf("%s: after a clean end: stream %s, was %s; depth %d", x.note, again.Stream(), x.b.Stream(), again.Depth())
		}
		again.Close()
	}
}

// fill appends in groups of ten, each committed, and closes.
func fill(t *testing.T, fs disk.FS, cfg Config, n int) {
	t.Helper()
	b := mustOpen(t, cfg, Options{FS: fs})
	for i := 0; i < n; i += 10 {
		wait := make(chan error)
		if err := b.Append(context.Background(), numbered(i, 10), func(err error) { wait <- err }); err != nil {
			t.Fatal(err)
		}
		if err := <-wait; err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestFlippedBit flips every byte of a store in turn: at most the group hit is
// lost, the loss is counted, the rest arrives, and no number is given twice.
func TestFlippedBit(t *testing.T) {
	const n = 80
	cfg := Config{Segment: 600, Commit: 1}
	size := func(fs disk.FS, name string) int {
		p, _ := fs.ReadFile(name)
		return len(p)
	}
	build := func() *disk.ModelFS {
		fs := disk.NewModel(disk.Model{Sync: -1})
		fill(t, fs, cfg, n)
		return fs
	}
	ref := build()
	names, _ := ref.List()
	if len(names) < 3 {
		t.Fatalf("want several segments, got %v", names)
	}
	for _, name := range names {
		for off := 0; off < size(ref, name); off += 5 {
			fs := build()
			if err := fs.FlipBit(name, int64(off)); err != nil {
				t.Fatal(err)
			}
			dropped := 0
			b := mustOpen(t, cfg, Options{FS: fs, OnDrop: func(why string, n int) {
				if why != DropDamaged {
					t.Errorf("dropped as %s", why)
				}
				dropped += n
			}})
			got, highest := 0, uint64(0)
			for {
				first, samples, _, err := b.TryNext(7)
				if err != nil {
					t.Fatal(err)
				}
				if len(samples) == 0 {
					break
				}
				for i, s := range samples {
					if num := first + uint64(i); s.Seq != num-1 || s != numbered(int(s.Seq), 1)[0] {
						t.Fatalf("%s+%d: number %d is %+v", name, off, num, s)
					}
				}
				got += len(samples)
				highest = first + uint64(len(samples)) - 1
			}
			// How many a damaged last group held is a good guess, not more.
			if last := highest <= n-10; got < n-10 || got+dropped != n && !(last && dropped > 0 && dropped < 12) {
				t.Fatalf("%s+%d: %d came, %d dropped, of %d", name, off, got, dropped, n)
			}
			b.Append(context.Background(), numbered(1000, 1), nil)
			if b.Last() <= n {
				t.Fatalf("%s+%d: number %d was given before", name, off, b.Last())
			}
			if highest > 0 {
				b.Ack(highest)
			}
			b.Close()
		}
	}
}

func TestPolicies(t *testing.T) {
	for _, kind := range []string{KindDisk, KindMemory} {
		for _, policy := range []string{RejectNew, DropOldest} {
			drops := map[string]int{}
			cfg := Config{Kind: kind, Policy: policy, MaxBytes: 16 << 10, Commit: 1}
			b := mustOpen(t, cfg, Options{FS: disk.NewModel(disk.Model{Sync: -1}), OnDrop: func(why string, n int) { drops[why] += n }})
			const n = 3000
			kept := 0
			for i := 0; i < n; i += 10 {
				wait := make(chan error, 1)
				if err := b.Append(context.Background(), numbered(i, 10), func(err error) { wait <- err }); err != nil {
					t.Fatal(err)
				}
				switch err := <-wait; err {
				case nil:
					kept += 10
				case ErrFull:
				default:
					t.Fatal(err)
				}
				if b.Bytes() > int64(cfg.MaxBytes) {
					t.Fatalf("%s %s: %d bytes of %d", kind, policy, b.Bytes(), cfg.MaxBytes)
				}
			}
			var got []signal.Sample
			for {
				_, s, _, err := b.TryNext(100)
				if err != nil {
					t.Fatal(err)
				}
				if len(s) == 0 {
					break
				}
				got = append(got, s...)
			}
			want, first, reason := kept, 0, DropFull
			if policy == DropOldest {
				want, reason = kept-drops[DropOverwritten], DropOverwritten
				first = n - want
			}
			if len(got) != want || want == 0 || want == n || got[0] != numbered(first, 1)[0] || drops[reason] != n-want || len(drops) != 1 || b.Depth() != want {
				t.Fatalf("%s %s: %d came from %d on, want %d; depth %d, dropped %v", kind, policy, len(got), got[0].Seq, want, b.Depth(), drops)
			}
			b.Close()
		}
	}
}

func TestNextBlocksAndEnds(t *testing.T) {
	for _, kind := range []string{KindDisk, KindMemory} {
		b := mustOpen(t, Config{Kind: kind, Commit: 1}, Options{FS: disk.NewModel(disk.Model{Sync: -1})})
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
		if _, _, _, err := b.Next(ctx, 1); err != context.DeadlineExceeded {
			t.Fatal(err)
		}
		cancel()
		before := time.Now()
		b.Append(context.Background(), numbered(0, 3), nil)
		first, s, at, err := b.Next(context.Background(), 2)
		if err != nil || first != 1 || len(s) != 2 || at.Before(before.Add(-time.Microsecond)) || at.After(time.Now()) {
			t.Fatal(first, s, at, err)
		}
		time.AfterFunc(5*time.Millisecond, func() { b.Close() })
		b.Next(context.Background(), 2)
		if _, _, _, err := b.Next(context.Background(), 2); err != ErrClosed {
			t.Fatal(err)
		}
		told := make(chan error, 1)
		if err := b.Append(context.Background(), numbered(0, 1), func(err error) { told <- err }); err != ErrClosed || <-told != ErrClosed {
			t.Fatal(err)
		}
	}
}

func TestDeadDisk(t *testing.T) {
	fs := disk.NewModel(disk.Model{Sync: -1})
	b := mustOpen(t, Config{Commit: 1}, Options{FS: fs})
	fs.Kill()
	told := make(chan error, 1)
	b.Append(context.Background(), numbered(0, 1), func(err error) { told <- err })
	if err := <-told; err == nil {
		t.Fatal("a dead disk took a sample")
	}
	if _, _, _, err := b.Next(context.Background(), 1); err == nil {
		t.Fatal("a dead log reads")
	}
	b.Close()
}

func TestNone(t *testing.T) {
	drops := 0
	b := mustOpen(t, Config{Kind: KindNone}, Options{OnDrop: func(why string, n int) { drops += n }})
	put := func(n int) (err error) {
		b.Append(context.Background(), numbered(0, n), func(e error) { err = e })
		return err
	}
	if err := put(3); err != ErrOffline || drops != 3 {
		t.Fatal(err, drops)
	}
	b.Online(true)
	if err := put(4); err != nil {
		t.Fatal(err)
	}
	b.TryNext(2)
	b.Online(false)
	if drops != 7 || b.Depth() != 0 {
		t.Fatalf("dropped %d, depth %d", drops, b.Depth())
	}
	b.Online(true)
	put(1)
	if first, s, _, _ := b.TryNext(9); first != 5 || len(s) != 1 {
		t.Fatal(first, s)
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, kind := range []string{KindDisk, KindMemory} {
		b.Run(kind, func(b *testing.B) {
			fs := disk.NewModel(disk.Model{Sync: -1})
			buf, err := Open(Config{Kind: kind}, Options{FS: fs})
			if err != nil {
				b.Fatal(err)
			}
			in := numbered(0, 20)
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i += len(in) {
				if err := buf.Append(context.Background(), in, nil); err != nil {
					b.Fatal(err)
				}
				if i%1000 == 0 {
					for {
						first, s, _, _ := buf.TryNext(500)
						if len(s) == 0 {
							break
						}
						buf.Ack(first + uint64(len(s)) - 1)
					}
				}
			}
			buf.Close()
		})
	}
}
