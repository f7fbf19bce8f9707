package hunt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/harness/score"
	"github.com/plantbed/plantbed/harness/virtual"
	"github.com/plantbed/plantbed/scenarios"
)

// Lab runs scenarios in worker processes under the fake clock, one process for
// each: to start one costs some 20 ms of the half second that a run takes, and
// every run begins from nothing.
type Lab struct {
	// Exe is the worker's program, Args its arguments for a run directory that
	// holds a scenario.toml.
	Exe  string
	Args func(dir string) []string
	// Dir is for run directories; each is removed after its run.
	Dir string
	// Silence is how long a worker may report nothing by the wall; 0 means
	// 15 s, some thousand times what a hundredth of a run takes.
	Silence time.Duration
}

// Run runs one scenario and judges its record. An error is no finding: it says
// that nothing can be run at all.
func (l Lab) Run(ctx context.Context, sc *scenarios.Scenario) (Outcome, error) {
	dir, err := os.MkdirTemp(l.Dir, "run-")
	if err != nil {
		return Outcome{}, fmt.Errorf("hunt: %w", err)
	}
	defer os.RemoveAll(dir)
	text, err := sc.Encode()
	if err != nil {
		return Outcome{}, err
	}
	if err := os.WriteFile(filepath.Join(dir, "scenario.toml"), text, 0o644); err != nil {
		return Outcome{}, fmt.Errorf("hunt: %w", err)
	}
	w := virtual.Worker{Exe: l.Exe, Args: l.Args(dir), Log: io.Discard, Silence: l.Silence}
	if w.Silence == 0 {
		w.Silence = 15 * time.Second
	}
	err = w.Run(ctx)
	var crash *virtual.Crash
	switch {
	case ctx.Err() != nil:
		return Outcome{}, ctx.Err()
	case errors.As(err, &crash):
		return died(crash, dir)
	case err != nil:
		return Outcome{}, err
	}
	log, err := record.Load(filepath.Join(dir, "record"))
	if err != nil {
		return Outcome{}, err
	}
	return Judge(score.Score(log).Card), nil
}

// died tells a stack that panicked or hung from a run that could not be had:
// those say so, in their record or by a plain error.
func died(c *virtual.Crash, dir string) (Outcome, error) {
	if _, err := os.Stat(filepath.Join(dir, "record")); err != nil {
		return Outcome{}, c // it did not even begin
	}
	last := strings.TrimSpace(c.Last)
	switch {
	case strings.Contains(c.Cause.Error(), "reported nothing"):
		return Outcome{Broken: []Breach{{Invariant: invariantEnds, Why: "the run hangs: " + c.Cause.Error()}}}, nil
	case strings.Contains(last, "goroutine ") || strings.Contains(last, "panic:") || strings.Contains(last, "fatal error:"):
		return Outcome{Broken: []Breach{{Invariant: invariantAlive, Stage: whose(last), Why: "the stack dies: " + firstLine(last)}}}, nil
	}
	return Outcome{Unknown: "the run could not go on: " + last[strings.LastIndexByte(last, '\n')+1:]}, nil
}

// whose names the part of this module that stands first in a stack trace.
func whose(trace string) string {
	const module = "plantbed/plantbed/"
	for _, line := range strings.Split(trace, "\n") {
		if _, rest, ok := strings.Cut(line, module); ok {
			part, _, _ := strings.Cut(rest, ".")
			return part
		}
	}
	return ""
}

func firstLine(s string) string {
	for _, line := range strings.Split(s, "\n") {
		if strings.Contains(line, "panic:") || strings.Contains(line, "fatal error:") {
			return line
		}
	}
	line, _, _ := strings.Cut(s, "\n")
	return line
}
