package buffer

import (
	"context"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/disk"
	"github.com/plantbed/plantbed/internal/strict"
)

// TestFullBufferGoesOn fills a small buffer in one group, so that nearly all
// of it is one segment, delivers it, and wants room again: the last segment is
// never removed and must not stand in the way for ever.
func TestFullBufferGoesOn(t *testing.T) {
	for _, each := range []int{1, 7, 60, 150} {
		fs := disk.NewModel(disk.Model{Sync: -1})
		b := mustOpen(t, Config{MaxBytes: 16 << 10, Commit: strict.Duration(time.Millisecond)}, Options{FS: fs})
		next := 0
		for round := range 30 {
			full := false
			for i := 0; i < 2000 && !full; i++ {
				full = b.Room(each) == ErrFull
				done := make(chan error, 1)
				if err := b.Append(context.Background(), numbered(next, each), func(err error) { done <- err }); err != nil {
					t.Fatal(err)
				}
				if full {
					if err := <-done; err != ErrFull {
						t.Fatalf("Room said full, Append %v", err)
					}
					break
				}
				next += each
			}
			if !full {
				t.Fatalf("each %d, round %d: never full", each, round)
			}
			for b.Depth() > 0 {
				first, s, _, err := b.Next(context.Background(), 500)
				if err != nil {
					t.Fatal(err)
				}
				b.Ack(first + uint64(len(s)) - 1)
			}
			if err := b.Room(each); err != nil {
				t.Fatalf("each %d, round %d: delivered wholly, and %v", each, round, err)
			}
		}
		if err := b.Room(1000); err != ErrTooLarge {
			t.Errorf("more than it can ever hold: %v", err)
		}
		b.Close()
	}
}

// TestMaxAge expires by a clock that does not jump, and lets nothing age while
// the gateway is off.
func TestMaxAge(t *testing.T) {
	for _, kind := range []string{KindDisk, KindMemory} {
		drops := map[string]int{}
		opt := Options{FS: disk.NewModel(disk.Model{Sync: -1}), OnDrop: func(why string, n int) { drops[why] += n }}
		cfg := Config{Kind: kind, MaxBytes: 64 << 10, Segment: 512, Commit: 1, MaxAge: strict.Duration(150 * time.Millisecond)}
		b := mustOpen(t, cfg, opt)
		put := func(from int) {
			done := make(chan error, 1)
			b.Append(context.Background(), numbered(from, 30), func(err error) { done <- err })
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		for i := range 3 {
			put(30 * i)
		}
		if len(drops) != 0 {
			t.Fatalf("%s: dropped at once: %v", kind, drops)
		}
		time.Sleep(200 * time.Millisecond)
		put(90)
		put(120)
		first, s, _, err := b.Next(context.Background(), 500)
		// the segment that was being written may live on with what came later
		if err != nil || first < 61 || drops[DropExpired] != int(first)-1 || s[0].Seq != first-1 {
			t.Errorf("%s: %d samples from %d on, dropped %v, %v", kind, len(s), first, drops, err)
		}
		b.Close()
	}
}

// TestMaxAgeOfFew expires samples that are too few to ever fill a segment.
func TestMaxAgeOfFew(t *testing.T) {
	drops := 0
	age := 160 * time.Millisecond
	b := mustOpen(t, Config{Kind: KindDisk, MaxBytes: 1 << 20, Commit: 1, MaxAge: strict.Duration(age)},
		Options{FS: disk.NewModel(disk.Model{Sync: -1}), OnDrop: func(_ string, n int) { drops += n }})
	defer b.Close()
	for i, began := 0, time.Now(); time.Since(began) < 3*age; i++ {
		done := make(chan error, 1)
		b.Append(context.Background(), numbered(i, 1), func(err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	first, s, _, err := b.Next(context.Background(), 500)
	if err != nil || drops == 0 || int(first) != drops+1 || len(s) == 0 {
		t.Errorf("%d samples from %d on, %d expired, %v", len(s), first, drops, err)
	}
}
