package hostclock

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestMain is also the program that is run under another clock: it says what
// time it is whenever it is asked to by a signal, from several threads.
func TestMain(m *testing.M) {
	if os.Getenv("HOSTCLOCK_CHILD") == "" {
		os.Exit(m.Run())
	}
	begun := time.Now()
	for range 200 {
		var wg sync.WaitGroup
		walls := make([]time.Time, 4)
		for i := range walls {
			wg.Go(func() { walls[i] = time.Now() })
		}
		wg.Wait()
		spread := walls[3].Round(0).Sub(walls[0].Round(0)).Abs()
		fmt.Println(time.Now().UnixNano(), time.Since(begun).Nanoseconds(), spread.Nanoseconds())
		time.Sleep(10 * time.Millisecond)
	}
	os.Exit(3)
}

func child(t *testing.T) (*Process, func() (wallAhead, since, spread time.Duration)) {
	t.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("needs Linux on amd64")
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Start(os.Args[0], []string{"child"}, Options{Stdout: w, Stderr: os.Stderr, Env: append(os.Environ(), "HOSTCLOCK_CHILD=1")})
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Kill(); p.Wait(); r.Close() })
	lines := bufio.NewScanner(r)
	return p, func() (time.Duration, time.Duration, time.Duration) {
		if !lines.Scan() {
			t.Fatalf("the child says no more: %v", p.Wait())
		}
		var wall, mono, spread int64
		if _, err := fmt.Sscan(lines.Text(), &wall, &mono, &spread); err != nil {
			t.Fatal(err)
		}
		return time.Until(time.Unix(0, wall)), time.Duration(mono), time.Duration(spread)
	}
}

// The wall clock goes where it is set, in every thread; the monotonic one, by
// which timers go, does not notice.
func TestSet(t *testing.T) {
	p, ask := child(t)
	near := func(what string, got, want time.Duration) {
		t.Helper()
		if d := got - want; d < -5*time.Second || d > 5*time.Second { // the machine may be busy
			t.Errorf("%s: the clock is %v ahead, want %v", what, got, want)
		}
	}
	ahead, before, _ := ask()
	near("at first", ahead, 0)
	for _, offset := range []time.Duration{time.Hour, -72 * time.Hour, 0, 1500 * time.Millisecond} {
		p.Set(offset, 0)
		for range 3 { // what was on its way
			ask()
		}
		ahead, since, spread := ask()
		near(offset.String(), ahead, offset)
		if since < before || since > before+time.Minute {
			t.Errorf("the monotonic clock went from %v to %v", before, since)
		}
		if spread > 5*time.Second {
			t.Errorf("two threads are %v apart", spread)
		}
		before = since
	}
	p.Set(0, 3600) // gains an hour each second
	time.Sleep(100 * time.Millisecond)
	for range 20 {
		if ahead, _, _ = ask(); ahead > 5*time.Minute {
			return
		}
	}
	t.Errorf("a clock that gains an hour a second is %v ahead", ahead)
}

// Signals end it, and its own end is told.
func TestEnds(t *testing.T) {
	p, ask := child(t)
	ask()
	p.Signal(syscall.SIGTERM)
	if err := p.Wait(); err == nil || !strings.Contains(err.Error(), "terminated") {
		t.Errorf("after SIGTERM: %v", err)
	}
	p, ask = child(t)
	ask()
	p.Kill()
	if err := p.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("after SIGKILL: %v", err)
	}
	if err := p.Signal(os.Interrupt); err != os.ErrProcessDone {
		t.Errorf("a signal to the dead: %v", err)
	}
	if _, err := Start("/nowhere/at-all", nil, Options{}); err == nil {
		t.Error("a program that is not there was started")
	}
}

// Other children of this process are not taken for the traced one.
func TestOthersChildren(t *testing.T) {
	p, ask := child(t)
	ask()
	q, err := os.StartProcess("/bin/true", []string{"true"}, &os.ProcAttr{})
	if err != nil {
		t.Skip(err)
	}
	s, err := q.Wait()
	if err != nil || !s.Success() {
		t.Errorf("%v, %v", s, err)
	}
	ask()
	p.Kill()
}
