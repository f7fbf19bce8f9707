package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plantbed/plantbed/harness"
)

func newEval() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "eval",
		Short: "Judge the detectors by failures they have never seen",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newEvalDetector())
	return cmd
}

func newEvalDetector() *cobra.Command {
	var seed uint64
	var quick, asJSON bool
	cmd := &cobra.Command{
		Use:   "detector",
		Short: "The shipped detector beside trivial ones, at one false-alarm rate",
		Long: `Detector runs bottling lines in the fast gear: healthy weeks in which loads,
products and weather change, parts that wear out, sensors that lie. Limits come
from a healthy time of each line under a seed that is never scored. The table
has event recall, delays and false alarms with 95 % intervals over machines, for
the shipped detector and for those that anybody could write, whose limits are set
to the same false-alarm rate. See docs/DETECTOR.md.`,
		Example: `  plantbed eval detector
  plantbed eval detector --quick --seed 7`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			e := harness.DefaultExam()
			if quick {
				e = harness.QuickExam()
			}
			if cmd.Flags().Changed("seed") {
				e.Seed = seed
			}
			if !asJSON {
				fmt.Fprintf(cmd.OutOrStdout(), "seed %d, limits from seed %d; again: plantbed eval detector --seed %d%s\n",
					e.Seed, e.CalibrationSeed, e.Seed, strings.Repeat(" --quick", map[bool]int{true: 1}[quick]))
			}
			if isTerminal(cmd.ErrOrStderr()) {
				e.Progress = func(done, all int) { fmt.Fprintf(cmd.ErrOrStderr(), "\r%d of %d lines", done, all) }
				defer fmt.Fprint(cmd.ErrOrStderr(), "\r\x1b[K")
			}
			table, err := e.Run()
			if err != nil {
				return internal(err)
			}
			if asJSON {
				enc := json.NewEncoder(cmd.OutOrStdout())
				enc.SetIndent("", "  ")
				err = enc.Encode(table)
			} else {
				err = table.Print(cmd.OutOrStdout())
			}
			if err != nil {
				return internal(err)
			}
			return nil
		},
	}
	cmd.Flags().Uint64Var(&seed, "seed", 0, "seed of the scored time; that of the published figures if not given")
	cmd.Flags().BoolVar(&quick, "quick", false, "two lines only: too little to prove anything, in seconds")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the table as JSON")
	return cmd
}
