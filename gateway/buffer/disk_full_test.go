package buffer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/disk"
)

func TestFullDiskBlocksAndHeals(t *testing.T) {
	fs := disk.NewModel(disk.Model{Sync: -1})
	trouble := make(chan string, 10)
	b := mustOpen(t, Config{Commit: 1}, Options{FS: fs, OnTrouble: func(why string) { trouble <- why }})
	defer b.Close()
	fs.SetCapacity(100)
	done := make(chan error, 10)
	b.Append(context.Background(), numbered(0, 50), func(err error) { done <- err })
	if why := <-trouble; !strings.Contains(why, "no space") {
		t.Fatalf("trouble: %q", why)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	var err error
	for i := 0; err == nil; i++ {
		err = b.Append(ctx, numbered(1000*i, 1000), nil)
	}
	if err != context.DeadlineExceeded {
		t.Fatalf("a full disk must make appends wait, got %v", err)
	}
	if _, s, _, _ := b.TryNext(10); len(s) > 0 {
		t.Fatal("shown and not durable")
	}
	fs.SetCapacity(0)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if why := <-trouble; why != "" {
		t.Fatalf("trouble: %q", why)
	}
	if _, s, _, err := b.Next(context.Background(), 50); err != nil || len(s) != 50 || s[49] != numbered(49, 1)[0] {
		t.Fatalf("%d samples, %v", len(s), err)
	}
}

// TestFullDiskWhileTortured lets the disk fill up and heal again and again.
func TestFullDiskWhileTortured(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 7))
	x := &torture{t: t, r: r, durable: map[int]bool{}, got: map[uint64]int{}, has: map[int]bool{}}
	x.fs = disk.NewModel(disk.Model{Sync: -1})
	x.cfg = Config{Segment: 700, Commit: 1}
	x.open()
	for i := range 6 {
		x.note = fmt.Sprintf("step %d", i)
		x.fs.SetCapacity(x.fs.Used() + int64(r.IntN(300)))
		for range 10 {
			x.append(5)
		}
		time.Sleep(time.Millisecond)
		x.fs.SetCapacity(0)
		x.settle()
		for range 20 {
			x.step(false)
		}
	}
	x.fs = x.fs.Reopen()
	x.b.Close()
	x.settle()
	x.open()
	for x.read(50) {
	}
	for i := range x.durable {
		if !x.has[i] {
			t.Fatalf("serial %d was durable and never came", i)
		}
	}
	x.b.Close()
}

// TestFullDiskDropsOldest holds that drop-oldest makes room on a disk that is
// smaller than max_bytes.
func TestFullDiskDropsOldest(t *testing.T) {
	fs := disk.NewModel(disk.Model{Sync: -1, Capacity: 6000})
	drops := 0
	b := mustOpen(t, Config{Policy: DropOldest, Segment: 700, Commit: 1}, Options{FS: fs, OnDrop: func(why string, n int) {
		if drops += n; why != DropOverwritten {
			t.Errorf("dropped as %s", why)
		}
	}})
	const n = 600
	for i := 0; i < n; i += 10 {
		told := make(chan error, 1)
		b.Append(context.Background(), numbered(i, 10), func(err error) { told <- err })
		if err := <-told; err != nil {
			t.Fatal(err)
		}
	}
	if d := b.Depth(); drops == 0 || d+drops != n {
		t.Fatalf("depth %d, dropped %d, of %d", d, drops, n)
	}
	if _, s, _, err := b.TryNext(1); err != nil || len(s) != 1 || int(s[0].Seq) != drops {
		t.Fatalf("%v %v: the oldest must be serial %d", s, err, drops)
	}
	b.Close()
}
