package sut

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/plantbed/plantbed/internal/disk"
)

// Store is what can happen to the folder in which a SUT keeps its data.
type Store interface {
	// Full leaves it so many bytes more; every write after that fails. Room ends
	// that.
	Full(after int64) error
	Room() error
	// Flip turns one bit of the file that was written last; place is from 0 to 1.
	// It says of which file, below the folder, and of which byte.
	Flip(place float64) (file string, at int64, err error)
}

// errNoStore says why there is nothing to break.
var errNoStore = errors.New("sut: there is no store on a disk that can be broken")

func (b *base) storeDir() string { return filepath.Join(b.home(), filepath.FromSlash(b.cfg.Store)) }

// mountStore puts a small disk under the store, where there will be need of one.
func (b *base) mountStore() (err error) {
	if b.cfg.Store == "" || !b.opts.SmallDisk {
		return nil
	}
	if err := os.MkdirAll(b.storeDir(), 0o755); err != nil {
		return fmt.Errorf("sut: %w", err)
	}
	b.small, err = disk.MountSmall(b.storeDir())
	return err
}

// Full is Store.Full.
func (b *base) Full(after int64) error {
	if b.small == nil {
		return errNoStore
	}
	return b.small.Fill(after)
}

// Room is Store.Room.
func (b *base) Room() error {
	if b.small == nil {
		return nil
	}
	return b.small.Clear()
}

// Flip is Store.Flip.
func (b *base) Flip(place float64) (file string, at int64, err error) {
	if b.cfg.Store == "" {
		return "", 0, errNoStore
	}
	var latest time.Time
	var size int64
	err = filepath.WalkDir(b.storeDir(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		if info, err := d.Info(); err == nil && info.Size() > 0 && !info.ModTime().Before(latest) {
			file, size, latest = path, info.Size(), info.ModTime()
		}
		return nil
	})
	if err == nil && file == "" {
		err = fmt.Errorf("it has stored nothing yet in %s", b.cfg.Store)
	}
	if err != nil {
		return "", 0, fmt.Errorf("sut: %w", err)
	}
	at = int64(place * float64(size-1))
	name, _ := filepath.Rel(b.storeDir(), file)
	return name, at, disk.FlipBit(file, at)
}

// leaveStore takes the small disk away.
func (b *base) leaveStore() {
	if b.small != nil {
		if err := b.small.Close(); err != nil {
			b.opts.Log.Warn("the small disk of the system under test stays", "at", b.storeDir(), "err", err)
		}
		b.small = nil
	}
}
