//go:build unix && !solaris && !aix

package disk

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Lock takes a folder for one owner, until unlock or the end of the process,
// however that comes. It leaves nothing in the folder.
func Lock(dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("disk: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("disk: another process is using the folder %q", dir)
		}
		return nil, fmt.Errorf("disk: lock %q: %w", dir, err)
	}
	return func() { f.Close() }, nil
}
