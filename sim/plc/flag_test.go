package plc_test

import (
	"testing"
	"time"
)

// A flag shows what the last scan found, stands still with a device that is
// frozen or in STOP, and is off in one that has not scanned yet.
func TestFlag(t *testing.T) {
	k, p, _ := makePLC(t, 1, config())
	now := true
	f := p.Flag(func() bool { return now })
	if f.On() {
		t.Error("on before the first scan")
	}
	p.Start()
	after := func(what string, seconds time.Duration, want bool) {
		t.Helper()
		k.Run(seconds * time.Second)
		if f.On() != want {
			t.Errorf("%s: %v", what, f.On())
		}
	}
	after("scanned", 1, true)
	p.Switch().Freeze(true)
	now = false
	after("frozen", 2, true)
	p.Switch().Freeze(false)
	after("thawed", 3, false)
	now = true
	p.Switch().Stop()
	after("stopped", 4, false)
	p.Switch().Start()
	after("started", 5, true)
	p.Switch().Restart(true, false)
	p.Switch().Restart(false, false)
	if f.On() {
		t.Error("remembered through a restart")
	}
}
