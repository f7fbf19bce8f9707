package predict

import "time"

// episode turns rows that are over a limit into starts: one when persist rows
// in a row are over, none while it lasts (until clear rows in a row are under)
// and none within the hold-off after it.
type episode struct {
	persist, clear int
	holdOff        time.Duration

	active      bool
	over, under int
	quiet       time.Time // no start before
}

func newEpisode(opt Options) episode {
	return episode{persist: opt.Persist, clear: opt.Clear, holdOff: opt.HoldOff}
}

// end closes an episode that is open.
func (e *episode) end(at time.Time) {
	e.over, e.under = 0, 0
	if e.active {
		e.active, e.quiet = false, at.Add(e.holdOff)
	}
}

// step tells whether an episode starts here.
func (e *episode) step(at time.Time, over bool) bool {
	if over {
		e.over++
		e.under = 0
	} else {
		e.under++
		e.over = 0
	}
	switch {
	case e.active && e.under >= e.clear:
		e.active = false
		e.quiet = at.Add(e.holdOff)
	case !e.active && e.over >= e.persist && !at.Before(e.quiet):
		e.active = true
		return true
	}
	return false
}
