package disk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Trouble is what is wrong with a real disk. It stands in a file, so that
// whoever makes trouble need share nothing else with the process that has it,
// and trouble outlasts that process, as that of a machine does:
//
//	disk.Trouble{Full: true, Capacity: used + 4096}.Write(file)     // the one
//	store.Open(disk.Troubled("/var/lib/gateway", file, disk.Die))   // the other
//
// The zero value is none, and so is a file that is not there.
type Trouble struct {
	// Full says that all files together may have Capacity bytes.
	Full     bool  `json:"full,omitempty"`
	Capacity int64 `json:"capacity,omitempty"`
	// Sync is the least time that a Sync or SyncDir takes, ns.
	Sync time.Duration `json:"sync,omitempty"`
	// ReadOnly has every change fail with EROFS.
	ReadOnly bool    `json:"read_only,omitempty"`
	Kill     *KillAt `json:"kill,omitempty"`
}

// KillAt has the Nth operation of a kind, from when it is first seen, end with
// the process: a write half-way, the others before they begin. Kinds are those
// of ModelFS.KillAt. One with another ID is another.
type KillAt struct {
	ID  int    `json:"id"`
	Op  string `json:"op"`
	Nth int    `json:"nth"`
}

// Write puts it into a file, whole or not at all.
func (t Trouble) Write(file string) error {
	text, err := json.Marshal(t)
	if err != nil {
		return err
	}
	next := file + ".next"
	if err := os.WriteFile(next, text, 0o644); err != nil {
		return err
	}
	return os.Rename(next, file)
}

// Die is the end of this process as the kernel makes it: SIGKILL.
func Die() {
	syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
	select {}
}

// Used is the size of all files in a folder, bytes; none is nothing.
func Used(dir string) (n int64, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			n += info.Size()
		}
	}
	return n, err
}

// Troubled is OS with the trouble that stands in a file; what a KillAt calls
// for is die's to do, which must not return.
func Troubled(dir, file string, die func()) (FS, error) {
	under, err := OS(dir)
	if err != nil {
		return nil, err
	}
	return &troubled{FS: under, dir: dir, file: file, die: die}, nil
}

type troubled struct {
	FS
	dir, file string
	die       func()

	mu   sync.Mutex
	text []byte // as it was read last
	now  Trouble
	seen int // operations of now.Kill
}

// begin is called before each operation: it reads the trouble, and kills at its
// point once half is done.
func (f *troubled) begin(op, name string, half func()) (Trouble, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	text, err := os.ReadFile(f.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Trouble{}, fmt.Errorf("disk: what troubles it: %w", err)
	}
	if !bytes.Equal(text, f.text) {
		var t Trouble
		if len(text) > 0 {
			if err := json.Unmarshal(text, &t); err != nil {
				return Trouble{}, fmt.Errorf("disk: what troubles it: %s: %w", f.file, err)
			}
		}
		if t.Kill == nil || f.now.Kill == nil || t.Kill.ID != f.now.Kill.ID {
			f.seen = 0
		}
		f.text, f.now = text, t
	}
	if k := f.now.Kill; k != nil && k.Op == op {
		if f.seen++; f.seen == max(1, k.Nth) {
			if half != nil {
				half()
			}
			f.die()
		}
	}
	if f.now.ReadOnly {
		return f.now, &fs.PathError{Op: op, Path: name, Err: syscall.EROFS}
	}
	return f.now, nil
}

func (f *troubled) Create(name string) (File, error) {
	if _, err := f.begin("create", name, nil); err != nil {
		return nil, err
	}
	return f.wrap(name)(f.FS.Create(name))
}

// Append opens for writing, which is no change yet.
func (f *troubled) Append(name string) (File, error) {
	if _, err := f.begin("append", name, nil); err != nil {
		return nil, err
	}
	return f.wrap(name)(f.FS.Append(name))
}

func (f *troubled) wrap(name string) func(File, error) (File, error) {
	return func(h File, err error) (File, error) {
		if err != nil {
			return nil, err
		}
		return &troubledFile{File: h, f: f, name: name}, nil
	}
}

func (f *troubled) Remove(name string) error {
	if _, err := f.begin("remove", name, nil); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

func (f *troubled) Rename(oldName, newName string) error {
	if _, err := f.begin("rename", oldName, nil); err != nil {
		return err
	}
	return f.FS.Rename(oldName, newName)
}

func (f *troubled) Truncate(name string, size int64) error {
	if _, err := f.begin("truncate", name, nil); err != nil {
		return err
	}
	return f.FS.Truncate(name, size)
}

func (f *troubled) SyncDir() error { return f.slowly("syncdir", ".", f.FS.SyncDir) }

// slowly does a sync that takes as long as it must.
func (f *troubled) slowly(op, name string, sync func() error) error {
	t, err := f.begin(op, name, nil)
	if err != nil {
		return err
	}
	begun := time.Now()
	err = sync()
	time.Sleep(t.Sync - time.Since(begun))
	return err
}

type troubledFile struct {
	File
	f    *troubled
	name string
}

// Write writes as much as fits; what does not fit is ENOSPC.
func (h *troubledFile) Write(b []byte) (int, error) {
	t, err := h.f.begin("write", h.name, func() { h.File.Write(b[:len(b)/2]) })
	if err != nil {
		return 0, err
	}
	fits := len(b)
	if t.Full {
		used, err := Used(h.f.dir)
		if err != nil {
			return 0, err
		}
		fits = int(min(int64(fits), max(0, t.Capacity-used)))
	}
	n, err := h.File.Write(b[:fits])
	if err == nil && fits < len(b) {
		err = &fs.PathError{Op: "write", Path: filepath.Join(h.f.dir, h.name), Err: syscall.ENOSPC}
	}
	return n, err
}

func (h *troubledFile) Sync() error { return h.f.slowly("sync", h.name, h.File.Sync) }
