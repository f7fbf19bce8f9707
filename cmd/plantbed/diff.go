package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/plantbed/plantbed/harness/score"
)

// change is one metric in two runs.
type change struct {
	Metric string   `json:"metric"`
	Unit   string   `json:"unit"`
	Base   *float64 `json:"base"`
	New    *float64 `json:"new"`
}

// comparison is what diff says.
type comparison struct {
	Base    score.Verdict `json:"base"`
	New     score.Verdict `json:"new"`
	Changes []change      `json:"changes"`
	// Broken are expectations that the base met and the new run does not.
	Broken []string `json:"broken"`
}

func newDiff() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "diff BASE NEW",
		Short: "Compare two runs, metric by metric",
		Long: `Diff compares the cards of two run directories and prints every metric that
changed. The exit code is 10 when the new run breaks an expectation that the
base met, else 0.`,
		Example: "  plantbed diff runs/before runs/after",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			base, err := readCard(args[0])
			if err != nil {
				return err
			}
			next, err := readCard(args[1])
			if err != nil {
				return err
			}
			c := compare(base, next)
			if asJSON {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				err = e.Encode(c)
			} else {
				err = c.print(cmd.OutOrStdout())
			}
			if err != nil {
				return internal(err)
			}
			if len(c.Broken) > 0 {
				return &exit{code: codeFail}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return cmd
}

func readCard(dir string) (score.Card, error) {
	var c score.Card
	b, err := os.ReadFile(filepath.Join(dir, "card.json"))
	if err != nil {
		return c, internal(fmt.Errorf("%s is no run directory: %w", dir, err))
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return c, internal(fmt.Errorf("%s: card.json: %w", dir, err))
	}
	return c, nil
}

func compare(base, next score.Card) comparison {
	c := comparison{Base: base.Verdict, New: next.Verdict, Changes: []change{}, Broken: []string{}}
	for _, m := range score.Metrics {
		b, n := base.Metrics[m.Name].Value, next.Metrics[m.Name].Value
		if (b == nil) != (n == nil) || b != nil && *b != *n {
			c.Changes = append(c.Changes, change{m.Name, m.Unit, b, n})
		}
	}
	met := map[string]bool{}
	for _, x := range base.Expectations {
		met[expectKey(x)] = x.Verdict == score.Pass
	}
	for _, x := range next.Expectations {
		if met[expectKey(x)] && x.Verdict != score.Pass {
			c.Broken = append(c.Broken, x.Why)
		}
	}
	return c
}

func expectKey(x score.Expectation) string { return x.Metric + x.Op }

func (c comparison) print(out io.Writer) error {
	fmt.Fprintf(out, "verdict: %s, was %s\n", c.New, c.Base)
	for _, b := range c.Broken {
		fmt.Fprintf(out, "broken: %s\n", b)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, ch := range c.Changes {
		fmt.Fprintf(w, "%s\t%s\t→ %s\t%s\t\n", ch.Metric, figure(ch.Base), figure(ch.New), ch.Unit)
	}
	if len(c.Changes) == 0 {
		fmt.Fprintln(w, "no metric changed")
	}
	return w.Flush()
}

func figure(v *float64) string {
	if v == nil {
		return "none"
	}
	return fmt.Sprintf("%.6g", *v)
}
