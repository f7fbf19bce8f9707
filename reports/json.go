package reports

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/plantbed/plantbed/harness/score"
)

// JSON writes card.json: indented, with sorted keys and a newline at the end.
// What there is none of is an empty list or object, never null.
func JSON(w io.Writer, r score.Result) error {
	c := r.Card
	if c.Schema == "" {
		c.Schema = score.CardSchema
	}
	if c.Verdict == "" {
		c.Verdict = score.Unknown
	}
	if c.Metrics == nil {
		c.Metrics = map[string]score.Metric{}
	}
	if c.Baselines == nil {
		c.Baselines = map[string]map[string]score.Metric{}
	}
	c.Expectations = orEmpty(c.Expectations)
	c.ByTag = orEmpty(c.ByTag)
	c.ByFault = orEmpty(c.ByFault)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // "<=" is to be read by people too
	enc.SetIndent("", "  ")
	if err := enc.Encode(c); err != nil {
		return fmt.Errorf("write card of %s: %w", c.Scenario, err)
	}
	return nil
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
