package plant

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// calendar is a week's working hours: "mon-fri 06:00-14:00", "sat 08:00-12:00",
// "22:00-06:00" for every night.
type calendar struct {
	open  []span        // of a week, in order, apart from each other
	start time.Duration // into the week at t = 0
}

type span struct{ from, to time.Duration }

const (
	day  = 24 * time.Hour
	week = 7 * day
)

var weekdays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// newCalendar reads hours, and when in the week the run starts: "mon 06:00",
// which is also the default. No hours mean always, which is nil.
func newCalendar(hours []string, starts string) (*calendar, error) {
	if starts == "" {
		starts = "mon 06:00"
	}
	c := &calendar{}
	name, clock, _ := strings.Cut(strings.TrimSpace(starts), " ")
	d := slices.Index(weekdays, name)
	at, err := clockTime(clock)
	if d < 0 || err != nil {
		return nil, fmt.Errorf("%q is no instant of a week, such as \"mon 06:00\"", starts)
	}
	c.start = time.Duration(d)*day + at
	if len(hours) == 0 {
		return nil, nil
	}
	for _, h := range hours {
		if err := c.add(h); err != nil {
			return nil, err
		}
	}
	c.merge()
	return c, nil
}

func (c *calendar) add(text string) error {
	bad := fmt.Errorf("%q are no working hours, such as \"mon-fri 06:00-14:00\"", text)
	days, clocks, both := strings.Cut(strings.TrimSpace(text), " ")
	if !both {
		days, clocks = "mon-sun", days
	}
	first, last, ranged := strings.Cut(days, "-")
	if !ranged {
		last = first
	}
	a, b := slices.Index(weekdays, first), slices.Index(weekdays, last)
	from, to, ok := strings.Cut(clocks, "-")
	if a < 0 || b < a || !ok {
		return bad
	}
	begin, err1 := clockTime(from)
	end, err2 := clockTime(to)
	if err1 != nil || err2 != nil || begin == end {
		return bad
	}
	if end < begin {
		end += day // over midnight
	}
	for d := a; d <= b; d++ {
		s := span{time.Duration(d)*day + begin, time.Duration(d)*day + end}
		if s.to > week {
			c.open = append(c.open, span{0, s.to - week})
			s.to = week
		}
		c.open = append(c.open, s)
	}
	return nil
}

func clockTime(text string) (time.Duration, error) {
	h, m, ok := strings.Cut(text, ":")
	hours, err1 := strconv.Atoi(h)
	minutes, err2 := strconv.Atoi(m)
	if !ok || err1 != nil || err2 != nil || hours < 0 || minutes < 0 || minutes > 59 || hours*60+minutes > 24*60 {
		return 0, fmt.Errorf("%q is no time of day", text)
	}
	return time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute, nil
}

func (c *calendar) merge() {
	slices.SortFunc(c.open, func(a, b span) int { return int(a.from - b.from) })
	out := c.open[:1]
	for _, s := range c.open[1:] {
		if last := &out[len(out)-1]; s.from <= last.to {
			last.to = max(last.to, s.to)
			continue
		}
		out = append(out, s)
	}
	c.open = out
}

// at tells whether it is open at t, and when that changes next; never is 0.
func (c *calendar) at(t time.Duration) (open bool, next time.Duration) {
	if c == nil {
		return true, 0
	}
	inWeek := (c.start + t) % week
	monday := t - inWeek
	if c.open[0].from == 0 && c.open[len(c.open)-1].to == week {
		if len(c.open) == 1 {
			return true, 0
		}
	}
	for i, s := range c.open {
		if inWeek < s.from {
			return false, monday + s.from
		}
		if inWeek < s.to {
			if s.to == week && c.open[0].from == 0 && i == len(c.open)-1 { // over Sunday midnight
				return true, monday + week + c.open[0].to
			}
			return true, monday + s.to
		}
	}
	return false, monday + week + c.open[0].from
}
