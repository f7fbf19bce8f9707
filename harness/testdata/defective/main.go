// Command defective runs a scenario with one defect planted into the stack,
// under the fake clock, and reports what the defect itself counted. It is for
// the tests of package harness and is part of no binary.
//
//	defective DIR DEFECT SEED   (on the pipes of package virtual)
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"

	"github.com/plantbed/plantbed/harness"
	"github.com/plantbed/plantbed/harness/virtual"
	"github.com/plantbed/plantbed/scenarios"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	dir, name := os.Args[1], os.Args[2]
	seed, err := strconv.ParseUint(os.Args[3], 10, 64)
	if err != nil {
		return err
	}
	sc, ps := scenarios.Load(filepath.Join(dir, "scenario.toml"), nil)
	if len(ps) > 0 {
		return ps.Err()
	}
	d, err := plant(name, seed)
	if err != nil {
		return err
	}
	ctx, report := virtual.Attach(context.Background())
	opts := harness.Options{Dir: dir, Log: slog.New(slog.NewJSONHandler(os.Stderr, nil)), Tweak: d.tweak,
		Progress: func(harness.Progress) { report("alive") }}
	if err := harness.Run(ctx, sc, opts); err != nil {
		return err
	}
	b, err := json.Marshal(d.own)
	report("own " + string(b))
	return err
}
