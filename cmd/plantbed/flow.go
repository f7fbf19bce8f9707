package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/signal"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/plantbed/plantbed/harness"
	"github.com/plantbed/plantbed/sim/plant"
	"github.com/plantbed/plantbed/sim/stats"
)

// flowFlags are those of the verb.
type flowFlags struct {
	runFlags
	versus []string
	warmUp time.Duration
	length time.Duration
}

func newFlow() *cobra.Command {
	var f flowFlags
	cmd := &cobra.Command{
		Use:   "flow FILE",
		Short: "What a plant makes, and where its time goes",
		Long: `Flow runs the plant of a scenario many times in the fast gear, without network or
gateway, and says what its lines make and to which machine and reason every
second goes, each figure with its 95 % interval. With --versus the same plant
with other values is run beside it on the same random numbers, so that small
differences show.`,
		Example: `  plantbed flow bottling-failures
  plantbed flow machining-cell --for 40h --versus line[0].buffers=[20,20]`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.seedSet = cmd.Flags().Changed("seed")
			return f.run(cmd.Context(), args[0], cmd.OutOrStdout())
		},
	}
	fl := cmd.Flags()
	fl.IntVar(&f.runs, "runs", 20, "how many runs")
	fl.DurationVar(&f.length, "for", 8*time.Hour, "simulated time that counts")
	fl.DurationVar(&f.warmUp, "warm-up", time.Hour, "simulated time before it")
	fl.Uint64Var(&f.seed, "seed", 0, "seed; the scenario's own if not given")
	fl.StringArrayVar(&f.sets, "set", nil, "override one key; may be repeated")
	fl.StringArrayVar(&f.versus, "versus", nil, "override one key in the plant to compare with; may be repeated")
	fl.BoolVar(&f.json, "json", false, "print the figures as JSON")
	return cmd
}

// design is a plant and what came of it, run by run.
type design struct {
	name  string
	flows []harness.Flow
}

func (f *flowFlags) run(ctx context.Context, file string, out io.Writer) error {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	switch {
	case f.runs < 2:
		return usage("--runs %d has no interval; 2 is the least", f.runs)
	case f.length <= 0 || f.warmUp < 0:
		return usage("--for %v after --warm-up %v is no time", f.length, f.warmUp)
	}
	designs := []design{{name: "as it is"}}
	if len(f.versus) > 0 {
		designs = append(designs, design{name: fmt.Sprint(f.versus)})
	}
	for i := range designs {
		flags := f.runFlags
		if i > 0 {
			flags.sets = slices.Concat(f.sets, f.versus)
		}
		sc, err := flags.load(file)
		if err != nil {
			return err
		}
		designs[i].flows, err = harness.RunFlow(ctx, sc, harness.FlowOptions{Runs: f.runs, WarmUp: f.warmUp, For: f.length, Seed: sc.Seed})
		switch {
		case ctx.Err() != nil:
			return &exit{codeInterrupted, fmt.Errorf("interrupted")}
		case err != nil:
			return internal(err)
		}
	}
	if f.json {
		return f.tellJSON(out, designs)
	}
	return f.tell(out, designs)
}

// figureOf is one figure of one line or machine, run by run.
func figureOf(flows []harness.Flow, pick func(harness.Flow) float64) []float64 {
	xs := make([]float64, len(flows))
	for i, f := range flows {
		xs[i] = pick(f)
	}
	return xs
}

func (f *flowFlags) tell(out io.Writer, designs []design) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	first := designs[0].flows
	fmt.Fprintf(w, "%d runs of %g h after %g h, each figure with its 95 %% interval\n\n", f.runs, f.length.Hours(), f.warmUp.Hours())
	for i, l := range first[0].Lines {
		fmt.Fprintf(w, "line %s\n", l.Name)
		f.figures(w, designs, func(fl harness.Flow) harness.Made { return fl.Lines[i] })
		f.losses(w, first, i)
		fmt.Fprintln(w)
	}
	for i, m := range first[0].Machines {
		fmt.Fprintf(w, "machine %s\n", m.Name)
		f.figures(w, designs, func(fl harness.Flow) harness.Made { return fl.Machines[i] })
	}
	return w.Flush()
}

