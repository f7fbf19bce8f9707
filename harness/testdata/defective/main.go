// Command defective runs a scenario with one defect planted into the stack,
// under the fake clock, and reports what the defect itself counted. It is for
// the tests of package harness and is part of no binary.
//
//	defective DIR DEFECT SEED          (on the pipes of package virtual)
//	defective gateway -c FILE DEFECT   (a gateway alone, in the live gear)
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/plantbed/plantbed/gateway"
	"github.com/plantbed/plantbed/harness"
	"github.com/plantbed/plantbed/harness/virtual"
	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/scenarios"
)

func main() {
	do := run
	if os.Args[1] == "gateway" {
		do = runGateway
	}
	if err := do(); err != nil {
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

// runGateway is the gateway that the live gear starts as a process of its own.
func runGateway() error {
	text, err := os.ReadFile(os.Args[3])
	if err != nil {
		return err
	}
	var cfg gateway.Config
	if _, ps := strict.Decode(os.Args[3], text, &cfg); len(ps) > 0 {
		return ps.Err()
	}
	cfg.Defaults()
	d, err := plant(os.Args[4], cfg.Seed)
	if err != nil {
		return err
	}
	opts := gateway.Options{Log: slog.New(slog.NewJSONHandler(os.Stderr, nil))}
	d.tweak.Gateway(&opts)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := gateway.Run(ctx, cfg, opts); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}
