package score

// scores lays out what the detectors made of each machine. A row that names
// nobody, or has no limit, tells nothing.
func (t *teller) scores() {
	type key struct{ machine, detector int }
	index := map[key]int{}
	for _, r := range t.l.Scores {
		if r.Machine < 0 || r.Machine >= len(t.m.Machines) || r.Detector < 0 || r.Detector >= len(t.m.Detectors) || !(r.Limit > 0) {
			continue
		}
		k := key{r.Machine, r.Detector}
		i, ok := index[k]
		if !ok {
			i = len(t.s.Scores)
			index[k] = i
			tr := ScoreTrace{Machine: t.m.Machines[r.Machine].Name, Detector: t.m.Detectors[r.Detector], Max: make([]float64, len(t.s.Buckets))}
			for b := range tr.Max {
				tr.Max[b] = -1
			}
			t.s.Scores = append(t.s.Scores, tr)
		}
		most := &t.s.Scores[i].Max[t.bucket(r.At)]
		*most = max(*most, r.Value/r.Limit)
	}
}

// flows are the lines, machine by machine.
func (t *teller) flows() {
	add := func(line, from, to string, room int) {
		t.s.Flows = append(t.s.Flows, Flow{line, from, to, room})
	}
	for _, l := range t.m.Lines {
		if len(l.Stations) == 0 {
			continue
		}
		same := func(station string) []string { return append([]string{station}, l.Parallel[station]...) }
		between := func(from, to []string, room int) {
			for _, a := range from {
				for _, b := range to {
					add(l.Name, a, b, room)
				}
			}
		}
		if l.From != "" {
			between([]string{l.From}, same(l.Stations[0]), l.FromBuffer)
		}
		for i, to := range l.Stations[1:] {
			room := 0
			if i < len(l.Buffers) {
				room = l.Buffers[i]
			}
			between(same(l.Stations[i]), same(to), room)
		}
		if l.Into != "" {
			between(same(l.Stations[len(l.Stations)-1]), []string{l.Into}, l.IntoBuffer)
		}
	}
}
