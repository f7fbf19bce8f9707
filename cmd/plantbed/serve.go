package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/plantbed/plantbed/harness"
	"github.com/plantbed/plantbed/scenarios"
)

// serveFlags are those of serve.
type serveFlags struct {
	run     runFlags
	host    string
	api     string
	broker  string
	planned bool
	json    bool
	verbose bool
}

func newServe() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve FILE",
		Short: "Bring up the PLCs of a scenario and stay: a PLC simulator for the bench",
		Long: `Serve runs the machines and PLCs of a scenario by the wall and lets clients of
your own come: no gateway, no broker, no verdict. It prints where each PLC is
reached, and an HTTP API that lists what there is, tells what is true, and
injects and clears faults; /api/v1/openapi.json there describes it, /metrics is
for Prometheus. The scenario's own faults happen only with --planned.

A PLC keeps the address that its [[plc]] table gives it (listen =
"127.0.0.1:4840"), and otherwise takes a free port. Ctrl-C ends it, with exit
code 0.`,
		Example: `  plantbed serve first-light
  plantbed serve my-line.toml --set plc[0].listen=127.0.0.1:4840 --api 127.0.0.1:8080
  curl -H 'content-type: application/json' -d '{"kind":"link.down","target":"plc-pump","for":"45s"}' http://127.0.0.1:8080/api/v1/faults`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.run.seedSet = cmd.Flags().Changed("seed")
			return f.serve(args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.host, "listen", "127.0.0.1", "host for PLCs without an address of their own, and for the API")
	fl.StringVar(&f.api, "api", "", "address of the HTTP API (default a free port of --listen)")
	fl.StringVar(&f.broker, "broker", "none", "serve an MQTT broker too, at this address or, without one, at a free port")
	fl.Lookup("broker").NoOptDefVal = "free"
	fl.BoolVar(&f.planned, "planned", false, "have the scenario's own faults happen at their times")
	fl.Uint64Var(&f.run.seed, "seed", 0, "seed; the scenario's own if not given")
	fl.StringArrayVar(&f.run.sets, "set", nil, "override one key, as in plc[0].scan=100ms; may be repeated")
	fl.BoolVar(&f.json, "json", false, "print one line of JSON when everything listens, and nothing else")
	fl.BoolVar(&f.verbose, "verbose", false, "log what happens to stderr")
	return cmd
}

func (f *serveFlags) serve(file string, out, errw io.Writer) error {
	f.run.gear = scenarios.GearLive
	sc, err := f.run.load(file)
	if err != nil {
		return err
	}
	opts := harness.ServeOptions{Host: f.host, API: f.api, Planned: f.planned, Ready: func(s harness.Served) { f.ready(out, sc, s) }}
	switch f.broker {
	case "none", "":
	case "free":
		opts.Broker = net.JoinHostPort(f.host, "0")
	default:
		opts.Broker = f.broker
	}
	if f.verbose {
		opts.Log = slog.New(slog.NewTextHandler(errw, nil))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := harness.Serve(ctx, sc, opts); err != nil {
		return internal(err)
	}
	return nil
}

// ready says where everything is.
func (f *serveFlags) ready(out io.Writer, sc *scenarios.Scenario, s harness.Served) {
	if f.json {
		json.NewEncoder(out).Encode(s)
		return
	}
	fmt.Fprintf(out, "%s: %d machines, %d PLCs, seed %d\n", sc.Name, len(sc.Machines), len(sc.PLCs), sc.Seed)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for i, e := range s.Endpoints {
		unit := ""
		if e.Protocol == "modbus" {
			unit = fmt.Sprintf("unit %d", sc.PLCs[i].Unit)
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", e.PLC, e.Protocol, e.URL, unit)
	}
	if s.Broker != "" {
		fmt.Fprintf(w, "  broker\tmqtt\t%s\t\n", s.Broker)
	}
	fmt.Fprintf(w, "  api\thttp\t%s/api/v1/status\topenapi.json beside it, %s/metrics\n", s.API, s.API)
	w.Flush()
	fmt.Fprintln(out, "up; Ctrl-C ends it")
}
