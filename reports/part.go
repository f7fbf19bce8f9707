package reports

import (
	"fmt"
	"strings"

	"github.com/plantbed/plantbed/harness/score"
)

// partLine is one part of the plant or its stack, with its worst moments.
type partLine struct {
	Kind, Name, What, On string
	Level                string // calm, struck or bad
	Sign, Word           string
	// Worst is the worst moment in words, Also the others.
	When, Worst string
	Also        []string
}

func partLines(r score.Result) []partLine {
	out := make([]partLine, len(r.Story.Parts))
	for i, p := range r.Story.Parts {
		l := partLine{Kind: p.Kind, Name: p.Name, What: p.What, On: p.On, Level: "calm", Sign: "✓", Word: "nothing to tell"}
		switch p.Level {
		case score.Bad:
			l.Level, l.Sign, l.Word = "bad", "✗", "something went wrong here"
		case score.Struck:
			l.Level, l.Sign, l.Word = "struck", "!", "broken on purpose"
		}
		for k, m := range p.Moments {
			when, what := moment(m)
			if k == 0 {
				l.When, l.Worst = when, what
				continue
			}
			l.Also = append(l.Also, strings.TrimSpace(when+" "+what))
		}
		if len(p.Moments) == 0 {
			l.Worst = "nothing happened here"
		}
		out[i] = l
	}
	return out
}

// moment says when something befell a part, and what.
func moment(m score.Moment) (when, what string) {
	if m.AtS >= 0 {
		when = instant(m.AtS)
	}
	n := count(int(m.N))
	switch m.What {
	case score.MomentLost:
		what = n + " samples lost, most of them here"
	case score.MomentLate:
		what = n + " samples late, most of them here"
	case score.MomentWrong:
		what = n + " samples changed, repeated or out of order, most of " + m.Of
	case score.MomentFault:
		what = faultShort(m)
	case score.MomentFailure:
		what = "broke down"
		if m.ForS > 0 {
			what += " for " + span(round(m.ForS))
		}
		what += ": " + m.Of
	case score.MomentUnobtainable:
		what = n + " samples nobody could have had"
	case score.MomentSlow:
		what = "slowest: " + quantity(m.N, "ms") + " on average"
	case score.MomentDepth:
		what = "fullest: " + n + " samples in its buffer"
	case score.MomentBusy:
		what = "busiest: " + n + " samples in " + span(m.ForS)
	case score.MomentStopped:
		what = "longest stop: " + span(round(m.ForS))
	case score.MomentApart:
		what = "off by " + percent(m.N) + " on average"
		if m.Of != "" {
			what += ", most " + m.Of
		}
	case score.MomentFalseFresh:
		what = span(m.N) + " of old values shown as fresh"
	case score.MomentMissed:
		what = fmt.Sprintf("%s is %s, not as expected", m.Of, quantity(m.N, metricUnit(m.Of)))
	default:
		what = m.What
	}
	return when, what
}

// round is whole seconds from a minute on.
func round(s float64) float64 {
	if s >= 60 {
		return float64(int(s + 0.5))
	}
	return float64(int(s*10+0.5)) / 10
}

// faultShort is a fault in the fewest words: "down for 45s", "sensor stuck:
// head/torque, noticed in 2m46s".
func faultShort(m score.Moment) string {
	area, what, _ := strings.Cut(m.Of, ".")
	text := strings.ReplaceAll(what, "_", " ")
	switch _, rest, deep := strings.Cut(m.Target, "/"); {
	case area == "asset" || area == "sensor":
		if area == "sensor" {
			text = "sensor " + text
		}
		if deep {
			text += ": " + rest
		}
		if m.DelayS != nil {
			return text + ", noticed in " + span(round(*m.DelayS))
		}
		return text + ", not noticed"
	}
	for _, begin := range []string{"% was ", "% "} {
		if verb, ok := strings.CutPrefix(faultVerbs[m.Of], begin); ok {
			text = verb
			break
		}
	}
	text += " for " + span(round(m.ForS))
	if m.N > 0 {
		text += ", " + count(int(m.N)) + " samples missed"
	}
	return text
}
