package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/plantbed/plantbed/harness/score"
)

// TableSweep writes a sweep for a terminal: of each of these metrics a line a
// setting. With also it shows every other in which a change shows too, and names
// those in a line that no setting touches.
func TableSweep(w io.Writer, s score.Sweep, metrics []string, also bool, color bool) error {
	p := paint{color}
	var b strings.Builder
	seeds := s.Settings[0].Runs
	fmt.Fprintf(&b, "%s  %s\n\n", p.bold(oneLine(s.Scenario)), p.dim(fmt.Sprintf("%d settings, each on %s %d to %d; changes are against the first, over pairs of one seed, with 95 %% intervals",
		len(s.Settings), plural(len(seeds), "seed"), seeds[0].Seed, seeds[len(seeds)-1].Seed)))
	rows := [][]string{{"", "passed"}}
	for i := range s.Settings {
		one := &s.Settings[i]
		rows = append(rows, []string{strings.Join(one.Set, " "), fmt.Sprintf("%d of %d", one.Passed(), len(one.Runs))})
	}
	table(&b, rows)
	var same []string
	for _, m := range score.Metrics {
		switch asked := slices.Contains(metrics, m.Name); {
		case asked && also && still(s, m.Name):
			same = append(same, m.Name+" "+measure(s.Settings[0].Metrics[m.Name].Mean, m.Unit))
		case asked || also && shown(s, m.Name):
			b.WriteString("\n" + p.bold(m.Name) + "  " + p.dim(m.Doc) + "\n")
			table(&b, sweepRows(s, m.Name))
		}
	}
	if len(same) > 0 {
		b.WriteString("\nThe same under every setting, seed by seed: " + strings.Join(same, ", ") + ".\n")
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// shown tells whether any setting changes a metric.
func shown(s score.Sweep, metric string) bool {
	return slices.ContainsFunc(s.Settings, func(one score.Setting) bool { return one.Changes[metric].Shown })
}

// still tells whether a metric is the same under every setting, seed by seed.
func still(s score.Sweep, metric string) bool {
	return !slices.ContainsFunc(s.Settings[1:], func(one score.Setting) bool { return !none(one.Changes[metric]) })
}

// sweepRows are a metric's lines, one a setting.
func sweepRows(s score.Sweep, metric string) [][]string {
	unit := metricUnit(metric)
	rows := [][]string{{"", "mean", "95 % interval", "change", "95 % interval", ""}}
	for i, one := range s.Settings {
		sp := one.Metrics[metric]
		row := []string{strings.Join(one.Set, " "), measure(sp.Mean, unit), interval(sp.CI95), "", "", ""}
		c, ok := one.Changes[metric]
		switch {
		case i == 0:
		case !ok:
			row[5] = "no pair of runs has a value"
		default:
			row[3], row[4], row[5] = signed(c.Mean, unit), interval(c.CI95), "no change shown"
			switch {
			case c.Shown:
				row[5] = "changed"
			case none(c):
				row[3], row[4], row[5] = "", "", "the same on every seed"
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// none tells that both runs of every pair have the same value.
func none(c score.Change) bool { return c.Mean == 0 && c.CI95 != nil && *c.CI95 == [2]float64{} }

// signed is a difference, with its sign.
func signed(v float64, unit string) string {
	if v > 0 {
		return "+" + quantity(v, unit)
	}
	return quantity(v, unit)
}

// table writes rows with their columns below each other.
func table(b *strings.Builder, rows [][]string) {
	wide := widths(rows)
	for _, row := range rows {
		tableLine(b, row, wide)
	}
}

// tableLine writes one row into columns of these widths.
func tableLine(b *strings.Builder, row []string, wide []int) {
	line := "  "
	for k, cell := range row {
		line += pad(cell, wide[k]) + "  "
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
}
