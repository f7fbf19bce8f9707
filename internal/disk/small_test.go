package disk

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// A small disk is really full, and has room again.
func TestSmall(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: a small disk is a matter of Linux")
	}
	dir := t.TempDir()
	s, err := MountSmall(dir)
	if errors.Is(err, syscall.EPERM) && os.Getenv("PLANTBED_REQUIRE") == "" {
		t.Skip("SKIPPED: to mount a disk takes root")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f, err := os.Create(filepath.Join(dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.Write(make([]byte, 100_000))
	for _, after := range []int64{0, 64 << 10} {
		if err := s.Fill(after); err != nil {
			t.Fatal(err)
		}
		n, err := f.Write(make([]byte, 1<<20))
		if !errors.Is(err, syscall.ENOSPC) || int64(n) < after || int64(n) > after+int64(os.Getpagesize()) {
			t.Errorf("with room for %d: wrote %d, %v", after, n, err)
		}
	}
	if err := s.Clear(); err != nil {
		t.Fatal(err)
	}
	if n, err := f.Write(make([]byte, 1<<20)); n != 1<<20 || err != nil {
		t.Errorf("with room again: %d, %v", n, err)
	}
}
