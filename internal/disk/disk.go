// Package disk is the seam between a durable store and the disk under it: a
// small file system that can be the operating system's, or a model whose Sync
// takes a stated time and which loses, when its owner is killed, everything
// written since the last Sync.
//
//	fs, err := disk.OS(dir)           // a real folder, made if need be
//
//	m := disk.NewModel(disk.Model{})  // in memory, Sync sleeps 2 ms
//	store.Open(m)                     // ... the store works on it
//	m.Kill()                          // its process is gone: every call says ErrDead
//	store.Open(m.Reopen())            // what was synced is there, nothing else
//
// A real folder can be had with trouble that another process makes (Troubled),
// and as a small disk of its own that is full for every program (Small).
package disk

import (
	"errors"
	"io"
)

// ErrDead is what every operation on a killed model says.
var ErrDead = errors.New("disk: the process that had this open was killed")

// FS is a flat folder of files. Names hold no separators.
type FS interface {
	// Create makes an empty file, truncating one that exists, open for appending.
	Create(name string) (File, error)
	// Append opens an existing file for appending at its end.
	Append(name string) (File, error)
	// ReadFile returns the whole content.
	ReadFile(name string) ([]byte, error)
	// List returns the names of all files, sorted.
	List() ([]string, error)
	Remove(name string) error
	// Rename replaces newName if it exists; it is durable after SyncDir.
	Rename(oldName, newName string) error
	Truncate(name string, size int64) error
	// SyncDir makes creations, removals and renames durable.
	SyncDir() error
}

// File is an open file that is only appended to.
type File interface {
	io.Writer
	// Sync returns once everything written so far survives a power cut.
	Sync() error
	Close() error
}
