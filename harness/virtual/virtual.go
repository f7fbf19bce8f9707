// Package virtual runs a worker process under Go's fake clock and talks with
// it. A program built with `CGO_ENABLED=0 -tags faketime` sees a time.Now that
// starts at 2009-11-10 23:00 UTC and jumps to the next timer whenever every
// goroutine is blocked, so hours of sockets and sleeps pass in seconds.
//
// The parent, an ordinary binary:
//
//	w := virtual.Worker{Exe: "bin/plantbed-virtual", Args: []string{"worker", dir}, Progress: show, Log: logFile}
//	err := w.Run(ctx)      // a cancelled ctx asks the worker to wind up
//
// The worker:
//
//	stop, report := virtual.Attach(ctx) // ctx that ends with the parent, a line sender
//
// For a run to be the same each time, a worker runs on one core (with more, a
// thread may let the clock jump over bytes that are already readable), keeps a
// heartbeat so that no jump is long enough for the runtime's monitor thread to
// poll the network itself, and makes no long system call.
package virtual

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Worker is one worker process.
type Worker struct {
	Exe  string
	Args []string
	// Env is added to the parent's environment.
	Env []string
	// Progress is called with each line that the worker reports.
	Progress func(line string)
	// Log takes what the worker prints, without the playback headers.
	Log io.Writer
	// Silence is how long, by the wall, a worker may report nothing before it
	// counts as stuck; 0 means a minute.
	Silence time.Duration
	// Grace is how long it may take to wind up; 0 means 20 s.
	Grace time.Duration
}

// Crash is a worker that did not end well, with its last words.
type Crash struct {
	Cause error
	Last  string
}

func (c *Crash) Error() string {
	if c.Last == "" {
		return fmt.Sprintf("the virtual worker died: %v", c.Cause)
	}
	return fmt.Sprintf("the virtual worker died: %v; its last words:\n%s", c.Cause, c.Last)
}

func (c *Crash) Unwrap() error { return c.Cause }

// Run starts the worker and waits for its end. When ctx ends the worker is
// asked to wind up and Run returns ctx's error once it has; a worker that
// dies, or is silent for too long, is a *Crash.
func (w Worker) Run(ctx context.Context) error {
	progress, stop, cmd, err := w.start()
	if err != nil {
		return err
	}
	last := &tail{max: 4 << 10, also: w.Log}
	printed := make(chan struct{}, 2)
	for _, r := range []io.Reader{cmd.out, cmd.err} {
		go func() { Deframe(r, last); printed <- struct{}{} }()
	}
	var alive atomic.Int64
	alive.Store(time.Now().UnixNano())
	reported := make(chan struct{})
	go func() {
		defer close(reported)
		for s := bufio.NewScanner(progress); s.Scan(); {
			alive.Store(time.Now().UnixNano())
			if w.Progress != nil {
				w.Progress(s.Text())
			}
		}
	}()
	over := make(chan struct{})
	watched := make(chan error, 1)
	go func() { watched <- w.watch(ctx, cmd.Cmd, stop, &alive, over) }()
	<-reported
	<-printed
	<-printed
	err = cmd.Wait()
	close(over)
	stuck := <-watched
	switch {
	case stuck != nil:
		return &Crash{Cause: stuck, Last: last.String()}
	case err != nil:
		return &Crash{Cause: err, Last: last.String()}
	}
	return ctx.Err()
}

type process struct {
	*exec.Cmd
	out, err io.Reader
}

// start wires descriptor 3 as the worker's progress pipe and 4 as the pipe
// whose closing tells it to stop.
func (w Worker) start() (progress *os.File, stop *os.File, p process, err error) {
	pr, pw, err := os.Pipe()
	if err != nil {
		return nil, nil, p, fmt.Errorf("virtual: %w", err)
	}
	sr, sw, err := os.Pipe()
	if err != nil {
		return nil, nil, p, errors.Join(fmt.Errorf("virtual: %w", err), pr.Close(), pw.Close())
	}
	cmd := exec.Command(w.Exe, w.Args...)
	cmd.Env = append(append(os.Environ(), "GOMAXPROCS=1", "GOGC=400"), w.Env...)
	cmd.ExtraFiles = []*os.File{pw, sr}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C at the terminal is the parent's to pass on
	p.Cmd = cmd
	if p.out, err = cmd.StdoutPipe(); err == nil {
		p.err, err = cmd.StderrPipe()
	}
	if err == nil {
		err = cmd.Start()
	}
	pw.Close()
	sr.Close()
	if err != nil {
		pr.Close()
		sw.Close()
		return nil, nil, p, fmt.Errorf("virtual: cannot start %s: %w", w.Exe, err)
	}
	return pr, sw, p, nil
}

// watch ends the worker when ctx does, and kills one that hangs.
func (w Worker) watch(ctx context.Context, cmd *exec.Cmd, stop io.Closer, alive *atomic.Int64, over <-chan struct{}) error {
	defer stop.Close()
	silence, grace := w.Silence, w.Grace
	if silence == 0 {
		silence = time.Minute
	}
	if grace == 0 {
		grace = 20 * time.Second
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var asked time.Time
	done := ctx.Done()
	for {
		select {
		case <-over:
			return nil
		case <-done:
			asked, done = time.Now(), nil
			stop.Close()
		case <-tick.C:
			quiet := time.Since(time.Unix(0, alive.Load()))
			if quiet < silence && (asked.IsZero() || time.Since(asked) < grace) {
				continue
			}
			cmd.Process.Signal(syscall.SIGQUIT) // prints every goroutine
			time.Sleep(500 * time.Millisecond)
			cmd.Process.Kill()
			if !asked.IsZero() {
				return fmt.Errorf("it did not wind up within %s", grace)
			}
			return fmt.Errorf("it reported nothing for %s", silence)
		}
	}
}

// tail keeps the end of what is written to it from both outputs.
type tail struct {
	max  int
	also io.Writer
	mu   sync.Mutex
	b    []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.also != nil {
		t.also.Write(p) // a log that cannot be written must not end the run
	}
	t.b = append(t.b, p...)
	if len(t.b) > t.max {
		t.b = append(t.b[:0], t.b[len(t.b)-t.max:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.b))
}
