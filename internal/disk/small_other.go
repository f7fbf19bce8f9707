//go:build !linux

package disk

import "errors"

// Small is a disk of its own under one folder; on Linux alone.
type Small struct{}

var errLinux = errors.New("disk: a small one can be mounted on Linux alone")

// MountSmall mounts one, empty.
func MountSmall(string) (*Small, error) { return nil, errLinux }

// Fill leaves room for so many bytes more.
func (*Small) Fill(int64) error { return errLinux }

// Clear ends Fill.
func (*Small) Clear() error { return errLinux }

// Close takes it away, with all that is on it.
func (*Small) Close() error { return errLinux }
