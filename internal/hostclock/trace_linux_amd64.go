package hostclock

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"
)

// Possible tells that this machine can.
const Possible = true

// Start runs a program under a clock that is right until Set says otherwise.
func Start(path string, argv []string, opts Options) (*Process, error) {
	p := &Process{done: make(chan struct{})}
	begun := make(chan error)
	go func() {
		// The thread that starts a traced process is the one that must trace it.
		// It ends with this goroutine, and takes the process with it if need be.
		runtime.LockOSThread()
		t := tracer{p: p, inside: map[int]bool{}}
		err := t.start(path, argv, opts)
		begun <- err
		if err == nil {
			p.err = t.follow()
		}
		close(p.done)
	}()
	if err := <-begun; err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// Kill is SIGKILL.
func (p *Process) Kill() error { return p.Signal(os.Kill) }

// Signal sends one, as os.Process does.
func (p *Process) Signal(sig os.Signal) error {
	select {
	case <-p.done:
		return os.ErrProcessDone
	default:
		return syscall.Kill(p.pid, sig.(syscall.Signal))
	}
}

// tracer is the parent's side; everything in it belongs to one thread.
type tracer struct {
	p *Process
	// inside says which threads are between the two stops of a system call.
	inside map[int]bool
}

const (
	optExitKill  = 0x100000 // PTRACE_O_EXITKILL: it dies with us
	wnothread    = 0x20000000
	sysgoodStop  = syscall.SIGTRAP | 0x80
	auxEntry     = 16 // bytes: a type and a value
	auxVDSO      = 33 // AT_SYSINFO_EHDR
	auxIgnore    = 1  // AT_IGNORE
	realtime     = 0  // CLOCK_REALTIME
	realtimeFast = 5  // CLOCK_REALTIME_COARSE
)

func (t *tracer) start(path string, argv []string, opts Options) error {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	files := []uintptr{null.Fd(), null.Fd(), null.Fd()}
	for i, f := range []*os.File{opts.Stdout, opts.Stderr} {
		if f != nil {
			files[i+1] = f.Fd()
		}
	}
	env := opts.Env
	if env == nil {
		env = os.Environ()
	}
	pid, err := syscall.ForkExec(path, argv, &syscall.ProcAttr{Dir: opts.Dir, Env: env, Files: files,
		Sys: &syscall.SysProcAttr{Ptrace: true, Setpgid: true, Pdeathsig: syscall.SIGKILL}})
	if err != nil {
		return err
	}
	t.p.pid = pid
	var ws syscall.WaitStatus
	if _, err := wait4(pid, &ws); err != nil {
		return err
	}
	if !ws.Stopped() {
		return fmt.Errorf("it ended before it began: %v", ws)
	}
	err = syscall.PtraceSetOptions(pid, syscall.PTRACE_O_TRACECLONE|syscall.PTRACE_O_TRACESYSGOOD|optExitKill)
	if err == nil {
		err = hideVDSO(pid)
	}
	if err == nil {
		err = syscall.PtraceSyscall(pid, 0)
	}
	if err != nil {
		syscall.Kill(pid, syscall.SIGKILL)
		_, _ = wait4(pid, &ws)
		return fmt.Errorf("it cannot be traced: %w", err)
	}
	return nil
}

// wait4 waits for a child or tracee of this thread alone; others of this
// process are none of our business. -1 is any.
func wait4(pid int, ws *syscall.WaitStatus) (int, error) {
	for {
		got, err := syscall.Wait4(pid, ws, syscall.WALL|wnothread, nil)
		if err != syscall.EINTR {
			return got, err
		}
	}
}

// hideVDSO takes the shortcut for reading the clock out of what the kernel has
// put on the new program's stack: argc, arguments, 0, environment, 0, and then
// pairs of a type and a value.
func hideVDSO(pid int) error {
	var regs syscall.PtraceRegs
	if err := syscall.PtraceGetRegs(pid, &regs); err != nil {
		return err
	}
	at := uintptr(regs.Rsp)
	argc, err := peek(pid, at)
	if err != nil {
		return err
	}
	at += 8 * (uintptr(argc) + 2)
	for { // over the environment
		v, err := peek(pid, at)
		if err != nil {
			return err
		}
		at += 8
		if v == 0 {
			break
		}
	}
	for ; ; at += auxEntry {
		kind, err := peek(pid, at)
		if err != nil || kind == 0 {
			return err
		}
		if kind == auxVDSO {
			return poke(pid, at, auxIgnore)
		}
	}
}

func peek(pid int, at uintptr) (uint64, error) {
	var b [8]byte
	if _, err := syscall.PtracePeekData(pid, at, b[:]); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b[:]), nil
}

