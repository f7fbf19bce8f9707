package disk

import (
	"strings"
	"testing"
)

func TestLock(t *testing.T) {
	dir := t.TempDir()
	unlock, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a second owner: %v", err)
	}
	unlock()
	if unlock, err = Lock(dir); err != nil {
		t.Fatal(err)
	}
	unlock()
	fs, err := OS(dir)
	if err != nil {
		t.Fatal(err)
	}
	if names, err := fs.List(); err != nil || len(names) > 0 {
		t.Errorf("the lock shows: %v %v", names, err)
	}
	if _, err := Lock(dir + "/none"); err == nil {
		t.Error("a folder that is not there is locked")
	}
}
