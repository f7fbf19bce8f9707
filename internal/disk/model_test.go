package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// dumb is the reference: every state is a copy, nothing is shared.
type dumb struct {
	live, safe  map[int]string // content by file
	names, kept map[string]int // file by name: as seen, as of the last SyncDir
	next        int
}

func newDumb() *dumb {
	return &dumb{live: map[int]string{}, safe: map[int]string{}, names: map[string]int{}, kept: map[string]int{}}
}

func (d *dumb) kill() {
	d.names = maps.Clone(d.kept)
	for id := range d.live {
		d.live[id] = d.safe[id]
	}
}

func (d *dumb) content() map[string]string {
	out := map[string]string{}
	for name, id := range d.names {
		out[name] = d.live[id]
	}
	return out
}

func content(t *testing.T, f FS) map[string]string {
	t.Helper()
	names, err := f.List()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, n := range names {
		b, err := f.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		out[n] = string(b)
	}
	return out
}

// TestModelAgainstDumb does the same random operations on both, kills included.
func TestModelAgainstDumb(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		m := NewModel(Model{Sync: -1})
		d := newDumb()
		open := map[string]File{}
		for step := range 300 {
			name := fmt.Sprintf("f%d", r.IntN(4))
			id, there := d.names[name]
			switch op := r.IntN(12); {
			case op == 0:
				f, err := m.Create(name)
				if err != nil {
					t.Fatal(err)
				}
				if !there {
					d.next++
					id = d.next
					d.names[name] = id
				}
				d.live[id], open[name] = "", f
			case op == 1 && there:
				if err := m.Remove(name); err != nil {
					t.Fatal(err)
				}
				delete(d.names, name)
				delete(open, name)
			case op == 2 && there:
				to := fmt.Sprintf("f%d", r.IntN(4))
				if err := m.Rename(name, to); err != nil {
					t.Fatal(err)
				}
				delete(d.names, name)
				d.names[to] = id
				delete(open, name)
				delete(open, to)
			case op == 3 && there:
				size := r.IntN(len(d.live[id]) + 1)
				if err := m.Truncate(name, int64(size)); err != nil {
					t.Fatal(err)
				}
				d.live[id] = d.live[id][:size]
			case op == 4:
				if err := m.SyncDir(); err != nil {
					t.Fatal(err)
				}
				d.kept = maps.Clone(d.names)
			case op == 5 && r.IntN(4) == 0:
				m = m.Reopen()
				d.kill()
				clear(open)
			case op <= 7 && open[name] != nil:
				if err := open[name].Sync(); err != nil {
					t.Fatal(err)
				}
				d.safe[id] = d.live[id]
			case open[name] != nil:
				b := strings.Repeat(string(rune('a'+r.IntN(26))), r.IntN(20))
				if _, err := open[name].Write([]byte(b)); err != nil {
					t.Fatal(err)
				}
				d.live[id] += b
			case there:
				f, err := m.Append(name)
				if err != nil {
					t.Fatal(err)
				}
				open[name] = f
			}
			if got, want := content(t, m), d.content(); !maps.Equal(got, want) {
				t.Fatalf("seed %d step %d:\n got %q\nwant %q", seed, step, got, want)
			}
			used := 0
			for _, c := range d.content() {
				used += len(c)
			}
			if int64(used) != m.Used() {
				t.Fatalf("seed %d step %d: used %d, want %d", seed, step, m.Used(), used)
			}
		}
	}
}

func write(t *testing.T, f File, s string) {
	t.Helper()
	if _, err := f.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
}

// TestKillTearsTheTail holds that a torn kill keeps a prefix, and not always the same one.
func TestKillTearsTheTail(t *testing.T) {
	const synced, tail = "durable", "0123456789"
	lengths := map[int]bool{}
	for seed := range uint64(40) {
		m := NewModel(Model{Sync: -1, Torn: true, Seed: seed})
		f, _ := m.Create("a")
		write(t, f, synced)
		if err := errors.Join(f.Sync(), m.SyncDir()); err != nil {
			t.Fatal(err)
		}
		write(t, f, tail)
		got := content(t, m.Reopen())["a"]
		if !strings.HasPrefix(got, synced) || !strings.HasPrefix(synced+tail, got) {
			t.Fatalf("seed %d: %q", seed, got)
		}
		lengths[len(got)] = true
	}
	if len(lengths) < 5 {
		t.Fatalf("40 seeds tore at %d places only", len(lengths))
	}
}

