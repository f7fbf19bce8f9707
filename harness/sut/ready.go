package sut

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"regexp"
	"sync"
	"time"
)

// ask is how often a readiness check is tried.
const ask = 103 * time.Millisecond

// wait returns once every check has held, or with the reason why not. ended is
// the end of what is waited for.
func (b *base) wait(ctx context.Context, ended <-chan error) error {
	r := b.cfg.Ready
	tcp, err := render("ready.tcp", r.TCP, b.ends)
	if err != nil {
		return fmt.Errorf("sut: %w", err)
	}
	url, err := render("ready.http", r.HTTP, b.ends)
	if err != nil {
		return fmt.Errorf("sut: %w", err)
	}
	type check struct {
		what string
		ok   func(context.Context) error
	}
	var open []check
	if tcp != "" {
		open = append(open, check{"tcp " + tcp, func(ctx context.Context) error { return tryTCP(ctx, tcp) }})
	}
	if url != "" {
		open = append(open, check{"http " + url, func(ctx context.Context) error { return tryHTTP(ctx, url) }})
	}
	if r.Log != "" {
		open = append(open, check{"a line of its log that matches " + r.Log, func(context.Context) error { return b.log.saw() }})
	}
	if r.Data {
		before := b.samples()
		open = append(open, check{"its first data", func(context.Context) error {
			if b.samples() > before {
				return nil
			}
			return fmt.Errorf("none has come")
		}})
	}
	ctx, cancel := context.WithTimeoutCause(ctx, r.Within.D(), fmt.Errorf("%s have passed", r.Within))
	defer cancel()
	tick := time.NewTicker(ask)
	defer tick.Stop()
	for {
		var last error
		for len(open) > 0 {
			if last = open[0].ok(ctx); last != nil {
				break
			}
			open = open[1:]
		}
		if len(open) == 0 && len(ended) == 0 {
			return nil
		}
		select {
		case err := <-ended:
			return fmt.Errorf("sut: %s ended before it was ready: %s%s", b.cfg.Name, endOf(err), b.log.tail())
		case <-ctx.Done():
			if len(open) == 0 {
				return context.Cause(ctx)
			}
			return fmt.Errorf("sut: %s is not ready (%w), it still lacks %s: %v%s", b.cfg.Name, context.Cause(ctx), open[0].what, last, b.log.tail())
		case <-tick.C:
		}
	}
}

func (b *base) samples() int64 {
	if b.opts.Samples == nil {
		return 0
	}
	return b.opts.Samples()
}

func endOf(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

func tryTCP(ctx context.Context, addr string) error {
	d := net.Dialer{Timeout: time.Second}
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	return c.Close()
}

func tryHTTP(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("it answers %s", resp.Status)
	}
	return nil
}

// logFile keeps what a SUT prints, looks for a line, and remembers the end.
type logFile struct {
	mu    sync.Mutex
	file  *os.File
	want  *regexp.Regexp
	found bool
	line  []byte // the unfinished one
	last  []byte
}

// tailBytes is how much of the log an error shows.
const tailBytes = 1500

func newLogFile(path string) (*logFile, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return &logFile{file: f}, nil
}

// look begins a new search; "" looks for nothing.
func (l *logFile) look(want string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.want, l.found, l.line = nil, false, nil
	if want != "" {
		l.want = regexp.MustCompile(want) // Validate has compiled it
	}
}

func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = append(l.last, p...)
	if n := len(l.last) - tailBytes; n > 0 {
		l.last = append(l.last[:0], l.last[n:]...)
	}
	if l.want != nil && !l.found {
		l.search(p)
	}
	l.file.Write(p) // a log that cannot be written must not end the SUT
	return len(p), nil
}

func (l *logFile) search(p []byte) {
	l.line = append(l.line, p...)
	for {
		line, rest, ok := bytes.Cut(l.line, []byte("\n"))
		if !ok {
			break
		}
		l.found = l.found || l.want.Match(line)
		l.line = rest
	}
	if len(l.line) > 1<<20 {
		l.line = nil
	}
}

func (l *logFile) saw() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.found {
		return fmt.Errorf("there is none")
	}
	return nil
}

// tail is the end of the log, for an error.
func (l *logFile) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.last) == 0 {
		return "; it printed nothing"
	}
	return fmt.Sprintf("; the end of %s:\n%s", l.file.Name(), bytes.TrimSpace(l.last))
}

func (l *logFile) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.file.Close()
}
