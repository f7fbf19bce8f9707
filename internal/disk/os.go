package disk

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// OS is a folder of the operating system, made with mode 0750 if it is not there.
func OS(dir string) (FS, error) {
	if dir == "" {
		return nil, fmt.Errorf("disk: no folder given")
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("disk: %w", err)
	}
	return osFS(dir), nil
}

type osFS string

func (f osFS) path(name string) (string, error) {
	if err := checkName(name); err != nil {
		return "", err
	}
	return filepath.Join(string(f), name), nil
}

func checkName(name string) error {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\\\x00") {
		return fmt.Errorf("disk: %q is not a file name", name)
	}
	return nil
}

func (f osFS) open(name string, flag int) (File, error) {
	p, err := f.path(name)
	if err != nil {
		return nil, err
	}
	h, err := os.OpenFile(p, os.O_WRONLY|os.O_APPEND|flag, 0o640)
	if err != nil {
		return nil, err // not h: a nil *os.File in a File is not nil
	}
	return h, nil
}

func (f osFS) Create(name string) (File, error) { return f.open(name, os.O_CREATE|os.O_TRUNC) }
func (f osFS) Append(name string) (File, error) { return f.open(name, 0) }

func (f osFS) ReadFile(name string) ([]byte, error) {
	p, err := f.path(name)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(p)
}

func (f osFS) List() ([]string, error) {
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

func (f osFS) Remove(name string) error {
	p, err := f.path(name)
	if err != nil {
		return err
	}
	return os.Remove(p)
}

func (f osFS) Rename(oldName, newName string) error {
	from, err := f.path(oldName)
	if err != nil {
		return err
	}
	to, err := f.path(newName)
	if err != nil {
		return err
	}
	return os.Rename(from, to)
}

func (f osFS) Truncate(name string, size int64) error {
	p, err := f.path(name)
	if err != nil {
		return err
	}
	return os.Truncate(p, size)
}

func (f osFS) SyncDir() error {
	d, err := os.Open(string(f))
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// FlipBit turns over one bit of a real file's byte at offset.
func FlipBit(file string, offset int64) error {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], offset); err != nil {
		return fmt.Errorf("disk: flip %s at %d: %w", file, offset, err)
	}
	b[0] ^= 0x10
	_, err = f.WriteAt(b[:], offset)
	return err
}