func poke(pid int, at uintptr, v uint64) error {
	_, err := syscall.PtracePokeData(pid, at, binary.LittleEndian.AppendUint64(nil, v))
	return err
}

// follow is the main loop: one stop of one thread after the other, until the
// process has ended.
func (t *tracer) follow() error {
	for {
		var ws syscall.WaitStatus
		tid, err := wait4(-1, &ws)
		if err != nil {
			return fmt.Errorf("lost sight of it: %w", err)
		}
		if ws.Exited() || ws.Signaled() {
			delete(t.inside, tid)
			if tid == t.p.pid {
				return ended(ws)
			}
			continue
		}
		_ = syscall.PtraceSyscall(tid, t.stopped(tid, ws)) // a thread may die at any time
	}
}

// stopped handles a stop, and says which signal the thread is to get.
func (t *tracer) stopped(tid int, ws syscall.WaitStatus) int {
	switch sig := ws.StopSignal(); {
	case sig == sysgoodStop:
		t.inside[tid] = !t.inside[tid]
		if !t.inside[tid] {
			t.leave(tid)
		}
		return 0
	case sig == syscall.SIGTRAP: // a thread was made
		return 0
	case sig == syscall.SIGSTOP: // how a new thread begins
		return 0
	default:
		return int(sig)
	}
}

// leave changes the answer of a system call that reads the wall clock.
func (t *tracer) leave(tid int) {
	off := t.p.off()
	if off == 0 {
		return
	}
	var r syscall.PtraceRegs
	if syscall.PtraceGetRegs(tid, &r) != nil {
		return
	}
	switch {
	case r.Orig_rax == syscall.SYS_CLOCK_GETTIME && (r.Rdi == realtime || r.Rdi == realtimeFast) && r.Rax == 0:
		shift(tid, uintptr(r.Rsi), off, time.Nanosecond)
	case r.Orig_rax == syscall.SYS_GETTIMEOFDAY && r.Rax == 0 && r.Rdi != 0:
		shift(tid, uintptr(r.Rdi), off, time.Microsecond)
	case r.Orig_rax == syscall.SYS_TIME && int64(r.Rax) > 0:
		r.Rax += uint64(off / time.Second)
		_ = syscall.PtraceSetRegs(tid, &r)
		if r.Rdi != 0 {
			_ = poke(tid, uintptr(r.Rdi), r.Rax)
		}
	}
}

// shift moves a pair of seconds and units below one.
func shift(tid int, at uintptr, off, unit time.Duration) {
	s, err := peek(tid, at)
	if err != nil {
		return
	}
	below, err := peek(tid, at+8)
	if err != nil {
		return
	}
	moved := time.Unix(int64(s), int64(below)*int64(unit)).Add(off)
	_ = poke(tid, at, uint64(moved.Unix()))
	_ = poke(tid, at+8, uint64(moved.Nanosecond())/uint64(unit))
}

func ended(ws syscall.WaitStatus) error {
	switch {
	case ws.Signaled():
		return fmt.Errorf("signal: %v", ws.Signal())
	case ws.ExitStatus() != 0:
		return fmt.Errorf("exit status %d", ws.ExitStatus())
	}
	return nil
}
