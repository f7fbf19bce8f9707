package plant

import (
	"slices"

	"github.com/plantbed/plantbed/sim"
)

// crew repairs and maintains the machines of a line: teams with skills and
// hours, who take what waits longest among what they can do.
type crew struct {
	teams   []*team
	waiting []job
}

// team is so many people with the same skills and hours. A job that is begun
// is finished, over the end of the shift if need be.
type team struct {
	Name   string
	size   int
	busy   int
	skills []string // nil: all
	hours  *calendar
	on     bool // on duty
}

type job struct {
	skill string
	begin func(*team)
}

// mechanical is the skill that a job takes if it does not say another.
const mechanical = "mechanical"

func oneTeam(size int) *crew {
	return &crew{teams: []*team{{Name: "crew", size: max(1, size), on: true}}}
}

func (t *team) can(skill string) bool {
	return t.on && t.busy < t.size && (t.skills == nil || slices.Contains(t.skills, skill))
}

// call begins the job as soon as somebody is free who can do it.
func (c *crew) call(skill string, begin func(*team)) {
	if skill == "" {
		skill = mechanical
	}
	for _, t := range c.teams {
		if t.can(skill) {
			t.busy++
			begin(t)
			return
		}
	}
	c.waiting = append(c.waiting, job{skill, begin})
}

// done frees who did a job for the next.
func (c *crew) done(t *team) {
	t.busy--
	c.dispatch(t)
}

// dispatch gives a team what waits.
func (c *crew) dispatch(t *team) {
	for i := 0; i < len(c.waiting); i++ {
		j := c.waiting[i]
		if t.can(j.skill) {
			c.waiting = slices.Delete(c.waiting, i, i+1)
			t.busy++
			j.begin(t)
			i = -1 // the list may be another now
		}
	}
}

// keepHours has teams come and go.
func (c *crew) keepHours(k *sim.Kernel) {
	for _, t := range c.teams {
		var turn func()
		turn = func() {
			open, next := t.hours.at(k.Now())
			t.on = open
			if open {
				c.dispatch(t)
			}
			if next > k.Now() {
				k.At(next, turn)
			}
		}
		if t.hours != nil {
			turn()
		}
	}
}
