package disk

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

// Small is a disk of its own under one folder, in memory, whose size can be
// changed: for a program whose writes cannot be had by Troubled. To mount it
// takes root.
type Small struct{ dir string }

// wide is a Small's size where nothing is wrong with it, bytes.
const wide = 256 << 20

// MountSmall mounts one, empty.
func MountSmall(dir string) (*Small, error) {
	if err := syscall.Mount("plantbed", dir, "tmpfs", 0, fmt.Sprintf("size=%d", wide)); err != nil {
		return nil, fmt.Errorf("disk: cannot mount a small one at %s, which takes root: %w", dir, err)
	}
	return &Small{dir}, nil
}

func (s *Small) resize(bytes int64) error {
	if err := syscall.Mount("plantbed", s.dir, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%d", bytes)); err != nil {
		return fmt.Errorf("disk: cannot make the one at %s %d bytes: %w", s.dir, bytes, err)
	}
	return nil
}

// Fill leaves room for so many bytes more, to the next page.
func (s *Small) Fill(after int64) error {
	page := int64(os.Getpagesize())
	for try := 0; ; try++ {
		var st syscall.Statfs_t
		if err := syscall.Statfs(s.dir, &st); err != nil {
			return fmt.Errorf("disk: %s: %w", s.dir, err)
		}
		used := int64(st.Blocks-st.Bfree) * st.Bsize
		err := s.resize(max(page, used+(after+page-1)/page*page)) // 0 would be no limit
		if err == nil || try == 10 {
			return err
		}
		time.Sleep(time.Millisecond) // it was written to meanwhile
	}
}

// Clear ends Fill.
func (s *Small) Clear() error { return s.resize(wide) }

// Close takes it away, with all that is on it.
func (s *Small) Close() error { return syscall.Unmount(s.dir, syscall.MNT_DETACH) }
