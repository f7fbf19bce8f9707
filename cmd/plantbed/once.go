package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/plantbed/plantbed/harness"
	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/harness/score"
	"github.com/plantbed/plantbed/harness/virtual"
	"github.com/plantbed/plantbed/reports"
	"github.com/plantbed/plantbed/scenarios"
)

// Files of a run directory.
const (
	scenarioFile = "scenario.toml"
	recordDir    = "record"
	logFile      = "log.jsonl"
	traceFile    = "trace.jsonl"
	// A gateway that is a process of its own writes its own spans.
	gatewayTraceFile = "trace-gateway.jsonl"
)

// runOnce runs a loaded scenario into dir, then scores its record. An
// interrupted run is scored too; its caller looks at ctx.
func (f *runFlags) runOnce(ctx context.Context, sc *scenarios.Scenario, dir string, errw io.Writer) (score.Result, error) {
	var none score.Result
	text, err := sc.Encode()
	if err != nil {
		return none, internal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return none, internal(fmt.Errorf("cannot make the run directory %s: %w", dir, err))
	}
	if err := os.WriteFile(filepath.Join(dir, scenarioFile), text, 0o644); err != nil {
		return none, internal(fmt.Errorf("cannot write into the run directory %s: %w", dir, err))
	}
	log, err := os.Create(filepath.Join(dir, logFile))
	if err != nil {
		return none, internal(fmt.Errorf("cannot write into the run directory %s: %w", dir, err))
	}
	defer log.Close()
	bar := newProgress(errw, f.quiet, sc.Name, sc.Seed)
	defer bar.done()
	switch sc.Gear {
	case scenarios.GearVirtual:
		err = f.runVirtual(ctx, dir, log, bar)
	case scenarios.GearLive:
		err = f.runLive(ctx, sc, dir, log, bar)
	default:
		return none, usage("the %s gear has no network, so there is no stack to judge; run takes virtual or live", sc.Gear)
	}
	bar.done()
	switch {
	case err == nil || ctx.Err() != nil && errors.Is(err, ctx.Err()):
	case errors.Is(err, exec.ErrNotFound): // the program of a system under test
		return none, invalid(err)
	default:
		return none, internal(err)
	}
	result, err := scoreDir(dir)
	if err != nil && ctx.Err() != nil {
		return none, &exit{codeInterrupted, fmt.Errorf("interrupted before anything was recorded: %v", context.Cause(ctx))}
	}
	return result, err
}

// runVirtual has the worker beside this binary run the scenario that stands
// in dir.
func (f *runFlags) runVirtual(ctx context.Context, dir string, log io.Writer, bar *progress) error {
	exe, err := workerExe()
	if err != nil {
		return err
	}
	w := virtual.Worker{Exe: exe, Args: []string{"worker", dir}, Log: log, Progress: bar.line}
	if f.trace {
		w.Args = append(w.Args, "--trace")
	}
	return w.Run(ctx)
}

// runLive runs the scenario in this process, by the wall.
func (f *runFlags) runLive(ctx context.Context, sc *scenarios.Scenario, dir string, log io.Writer, bar *progress) error {
	opts := harness.Options{Dir: dir, Log: slog.New(slog.NewJSONHandler(log, nil)), Progress: bar.show}
	if f.trace {
		stop, err := startTrace(filepath.Join(dir, traceFile))
		if err != nil {
			return err
		}
		defer stop()
		opts.GatewayArgs = []string{"--trace", filepath.Join(dir, gatewayTraceFile)}
	}
	return harness.Run(ctx, sc, opts)
}

// workerExe is plantbed-virtual beside this binary, or on the path.
func workerExe() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	exe := filepath.Join(filepath.Dir(self), "plantbed-virtual")
	if _, err := os.Stat(exe); err != nil {
		return "", fmt.Errorf("the virtual gear needs plantbed-virtual beside this binary: %w (make build makes both)", err)
	}
	return exe, nil
}

// scoreDir scores the record in a run directory and writes its reports.
func scoreDir(dir string) (score.Result, error) {
	var none score.Result
	l, err := record.Load(filepath.Join(dir, recordDir))
	if err != nil {
		return none, internal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, scenarioFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return none, internal(err)
	}
	r := score.Score(l)
	if err := addControl(dir, &r); err != nil {
		return none, internal(err)
	}
	if err := reports.Write(dir, r, text); err != nil {
		return none, internal(fmt.Errorf("cannot write the reports: %w", err))
	}
	return r, nil
}
