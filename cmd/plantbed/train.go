package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/plantbed/plantbed/harness"
)

func newTrain() *cobra.Command {
	var f runFlags
	var length time.Duration
	var seed uint64
	cmd := &cobra.Command{
		Use:   "train FILE",
		Short: "Fit the detectors to a healthy plant, for a twin on its own",
		Long: `Train runs the plant of a scenario in the fast gear without any fault, under its
calibration seed, fits the shipped detector to each machine and writes the models
for plantbed twin --models. It is what run does by itself before the clock
starts: limits never come from the time that is judged.`,
		Example: `  plantbed train first-light --out models.json
  plantbed train my-line.toml --for 72h --seed 5 --out models.json
  plantbed twin -c twin.toml --models models.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("seed") {
				f.sets = append(f.sets, "detector.calibration_seed="+strconv.FormatUint(seed, 10))
			}
			if cmd.Flags().Changed("for") {
				f.sets = append(f.sets, "detector.calibration_duration="+length.String())
			}
			return f.train(args[0], cmd.OutOrStdout())
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.out, "out", "models.json", "file for the models")
	fl.DurationVar(&length, "for", 0, "healthy time to learn from; the scenario's detector.calibration_duration if not given")
	fl.Uint64Var(&seed, "seed", 0, "seed of that time; the scenario's detector.calibration_seed if not given")
	fl.StringArrayVar(&f.sets, "set", nil, "override one key of the scenario; may be repeated")
	fl.BoolVar(&f.quiet, "quiet", false, "say nothing of the models")
	return cmd
}

func (f *runFlags) train(file string, out io.Writer) error {
	sc, err := f.load(file)
	if err != nil {
		return err
	}
	models, err := harness.Train(sc)
	if err != nil {
		return internal(err)
	}
	if len(models) == 0 {
		return invalid(fmt.Errorf("%s: no machine has two channels or more, so there is nothing to learn from", file))
	}
	text, err := json.MarshalIndent(models, "", "  ")
	if err == nil {
		err = os.WriteFile(f.out, append(text, '\n'), 0o644)
	}
	if err != nil {
		return internal(fmt.Errorf("cannot write the models: %w", err))
	}
	if f.quiet {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "machine\tchannels\tleft out\trows of %s\n", models[0].Model.Options.Window)
	for _, m := range models {
		fmt.Fprintf(w, "%s\t%d of %d\t%d\t%d\n", m.Spec.Machine, len(m.Model.Use), len(m.Model.Names), len(m.Model.Left), m.Model.Rows)
	}
	fmt.Fprintf(w, "models: %s\n", f.out)
	if err := w.Flush(); err != nil {
		return internal(err)
	}
	return nil
}
