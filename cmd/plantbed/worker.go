package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/plantbed/plantbed/harness"
	"github.com/plantbed/plantbed/harness/virtual"
	"github.com/plantbed/plantbed/scenarios"
)

// newWorker is what run calls in plantbed-virtual; it is not for users.
func newWorker() *cobra.Command {
	var trace bool
	cmd := &cobra.Command{
		Use:    "worker DIR",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) (err error) {
			if !virtual.Clock {
				return usage("worker is for plantbed-virtual, which run starts by itself")
			}
			dir := args[0]
			sc, ps := scenarios.Load(filepath.Join(dir, scenarioFile), nil)
			if len(ps) > 0 {
				return invalid(ps.Err())
			}
			if trace {
				stop, err := startTrace(filepath.Join(dir, traceFile))
				if err != nil {
					return internal(err)
				}
				defer stop()
			}
			ctx, report := virtual.Attach(context.Background())
			err = harness.Run(ctx, sc, harness.Options{
				Dir: dir,
				Log: slog.New(slog.NewJSONHandler(os.Stderr, nil)),
				Progress: func(p harness.Progress) {
					if b, err := json.Marshal(p); err == nil {
						report(string(b))
					}
				},
			})
			if err != nil && !errors.Is(err, context.Canceled) {
				return internal(err)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&trace, "trace", false, "write spans into DIR")
	return cmd
}
