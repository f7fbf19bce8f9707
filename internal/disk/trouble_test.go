package disk

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// killed is what a test's die throws.
type killed struct{}

func troubledDisk(t *testing.T) (f FS, dir string, set func(Trouble)) {
	t.Helper()
	dir, file := filepath.Join(t.TempDir(), "store"), filepath.Join(t.TempDir(), "trouble.json")
	f, err := Troubled(dir, file, func() { panic(killed{}) })
	if err != nil {
		t.Fatal(err)
	}
	return f, dir, func(tr Trouble) {
		t.Helper()
		if err := tr.Write(file); err != nil {
			t.Fatal(err)
		}
	}
}

func create(t *testing.T, f FS, name string) File {
	t.Helper()
	h, err := f.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

func TestTroubleFull(t *testing.T) {
	f, dir, set := troubledDisk(t)
	a, b := create(t, f, "a"), create(t, f, "b")
	a.Write([]byte("12345"))
	used, err := Used(dir)
	if err != nil || used != 5 {
		t.Fatalf("used %d, %v", used, err)
	}
	set(Trouble{Full: true, Capacity: used + 4})
	if n, err := b.Write([]byte("abc")); n != 3 || err != nil {
		t.Errorf("what fits: %d, %v", n, err)
	}
	if n, err := a.Write([]byte("6789")); n != 1 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("what does not: %d, %v", n, err)
	}
	if err := f.Remove("b"); err != nil {
		t.Error(err)
	}
	if n, err := a.Write([]byte("789")); n != 3 || err != nil {
		t.Errorf("where room was made: %d, %v", n, err)
	}
	set(Trouble{})
	if n, err := a.Write(make([]byte, 1000)); n != 1000 || err != nil {
		t.Errorf("afterwards: %d, %v", n, err)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "a")); string(b[:9]) != "123456789" || len(b) != 1009 {
		t.Errorf("the real file holds %q", b)
	}
}

func TestTroubleReadOnly(t *testing.T) {
	f, _, set := troubledDisk(t)
	a := create(t, f, "a")
	a.Write([]byte("kept"))
	set(Trouble{ReadOnly: true})
	_, create := f.Create("b")
	_, app := f.Append("a")
	_, write := a.Write([]byte("x"))
	for op, err := range map[string]error{"create": create, "append": app, "write": write, "sync": a.Sync(), "syncdir": f.SyncDir(), "remove": f.Remove("a"), "rename": f.Rename("a", "c"), "truncate": f.Truncate("a", 0)} {
		if !errors.Is(err, syscall.EROFS) {
			t.Errorf("%s: %v", op, err)
		}
	}
	if b, err := f.ReadFile("a"); err != nil || string(b) != "kept" {
		t.Errorf("reading: %q, %v", b, err)
	}
}

// A slow disk takes its time; nothing is said about how much more.
func TestTroubleSlow(t *testing.T) {
	f, _, set := troubledDisk(t)
	a := create(t, f, "a")
	set(Trouble{Sync: 30 * time.Millisecond})
	for op, sync := range map[string]func() error{"sync": a.Sync, "syncdir": f.SyncDir} {
		begun := time.Now()
		if err := sync(); err != nil || time.Since(begun) < 30*time.Millisecond {
			t.Errorf("%s took %v, %v", op, time.Since(begun), err)
		}
	}
}

// A kill strikes at its operation, counted from when it was set, and a write
// is done by half then.
func TestTroubleKill(t *testing.T) {
	f, dir, set := troubledDisk(t)
	a := create(t, f, "a")
	dies := func(op func()) (yes bool) {
		defer func() {
			if r := recover(); r != nil {
				_, yes = r.(killed)
			}
		}()
		op()
		return false
	}
	a.Write([]byte("before "))
	set(Trouble{Kill: &KillAt{ID: 1, Op: "write", Nth: 2}})
	for i, want := range []bool{false, true, false} {
		if got := dies(func() { a.Write([]byte("abcdef")) }); got != want {
			t.Errorf("write %d dies: %v", i+1, got)
		}
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "a")); string(b) != "before abcdefabcabcdef" {
		t.Errorf("the real file holds %q", b)
	}
	for i, op := range []struct {
		name string
		do   func()
	}{{"sync", func() { a.Sync() }}, {"syncdir", func() { f.SyncDir() }}, {"create", func() { f.Create("b") }}, {"rename", func() { f.Rename("a", "c") }},
		{"truncate", func() { f.Truncate("a", 1) }}, {"remove", func() { f.Remove("a") }}} {
		set(Trouble{Kill: &KillAt{ID: 2 + i, Op: op.name}})
		if !dies(op.do) {
			t.Errorf("%s does not die", op.name)
		}
	}
	if names, _ := f.List(); strings.Join(names, " ") != "a" {
		t.Errorf("what was killed before it began has left %v", names)
	}
}

// What cannot be read is trouble of another kind, and said.
func TestTroubleThatCannotBeRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "trouble.json")
	f, err := Troubled(t.TempDir(), file, Die)
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(file, []byte("no JSON"), 0o644)
	if _, err := f.Create("a"); err == nil || !strings.Contains(err.Error(), "trouble.json") {
		t.Errorf("got %v", err)
	}
}