func TestDeadHandles(t *testing.T) {
	m := NewModel(Model{Sync: -1})
	f, _ := m.Create("a")
	m.Kill()
	_, werr := f.Write([]byte("x"))
	_, lerr := m.List()
	_, rerr := m.ReadFile("a")
	_, cerr := m.Create("b")
	for i, err := range []error{werr, lerr, rerr, cerr, f.Sync(), f.Close(), m.SyncDir(), m.Remove("a"), m.Rename("a", "b"), m.Truncate("a", 0)} {
		if !errors.Is(err, ErrDead) {
			t.Errorf("%d: %v, want ErrDead", i, err)
		}
	}
	if names, err := m.Reopen().List(); err != nil || len(names) != 0 {
		t.Errorf("a file that no SyncDir saw is there again: %v %v", names, err)
	}
}

// TestKillDuringSync holds that a Sync under way at the kill fails and makes nothing durable.
func TestKillDuringSync(t *testing.T) {
	m := NewModel(Model{Sync: -1})
	f, _ := m.Create("a")
	if err := m.SyncDir(); err != nil {
		t.Fatal(err)
	}
	write(t, f, "x")
	m.SetSync(50 * time.Millisecond)
	done := make(chan error)
	go func() { done <- f.Sync() }()
	time.Sleep(5 * time.Millisecond)
	next := m.Reopen()
	if err := <-done; !errors.Is(err, ErrDead) {
		t.Fatalf("Sync across a kill: %v", err)
	}
	if got := content(t, next)["a"]; got != "" {
		t.Fatalf("%q survived", got)
	}
}

func TestFullFaultyAndFlipped(t *testing.T) {
	m := NewModel(Model{Sync: -1, Capacity: 4})
	f, _ := m.Create("a")
	if n, err := f.Write([]byte("abcdef")); n != 4 || !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("wrote %d: %v", n, err)
	}
	m.SetCapacity(0)
	write(t, f, "ef")
	m.SetFault(syscall.EIO)
	if err := f.Sync(); !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	m.SetFault(nil)
	if err := errors.Join(f.Sync(), m.SyncDir(), m.FlipBit("a", 1), m.FlipBit("a", -1)); err != nil {
		t.Fatal(err)
	}
	want := "a" + string(rune('b'^0x10)) + "cde" + string(rune('f'^0x10))
	if got := content(t, m)["a"]; got != want {
		t.Fatalf("%q, want %q", got, want)
	}
	m = m.Reopen()
	if got := content(t, m)["a"]; got != want {
		t.Fatalf("after a kill %q, want %q", got, want)
	}
	if err := m.FlipBit("a", 99); err == nil {
		t.Fatal("flipped beyond the end")
	}
}

// TestOSBehavesAsTheModel does one script on a real folder and on the model.
func TestOSBehavesAsTheModel(t *testing.T) {
	real, err := OS(t.TempDir() + "/made/for/this")
	if err != nil {
		t.Fatal(err)
	}
	script := func(f FS) (log []string) {
		say := func(what string, err error) {
			kind := "ok"
			for _, k := range []error{fs.ErrNotExist, fs.ErrInvalid, fs.ErrClosed} {
				if errors.Is(err, k) {
					kind = k.Error()
				}
			}
			if err != nil && kind == "ok" {
				kind = "error"
			}
			log = append(log, what+": "+kind)
		}
		h, err := f.Create("a")
		say("create", err)
		write(t, h, "hello")
		say("sync", h.Sync())
		say("truncate", f.Truncate("a", 2))
		write(t, h, "y")
		say("close", h.Close())
		_, err = h.Write([]byte("z"))
		say("write to closed", err)
		h, err = f.Append("a")
		say("append", err)
		write(t, h, "!")
		say("close", h.Close())
		_, err = f.Append("none")
		say("append none", err)
		say("rename", f.Rename("a", "b"))
		say("remove none", f.Remove("a"))
		_, err = f.ReadFile("a")
		say("read none", err)
		_, err = f.Create("x/y")
		say("bad name", err)
		h, err = f.Create("c")
		say("create", err)
		say("close", h.Close())
		say("syncdir", f.SyncDir())
		say("remove", f.Remove("c"))
		for name, c := range content(t, f) {
			log = append(log, name+"="+c)
		}
		return log
	}
	got, want := script(real), script(NewModel(Model{Sync: -1}))
	if !slices.Equal(got, want) {
		t.Fatalf("a real folder: %v\nthe model: %v", got, want)
	}
	if want[len(want)-1] != "b=hey!" {
		t.Fatalf("%v", want)
	}
}
