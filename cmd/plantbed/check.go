package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/harness"
	"github.com/plantbed/plantbed/scenarios"
	"github.com/plantbed/plantbed/sim/plant"
)

func newCheck() *cobra.Command {
	var f runFlags
	var svg string
	cmd := &cobra.Command{
		Use:   "check FILE...",
		Short: "Validate scenarios and print the resolved plan",
		Long: `Check loads each scenario, reports every problem with file and line, and prints
what would happen when. Nothing is started.`,
		Example: `  plantbed check first-light
  plantbed check my-line.toml --seed 7
  plantbed check machining-cell --svg cell.svg`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.seedSet = cmd.Flags().Changed("seed")
			if svg != "" && len(args) > 1 {
				return usage("--svg draws one scenario, and %d are given", len(args))
			}
			var all []error
			for _, file := range args {
				sc, err := f.load(file)
				if err == nil {
					err = printPlan(cmd.OutOrStdout(), sc)
				}
				if err == nil && svg != "" {
					err = os.WriteFile(svg, plant.SVG(plant.Config{Machines: sc.Machines, Lines: sc.Lines}, sc.Name), 0o644)
				}
				all = append(all, err)
			}
			if err := errors.Join(all...); err != nil {
				return invalid(err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&svg, "svg", "", "draw the plant into this file")
	cmd.Flags().Uint64Var(&f.seed, "seed", 0, "seed; the scenario's own if not given")
	cmd.Flags().StringArrayVar(&f.sets, "set", nil, "override one key; may be repeated")
	return cmd
}

func printPlan(out io.Writer, sc *scenarios.Scenario) error {
	m, err := harness.Plan(sc)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: valid. Seed %d, %s, %s gear, %d machines, %d PLCs, %d tags, %d expectations.\n",
		sc.Name, sc.Seed, sc.Duration, sc.Gear, len(m.Machines), len(m.PLCs), len(m.Tags), len(m.Expect))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "from\tto\tfault\ttarget\tclass\tnote")
	for _, p := range m.Plan {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", p.From.Round(time.Millisecond), p.To.Round(time.Millisecond), p.Kind, p.Target, p.Class, p.Note)
	}
	// The rest the plant decides, between these times at most.
	for _, p := range faults.Waiting(sc.Faults, sc.Duration.D()) {
		fmt.Fprintf(w, "(%s\t%s)\t%s\t%s\t%s\t%s\n", p.From.Round(time.Millisecond), p.To.Round(time.Millisecond), p.Kind, p.Target, p.Class, p.Note)
	}
	return w.Flush()
}
