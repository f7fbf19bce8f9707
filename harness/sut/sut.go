// Package sut is the system under test: any gateway that reads the PLCs of a
// run and publishes at its broker, as a process or a container.
//
//	cfg, problems := sut.Load("telegraf")       // a shipped adapter, or a file that holds a [sut] table
//	s, err := sut.New(cfg, sut.Options{Dir: dir, Log: log})
//	defer s.Stop()
//	listen, err := s.Prepare(ctx)               // makes its image; where the links must listen
//	err = s.Start(ctx, endpoints)               // renders its configuration and starts it
//	err = s.Ready(ctx)                          // waits until it is ready
//	s.Kill()                                    // SIGKILL
//	err = s.Restart(ctx)                        // again, on what its directory has kept
//
// What it publishes becomes samples through a Mapper, whose expressions the
// configuration holds:
//
//	m, problems := cfg.Mapper(endpoints)
//	batch, err := m.Decode("plant/pump", payload, now)
//
// A Mapper drops what it cannot tell: without an id there is no sample. What a
// payload does not carry stays missing: without a seq a sample is known by its
// source time, without that by its order.
package sut

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/plantbed/plantbed/internal/disk"
)

// The kinds of system under test.
const (
	// Builtin is the gateway of this project, where the harness puts it.
	Builtin   = "builtin"
	Process   = "process"
	Container = "container"
	// External is started by somebody else: a test of its own, or a box on the
	// bench that finds the PLCs at the addresses that the scenario gives them.
	External = "external"
)

var kinds = []string{Builtin, Process, Container, External}

// SUT is a system under test. Its methods must not be called at the same time,
// but for Ready, which may wait while the others are called.
type SUT interface {
	// Prepare does what takes long, such as making an image. It returns where
	// the links must listen for the SUT to reach them, "" for the loopback.
	Prepare(ctx context.Context) (listen string, err error)
	// Start starts it in an empty directory.
	Start(ctx context.Context, e Endpoints) error
	// Ready returns once the life that Start or Restart began is ready, or says
	// why it is not: it ended, or Ready.Within has passed.
	Ready(ctx context.Context) error
	// Kill ends it without a warning; its directory stays.
	Kill() error
	// Restart starts it again after a Kill, with the same configuration.
	Restart(ctx context.Context) error
	// Pause stops it from running, and lets it go on.
	Pause(on bool) error
	// Clock sets its wall clock off by offset, gaining drift seconds per second
	// from now on; 0, 0 is right again.
	Clock(offset time.Duration, drift float64) error
	Store
	// Stop asks it to end, makes it end after a while, and leaves nothing of it
	// but its directory. It may be called at any time, and again.
	Stop() error
}

// Options of a SUT.
type Options struct {
	// Dir is where its directory (sut) and its log (sut.log) go.
	Dir string
	Log *slog.Logger
	// Samples counts what has come from it, for the readiness check "data".
	Samples func() int64
	// SmallDisk has the folder in which it keeps its data be a disk of its own,
	// which can be full. To mount it takes root.
	SmallDisk bool
	// OwnClock starts it under a wall clock of its own, which can be set. It cannot
	// be paused then. Of a process alone, on Linux and amd64.
	OwnClock bool
	// Died is told, at most once a life, that it ended of its own accord.
	Died func(error)
}

// New makes a SUT of a valid Config; the built-in gateway is the harness's own.
func New(cfg Config, opts Options) (SUT, error) {
	cfg.Defaults()
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	dir, err := filepath.Abs(opts.Dir)
	if err != nil {
		return nil, fmt.Errorf("sut: %w", err)
	}
	opts.Dir = dir
	switch cfg.Kind {
	case Process:
		return &process{base: base{cfg: cfg, opts: opts}}, nil
	case Container:
		return &container{base: base{cfg: cfg, opts: opts}}, nil
	}
	if cfg.Kind == External {
		return &external{base: base{cfg: cfg, opts: opts}}, nil
	}
	return nil, fmt.Errorf("sut: kind %q is not started here", cfg.Kind)
}

// base is what a process and a container share.
type base struct {
	cfg  Config
	opts Options
	ends Endpoints
	log  *logFile
	// small is the disk under its store, or nil.
	small *disk.Small
}

// home is the SUT's directory as this process sees it.
func (b *base) home() string { return filepath.Join(b.opts.Dir, "sut") }

// prepare empties the directory and writes the rendered files into it. seen is
// the directory as the SUT sees it.
func (b *base) prepare(e Endpoints, seen string) error {
	e.Dir = seen
	e.ports = &ports{}
	b.ends = e
	if err := os.RemoveAll(b.home()); err != nil {
		return fmt.Errorf("sut: cannot empty its directory: %w", err)
	}
	if err := os.MkdirAll(b.home(), 0o755); err != nil {
		return fmt.Errorf("sut: %w", err)
	}
	if err := b.mountStore(); err != nil {
		return err
	}
	files, err := b.cfg.Rendered(b.ends)
	if err != nil {
		return err
	}
	for _, f := range files {
		at := filepath.Join(b.home(), filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			return fmt.Errorf("sut: %w", err)
		}
		if err := os.WriteFile(at, []byte(f.Text), 0o644); err != nil {
			return fmt.Errorf("sut: %w", err)
		}
	}
	log, err := newLogFile(filepath.Join(b.opts.Dir, "sut.log"))
	if err != nil {
		return fmt.Errorf("sut: %w", err)
	}
	b.log = log
	return nil
}

// Rendered are the files as a SUT with these endpoints finds them.
func (c Config) Rendered(e Endpoints) ([]File, error) {
	var out []File
	for _, f := range c.Files {
		text, err := render(f.source(), f.Text, e)
		if err != nil {
			return nil, fmt.Errorf("sut: %w", err)
		}
		out = append(out, File{Name: f.Name, Text: text})
	}
	return out, nil
}

// words renders the command, and environ the environment as KEY=VALUE, sorted.
func (b *base) words() ([]string, error) {
	out := make([]string, len(b.cfg.Command))
	for i, w := range b.cfg.Command {
		text, err := render(fmt.Sprintf("command[%d]", i), w, b.ends)
		if err != nil {
			return nil, fmt.Errorf("sut: %w", err)
		}
		out[i] = text
	}
	return out, nil
}

func (b *base) environ() ([]string, error) {
	var out []string
	for _, key := range sortedKeys(b.cfg.Env) {
		text, err := render("env."+key, b.cfg.Env[key], b.ends)
		if err != nil {
			return nil, fmt.Errorf("sut: %w", err)
		}
		out = append(out, key+"="+text)
	}
	return out, nil
}
