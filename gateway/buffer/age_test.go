package buffer

import (
	"context"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/disk"
	"github.com/plantbed/plantbed/internal/strict"
)

// restamp moves the times of all groups on a disk, as if the gateway's clock had
// stood elsewhere when they were written.
func restamp(t *testing.T, fs *disk.ModelFS, by time.Duration) {
	t.Helper()
	names, err := fs.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !strings.HasSuffix(name, ".seg") {
			continue
		}
		image, err := fs.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for off := 0; ; {
			start, kind, body := nextBlock(image, off)
			if kind == 0 {
				break
			}
			off = start + blockHead + len(body)
			if kind == kindGroup {
				binary.LittleEndian.PutUint64(body[16:], binary.LittleEndian.Uint64(body[16:])+uint64(by))
				binary.LittleEndian.PutUint32(image[start+8:], checksum(image[start+3:start+8], body))
			}
		}
		f, err := fs.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		f.Write(image)
		f.Sync()
		f.Close()
	}
}

// TestAgesThroughAClockThatJumps restarts a gateway whose clock was three days
// off in an earlier life, either way, or which was off for three days: nothing is
// taken for older than it is, nothing for younger, and the order stays.
func TestAgesThroughAClockThatJumps(t *testing.T) {
	for _, jump := range []time.Duration{72 * time.Hour, -72 * time.Hour} {
		t.Run(jump.String(), func(t *testing.T) {
			drops := map[string]int{}
			fs := disk.NewModel(disk.Model{Sync: -1})
			opt := Options{FS: fs, OnDrop: func(why string, n int) { drops[why] += n }}
			cfg := Config{MaxBytes: 1 << 20, Segment: 512, Commit: 1, MaxAge: strict.Duration(time.Hour)}
			life := func(from int) {
				b := mustOpen(t, cfg, opt)
				for i := range 3 {
					done := make(chan error, 1)
					b.Append(context.Background(), numbered(from+30*i, 30), func(err error) { done <- err })
					if err := <-done; err != nil {
						t.Fatal(err)
					}
				}
				b.Close()
			}
			life(0)
			restamp(t, fs, jump)
			life(90)
			life(180)
			b := mustOpen(t, cfg, opt)
			next := uint64(1)
			for next <= 270 {
				first, s, appended, err := b.Next(context.Background(), 500)
				if err != nil || first != next {
					t.Fatalf("number %d came when %d was due, dropped %v, %v", first, next, drops, err)
				}
				if age := time.Since(appended); age < 0 || age > time.Minute {
					t.Errorf("numbers from %d on are told to be %v old", first, age)
				}
				next += uint64(len(s))
			}
			b.Close()
			// what is old by the buffer's own clock goes
			cfg.MaxAge = strict.Duration(30 * time.Millisecond)
			b = mustOpen(t, cfg, opt)
			time.Sleep(50 * time.Millisecond)
			b.Room(1)
			if drops[DropExpired] == 0 {
				t.Error("nothing ever expires")
			}
			b.Close()
		})
	}
}
