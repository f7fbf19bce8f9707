package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/harness/score"
	"github.com/plantbed/plantbed/scenarios"
)

// The control is a run directory within that of the run; what it comes to is
// written beside the card.
const (
	controlDir  = "control"
	underWayDir = ".control" // its name until both are done
	controlFile = "control.json"
)

// runBeside is runOnce, and with --control the same seed with an ideal path beside
// it: at the same time in the virtual gear, one after the other where both would
// want the same ports.
func (f *runFlags) runBeside(ctx context.Context, sc *scenarios.Scenario, dir string, errw io.Writer) (score.Result, error) {
	// What an earlier run left is of no use.
	for _, old := range []string{controlDir, underWayDir, controlFile} {
		if err := os.RemoveAll(filepath.Join(dir, old)); err != nil {
			return score.Result{}, internal(err)
		}
	}
	if !f.control {
		return f.runOnce(ctx, sc, dir, errw)
	}
	quiet := *f
	quiet.quiet, quiet.trace = true, false
	done := make(chan error, 1)
	beside := func() {
		_, err := quiet.runOnce(ctx, ideal(sc), filepath.Join(dir, underWayDir), io.Discard)
		done <- err
	}
	if sc.Gear == scenarios.GearVirtual {
		go beside()
	}
	result, err := f.runOnce(ctx, sc, dir, errw)
	if sc.Gear != scenarios.GearVirtual {
		beside()
	}
	if cerr := <-done; err != nil || ctx.Err() != nil {
		return result, err
	} else if cerr != nil {
		return result, internal(fmt.Errorf("the control: %w", cerr))
	}
	if err := os.Rename(filepath.Join(dir, underWayDir), filepath.Join(dir, controlDir)); err != nil {
		return result, internal(err)
	}
	return scoreDir(dir)
}

// ideal is a scenario without any fault of the pipe; machines and sensors have
// theirs, at the same instants.
func ideal(sc *scenarios.Scenario) *scenarios.Scenario {
	class := map[string]string{}
	for _, k := range faults.Kinds() {
		class[k.Name] = k.Class
	}
	out := *sc
	out.Faults = nil
	for _, f := range sc.Faults {
		if c := class[f.Kind]; c != faults.ClassCommunication && c != faults.ClassGateway {
			out.Faults = append(out.Faults, f)
		}
	}
	return &out
}

// addControl compares a run with its control, if there is one, and writes what
// that comes to. Both are read from their records.
func addControl(dir string, r *score.Result) error {
	l, err := record.Load(filepath.Join(dir, controlDir, recordDir))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the control: %w", err)
	}
	c, err := score.Compare(r.Card, score.Score(l).Card)
	if err != nil {
		return fmt.Errorf("the control cannot be compared: %w", err)
	}
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	r.Control = &c
	return os.WriteFile(filepath.Join(dir, controlFile), append(b, '\n'), 0o644)
}
