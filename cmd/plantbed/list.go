package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/harness/score"
	"github.com/plantbed/plantbed/scenarios"
	"github.com/plantbed/plantbed/sim/plant"
	"github.com/plantbed/plantbed/twin/predict"
)

// listings are what list can list.
var listings = []struct {
	name  string
	print func(io.Writer)
}{
	{"scenarios", listScenarios},
	{"faults", listFaults},
	{"machines", listMachines},
	{"models", listModels},
	{"metrics", listMetrics},
}

func newList() *cobra.Command {
	var asJSON bool
	var names []string
	for _, l := range listings {
		names = append(names, l.name)
	}
	cmd := &cobra.Command{
		Use:   "list " + strings.Join(names, "|"),
		Short: "List what there is to build a scenario from",
		Example: `  plantbed list machines
  plantbed list metrics --json`,
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: names,
		RunE: func(cmd *cobra.Command, args []string) error {
			if asJSON {
				return listJSON(cmd.OutOrStdout(), args[0])
			}
			for _, l := range listings {
				if l.name == args[0] {
					w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
					l.print(w)
					return w.Flush()
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the names as JSON")
	return cmd
}

func listJSON(out io.Writer, what string) error {
	names := []string{}
	switch what {
	case "scenarios":
		names = scenarios.Shipped()
	case "faults":
		for _, k := range faults.Kinds() {
			names = append(names, k.Name)
		}
	case "machines":
		for _, k := range plant.Kinds() {
			names = append(names, k.Name)
		}
	case "models":
		names = []string{predict.DetectorPCA, predict.DetectorShewhart}
	case "metrics":
		names = score.MetricNames()
	}
	return json.NewEncoder(out).Encode(map[string][]string{what: names})
}

func listScenarios(w io.Writer) {
	for _, name := range scenarios.Shipped() {
		sc, ps := scenarios.Load(name, nil)
		if len(ps) > 0 {
			panic("a shipped scenario is not valid: " + ps.Err().Error())
		}
		fmt.Fprintf(w, "%s\t%s\n", name, sc.Summary)
	}
}

func listFaults(w io.Writer) {
	fmt.Fprintln(w, "kind\tclass\tgear\tkeys\twhat it does")
	for _, k := range faults.Kinds() {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", k.Name, k.Class, k.Gear(), keyNames(k.Keys), k.Doc)
	}
	fmt.Fprintf(w, "of every kind\t\t\tkind target at %s\twhat, where and when\n", keyNames(faults.WhenKeys))
	fmt.Fprintln(w, "\nfor link.profile\t\t\tone way, bursts of loss, up and down in Mbit/s\t")
	for _, p := range faults.Profiles {
		loss := "no loss"
		if p.Loss.Bad > 0 {
			loss = fmt.Sprintf("%v of each %v", p.Loss.Bad, p.Loss.Good)
		}
		fmt.Fprintf(w, "%s\t\t\t%v \u00b1 %v %s, %s, %v/%v\t%s\n", p.Name, p.Delay, p.Jitter, p.Spread, loss, p.Up, p.Down, p.Doc)
	}
}

func keyNames(keys []faults.Key) string {
	var names []string
	for _, k := range keys {
		names = append(names, k.Name)
	}
	return strings.Join(names, " ")
}

func listMachines(w io.Writer) {
	for _, k := range plant.Kinds() {
		fmt.Fprintf(w, "%s\t%s\n", k.Name, k.Doc)
		for _, p := range k.Params {
			fmt.Fprintf(w, "  param %s\t%s to %s %s, default %s\t%s\n", p.Name, plainly(p.Min), plainly(p.Max), p.Unit, plainly(p.Default), p.Doc)
		}
		for _, r := range k.Regimes {
			fmt.Fprintf(w, "  regime %s\t\t%s\n", r.Name, r.Doc)
		}
		for _, s := range k.Signals {
			fmt.Fprintf(w, "  signal %s\t%s to %s %s, %s\t%s\n", s.Name, plainly(s.Lo), plainly(s.Hi), s.Unit, s.Type, s.Doc)
		}
		for _, c := range k.Components {
			fmt.Fprintf(w, "  component %s\tfails by %s\t%s\n", c.Name, c.Mode, c.Doc)
			fmt.Fprintf(w, "    law\t%s\t\n", c.Law)
			fmt.Fprintf(w, "    shows in\t%s\tlooks alike: %s\n", c.Shows, c.LookAlike.Doc)
		}
		fmt.Fprintln(w)
	}
}

// plainly is a number as one would write it.
func plainly(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func listModels(w io.Writer) {
	fmt.Fprintf(w, "%s\tT2 of what each channel leaves of a prediction by the others, on two time scales, limits from a healthy seed; tells sensor from process faults\n", predict.DetectorPCA)
	fmt.Fprintf(w, "%s\tbaseline: any channel outside three sigma\n", predict.DetectorShewhart)
	fmt.Fprintln(w, "always, never, random\tbaselines that look at nothing; a detector that does not beat them is worth nothing")
}

func listMetrics(w io.Writer) {
	for _, m := range score.Metrics {
		fmt.Fprintf(w, "%s\t%s\t%s\n", m.Name, m.Unit, m.Doc)
	}
}
