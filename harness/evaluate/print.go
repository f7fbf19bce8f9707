package evaluate

import (
	"fmt"
	"io"
	"strings"
)

// Print writes the table for people.
func (t Table) Print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d failures of %d modes and %d sensor faults on %d machines, %.1f healthy machine-weeks; an alarm counts until %.0f min before the failure\n\n",
		t.Failures, len(t.Rows[0].RecallByModes), t.SensorFaults, t.Units, t.HealthyWeeks, t.LeadMin)
	fmt.Fprintf(&b, "%-24s %22s %22s %24s %24s %22s\n", "", "false per week", "event recall", "median delay, of life", "P90 delay, of life", "VUS-PR")
	for _, r := range t.Rows {
		fmt.Fprintf(&b, "%-24s %22s %22s %24s %24s %22s  %s\n", r.Name, show(r.FalsePerWeek, 2), show(r.Recall, 2), show(r.DelayMedian, 2), show(r.DelayP90, 2), show(r.VUSPR, 2), beaten(r))
	}
	r := t.Rows[0]
	fmt.Fprintf(&b, "\nshipped: median delay %s h, P90 %s h; %d false alarms, %d of them while a sensor lay\n", show(r.DelayMedianH, 1), show(r.DelayP90H, 1), r.False, r.Forgiven)
	b.WriteString("announced by mode:")
	for _, m := range r.RecallByModes {
		fmt.Fprintf(&b, "  %s %d/%d", m.Mode, m.Hits, m.Count)
	}
	b.WriteString("\n\nwhose fault, by the first alarm of the shipped detector\n")
	fmt.Fprintf(&b, "  %-26s %8s %8s %8s\n", "", "nothing", "process", "sensor")
	line := func(name string, nothing, process, sensor int) {
		fmt.Fprintf(&b, "  %-26s %8d %8d %8d\n", name, nothing, process, sensor)
	}
	for i, name := range []string{"process", "sensor"} {
		line("truly "+name, t.Confusion[i][saidNothing], t.Confusion[i][saidProcess], t.Confusion[i][saidSensor])
		for _, s := range t.Said {
			if s.Truth == name {
				line("  "+s.Kind, s.Nothing, s.Process, s.Sensor)
			}
		}
	}
	fmt.Fprintf(&b, "macro-F1 %s, balanced accuracy %s\n", show(t.MacroF1, 2), show(t.BalancedAccuracy, 2))
	_, err := io.WriteString(w, b.String())
	return err
}

// show writes a figure with its interval; a dash stands for never.
func show(f Figure, digits int) string {
	one := func(p *float64) string {
		if p == nil {
			return "-"
		}
		return fmt.Sprintf("%.*f", digits, *p)
	}
	if f.Value == nil && f.CI95[0] == nil && f.CI95[1] == nil {
		return "-"
	}
	return fmt.Sprintf("%s [%s, %s]", one(f.Value), one(f.CI95[0]), one(f.CI95[1]))
}

// beaten says what the shipped detector beats a row in, intervals apart.
func beaten(r Row) string {
	switch {
	case r.BeatenRecall && r.BeatenDelay:
		return "beaten in recall and delay"
	case r.BeatenRecall:
		return "beaten in recall"
	case r.BeatenDelay:
		return "beaten in delay"
	}
	return ""
}
