package disk

import (
	"errors"
	"strings"
	"syscall"
	"testing"
)

// The nth operation of a kind kills, and what is left is what was synced; torn,
// it is that and a part of the rest.
func TestKillAt(t *testing.T) {
	for _, tc := range []struct {
		op   string
		nth  int
		torn bool
		left []string // of file a, any of these
	}{
		{"write", 2, false, []string{"one."}},
		{"write", 2, true, []string{"one.", "one.t", "one.tw"}},
		{"sync", 2, false, []string{"one."}},
		{"sync", 2, true, []string{"one.", "one.t", "one.tw", "one.two", "one.two."}},
		{"truncate", 1, false, []string{"one.two."}},
		{"rename", 1, false, []string{"one.two."}},
		{"create", 2, false, []string{"one.two."}},
		{"syncdir", 2, false, []string{"one.two."}},
		{"remove", 1, false, []string{"one.two."}},
	} {
		for seed := range uint64(20) {
			m := NewModel(Model{Sync: -1})
			struck := 0
			m.KillAt(tc.op, tc.nth, tc.torn, seed, func() { struck++ })
			err := work(m)
			if !errors.Is(err, ErrDead) || struck != 1 || m.Spare() {
				t.Fatalf("%+v: %v, struck %d times", tc, err, struck)
			}
			b, err := m.Reopen().ReadFile("a")
			if err != nil || !strings.Contains(" "+strings.Join(tc.left, " ")+" ", " "+string(b)+" ") {
				t.Fatalf("%+v seed %d: %q, %v", tc, seed, b, err)
			}
		}
	}
	m := NewModel(Model{Sync: -1})
	m.KillAt("rename", 9, false, 0, nil)
	if err := work(m); err != nil || !m.Spare() || m.Spare() {
		t.Errorf("a trap that was not reached: %v", err)
	}
}

// work does each operation at least once.
func work(m *ModelFS) error {
	a, err := m.Create("a")
	for _, text := range []string{"one.", "two."} {
		if err == nil {
			_, err = a.Write([]byte(text))
		}
		if err == nil {
			err = a.Sync()
		}
		if err == nil && text == "one." {
			err = m.SyncDir()
		}
	}
	for _, f := range []func() error{
		func() error { return m.Truncate("a", 4) },
		func() error { _, err := m.Create("b"); return err },
		func() error { return m.Rename("b", "c") },
		m.SyncDir,
		func() error { return m.Remove("c") },
	} {
		if err == nil {
			err = f()
		}
	}
	return err
}

// A read-only disk changes in no way, and can be read.
func TestReadOnly(t *testing.T) {
	m := NewModel(Model{Sync: -1})
	if err := work(m); err != nil {
		t.Fatal(err)
	}
	m.SetFault(syscall.EROFS)
	a, _ := m.Append("a")
	for name, f := range map[string]func() error{
		"write": func() error { _, err := a.Write([]byte("x")); return err }, "sync": a.Sync, "syncdir": m.SyncDir,
		"create": func() error { _, err := m.Create("d"); return err }, "rename": func() error { return m.Rename("a", "d") },
		"remove": func() error { return m.Remove("a") }, "truncate": func() error { return m.Truncate("a", 0) },
	} {
		if err := f(); !errors.Is(err, syscall.EROFS) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if b, err := m.ReadFile("a"); err != nil || string(b) != "one." {
		t.Errorf("%q, %v", b, err)
	}
}
