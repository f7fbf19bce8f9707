package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/plantbed/plantbed/harness/score"
)

// marks puts a letter over everything that happened, and remembers its line.
func (c *canvas) marks(s score.Story) {
	// The beginnings and ends of faults are drawn as bars, a full buffer's drops
	// as loss.
	all := slices.DeleteFunc(slices.Concat(s.Events, s.Notes), func(m score.EventMark) bool {
		return m.Kind == "fault begins" || m.Kind == "fault ends" || m.Kind == "drop"
	})
	slices.SortStableFunc(all, func(a, b score.EventMark) int { return cmp.Compare(a.AtS, b.AtS) })
	if len(all) > maxMark {
		c.MarksMore = len(all) - maxMark
		all = all[:maxMark]
	}
	var taken [3]float64 // right edge of each row of letters
	rows := 0
	for i, m := range all {
		x := c.x(m.AtS)
		row := 0
		for row < len(taken)-1 && taken[row] > x-8 {
			row++
		}
		taken[row] = x + 8
		rows = max(rows, row+1)
		letter := string(rune('A' + i))
		c.spot(x, 13+float64(row)*15, "mark", "", letter, instant(m.AtS)+" "+m.What)
		c.lines = append(c.lines, x)
		c.Marks = append(c.Marks, fact{Name: letter, Value: instant(m.AtS), Doc: m.What})
	}
	c.y = float64(rows)*15 + 4
	c.top = c.y
	c.y -= laneGap / 2
}

// faults are bars, one row each, or one per kind where there are many.
func (c *canvas) faults(fs []score.FaultCount) {
	if len(fs) == 0 {
		return
	}
	c.y += laneGap - rowH
	type lane struct {
		kind string
		to   float64
		y    float64
	}
	var rows []lane
	for _, f := range fs {
		k := -1
		if len(fs) > maxRows {
			k = slices.IndexFunc(rows, func(r lane) bool { return r.kind == f.Kind && r.to <= f.FromS })
		}
		if k < 0 {
			k = len(rows)
			c.y += rowH
			rows = append(rows, lane{kind: f.Kind, y: c.y})
			c.text(plotX0-8, c.y+13, "name", f.Kind)
		}
		rows[k].to = f.ToS
		y := rows[k].y
		// Exact, so that it stays true when stretched; a stroke that does not
		// stretch keeps the shortest in sight.
		x0, x1 := c.x(f.FromS), c.x(f.ToS)
		c.zoom("fault "+className(f.Class), box(x0, y+5, x1, y+14),
			fmt.Sprintf("%s at %s, %s to %s", f.Kind, f.Target, instant(f.FromS), instant(f.ToS)))
		switch {
		case len(fs) > maxRows:
		case x1 < (plotX0+plotX1)/2:
			c.spot(x1, y+13, "start", "", f.Target, "")
		default:
			c.spot(x0, y+13, "end", "", f.Target, "")
		}
	}
	c.y += rowH
}

// className keeps what is not one of the four classes out of the markup.
func className(class string) string {
	switch class {
	case "process", "sensor", "communication", "gateway":
		return class
	}
	return "other"
}

// alarms has a row per detector, in the order of their first alarms' names: a
// filled diamond for a true one, a cross for a false one. Of several marks on
// one spot one is drawn.
func (c *canvas) alarms(as []score.AlarmMark) {
	byDetector := map[string][]score.AlarmMark{}
	var names []string
	for _, a := range as {
		if byDetector[a.Detector] == nil {
			names = append(names, a.Detector)
		}
		byDetector[a.Detector] = append(byDetector[a.Detector], a)
	}
	slices.Sort(names)
	if len(names) == 0 {
		bottom := c.lane("alarms", rowH)
		c.text((plotX0+plotX1)/2, bottom-4, "none", "none")
		c.y = bottom
	}
	for i, name := range names {
		if i > 0 {
			c.y -= laneGap - 4
		}
		bottom := c.lane(cmp.Or(name, "alarms"), rowH)
		last := map[bool]float64{true: -9, false: -9}
		for _, a := range byDetector[name] {
			x := math.Round(c.x(a.AtS))
			if x-last[a.True] < 2 {
				continue
			}
			last[a.True] = x
			c.alarm(x, bottom-rowH/2, a)
		}
		c.y = bottom
	}
}

func (c *canvas) alarm(x, y float64, a score.AlarmMark) {
	class, d := "false-alarm", "M-4 -4l8 8m0 -8l-8 8"
	if a.True {
		class, d = "true-alarm", "M0 -6l5 6l-5 6l-5 -6Z"
	}
	c.spot(x, y, class, d, "", alarmTitle(a))
}

func alarmTitle(a score.AlarmMark) string {
	word := "false alarm"
	if a.True {
		word = "true alarm"
	}
	return strings.TrimSpace(fmt.Sprintf("%s, %s on %s: %s %s, %s over %s", instant(a.AtS), word, a.Machine, a.Class, a.Tag, number(a.Score), number(a.Limit)))
}