// figures are those of one line or machine, and how they differ.
func (f *flowFlags) figures(w io.Writer, designs []design, of func(harness.Flow) harness.Made) {
	for _, row := range []struct {
		name string
		pick func(harness.Made) float64
	}{
		{"good units per hour", func(m harness.Made) float64 { return m.UnitsPerHour }},
		{"OEE, %", func(m harness.Made) float64 { return 100 * m.OEE }},
		{"kW", func(m harness.Made) float64 { return m.KWhPerHour }},
	} {
		pick := func(fl harness.Flow) float64 { return row.pick(of(fl)) }
		base := figureOf(designs[0].flows, pick)
		if slices.Max(base) == 0 {
			continue // a utility makes no units
		}
		fmt.Fprintf(w, "  %s\t%s", row.name, stats.Mean(base, 0.95))
		for _, d := range designs[1:] {
			other := figureOf(d.flows, pick)
			fmt.Fprintf(w, "\t%s: %s\tdifference %s", d.name, stats.Mean(other, 0.95), stats.Paired(other, base, 0.95))
		}
		fmt.Fprintln(w)
	}
}

// losses of a line in percent of all its planned time, the greatest first;
// what is under a tenth of a percent is left out.
func (f *flowFlags) losses(w io.Writer, flows []harness.Flow, line int) {
	type key struct{ machine, reason string }
	var keys []key
	sums := map[key]float64{}
	total := 0.0
	for _, fl := range flows {
		for _, l := range fl.Lines[line].Lost {
			k := key{l.Machine, l.Reason}
			if _, ok := sums[k]; !ok {
				keys = append(keys, k)
			}
			sums[k] += l.Seconds
			total += l.Seconds
		}
	}
	slices.SortStableFunc(keys, func(a, b key) int { return cmp.Compare(sums[b], sums[a]) })
	for _, k := range keys {
		if share := 100 * sums[k] / total; share >= 0.1 {
			what := k.reason
			if k.machine != "" {
				what = k.machine + ": " + k.reason
			}
			fmt.Fprintf(w, "    %s\t%.1f %% of the planned time\n", what, share)
		}
	}
}

// tellJSON prints means and half widths, and every loss.
func (f *flowFlags) tellJSON(out io.Writer, designs []design) error {
	type made struct {
		Name         string         `json:"name"`
		UnitsPerHour stats.Interval `json:"units_per_hour"`
		OEE          stats.Interval `json:"oee"`
		KW           stats.Interval `json:"kw"`
		Lost         []plant.Loss   `json:"lost_first_run"`
	}
	type result struct {
		Design   string `json:"design"`
		Lines    []made `json:"lines"`
		Machines []made `json:"machines"`
	}
	var all []result
	for _, d := range designs {
		all = append(all, result{Design: d.name})
		r := &all[len(all)-1]
		add := func(into *[]made, n int, of func(harness.Flow) []harness.Made) {
			for i := range n {
				pick := func(figure func(harness.Made) float64) stats.Interval {
					return stats.Mean(figureOf(d.flows, func(fl harness.Flow) float64 { return figure(of(fl)[i]) }), 0.95)
				}
				m := of(d.flows[0])[i]
				*into = append(*into, made{m.Name, pick(func(m harness.Made) float64 { return m.UnitsPerHour }),
					pick(func(m harness.Made) float64 { return m.OEE }), pick(func(m harness.Made) float64 { return m.KWhPerHour }), m.Lost})
			}
		}
		add(&r.Lines, len(d.flows[0].Lines), func(fl harness.Flow) []harness.Made { return fl.Lines })
		add(&r.Machines, len(d.flows[0].Machines), func(fl harness.Flow) []harness.Made { return fl.Machines })
	}
	text, err := json.MarshalIndent(map[string]any{"runs": f.runs, "hours": f.length.Hours(), "designs": all}, "", "  ")
	if err != nil {
		return internal(err)
	}
	_, err = fmt.Fprintf(out, "%s\n", text)
	return err
}
