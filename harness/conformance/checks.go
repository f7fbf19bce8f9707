package conformance

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/plantbed/plantbed/harness/record"
)

type check = func(Evidence) (wrong, missing []string)

// all is several checks in one.
func all(checks ...check) check {
	return func(e Evidence) (wrong, missing []string) {
		for _, c := range checks {
			w, m := c(e)
			wrong, missing = append(wrong, w...), append(missing, m...)
		}
		return wrong, missing
	}
}

// window is the first planned fault of a kind.
func window(l *record.Log, kind string) (record.Window, bool) {
	for _, w := range l.Meta.Plan {
		if w.Kind == kind {
			return w, true
		}
	}
	return record.Window{}, false
}

// told tells whether the stack said something that holds all of these words.
func (e Evidence) told(words ...string) bool {
	return slices.ContainsFunc(e.Words, func(line string) bool {
		line = strings.ToLower(line)
		return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) })
	})
}

// cutShort makes sure that the cut met messages on their way: without one,
// nothing was there to be asked for again.
func cutShort(e Evidence) (wrong, missing []string) {
	w, ok := window(e.Log, "link.down")
	if !ok {
		return nil, []string{"the plan has no link.down"}
	}
	type wire struct{ plc, conn int }
	reached := map[wire]int64{}
	for _, d := range e.Log.Delivers {
		reached[wire{d.PLC, d.Conn}] = max(reached[wire{d.PLC, d.Conn}], d.To)
	}
	n := 0
	for _, s := range e.Log.Sends {
		if e.Log.Meta.PLCs[s.PLC].Name == w.Target && s.At <= int64(w.From) && s.Offset > reached[wire{s.PLC, s.Conn}] {
			n++
		}
	}
	if n == 0 {
		missing = append(missing, "no message was on its way when the link was cut")
	}
	return nil, missing
}

// gapTold asks a stack whose words can be had to say that something is missing.
func gapTold(e Evidence) (wrong, missing []string) {
	if e.Words != nil && !e.told("lost") {
		wrong = append(wrong, "the gap is not told: the log has no word of what is lost")
	}
	return wrong, nil
}

// clockTold asks it to say that a device's clock is wrong.
func clockTold(e Evidence) (wrong, missing []string) {
	if e.Words != nil && !e.told("clock") {
		wrong = append(wrong, "the device's clock is 39 years behind, and nobody says so")
	}
	return wrong, nil
}

// overflowMarked asks for the overflow bit where queues overflow, and for none
// where they do not.
func overflowMarked(e Evidence) (wrong, missing []string) {
	marked, fast := 0, 0
	for _, s := range e.Log.Seen {
		if s.Tap != record.AtBroker {
			continue
		}
		for _, x := range s.Samples {
			if fast++; x.Quality.Overflow() {
				marked++
			}
		}
	}
	shallow := strings.Contains(e.Log.Meta.Scenario, "shallow")
	switch {
	case shallow && marked == 0:
		wrong = append(wrong, fmt.Sprintf("queues overflowed, and none of %d samples carries the overflow bit", fast))
	case !shallow && marked > 0:
		wrong = append(wrong, fmt.Sprintf("%d samples carry the overflow bit, though every queue was deep enough", marked))
	}
	return wrong, nil
}

// backWithinTwoPolls asks for fresh values of the device two polls after the
// late answer has come.
func backWithinTwoPolls(e Evidence) (wrong, missing []string) {
	w, ok := window(e.Log, "plc.slow")
	if !ok {
		return nil, []string{"the plan has no plc.slow"}
	}
	plc := slices.IndexFunc(e.Log.Meta.PLCs, func(p record.PLC) bool { return p.Name == w.Target })
	poll := e.Log.Meta.PLCs[plc].Poll
	// The answer that is late belongs to the first request after the fault's
	// beginning, which comes within a poll.
	came := w.From + poll + w.Effect.Late
	limit := came + 2*poll + 500*time.Millisecond // and the way to the broker
	for _, s := range e.Log.Seen {
		if s.Tap != record.AtBroker || s.At < int64(w.From+poll) || s.At > int64(limit) {
			continue
		}
		for _, x := range s.Samples {
			if x.Tag >= 0 && e.Log.Meta.Tasks[e.Log.Meta.Tags[x.Tag].Task].PLC == plc && x.Source > int64(w.From+poll) {
				return nil, nil
			}
		}
	}
	return []string{fmt.Sprintf("no fresh value of %s within two polls of the late answer", w.Target)}, nil
}

// onlyWhatWasTold asks that what is lost was told as lost, sample for sample.
func onlyWhatWasTold(e Evidence) (wrong, missing []string) {
	told := 0.0
	for _, n := range e.Log.Notes {
		if n.Kind == "drop" {
			told += n.N
		}
	}
	lost := 0.0
	for _, stage := range []string{"edge", "north"} {
		if v := e.Result.Card.Metrics["loss."+stage].Value; v != nil {
			lost += *v
		}
	}
	switch {
	case lost != told:
		wrong = append(wrong, fmt.Sprintf("%.0f samples are missing, and %.0f were told as given up", lost, told))
	case strings.Contains(e.Log.Meta.Scenario, "older") && told == 0:
		missing = append(missing, "nothing grew too old")
	}
	return wrong, missing
}

// endTold asks for a word of the gateway's own certificate, which is about to end.
func endTold(e Evidence) (wrong, missing []string) {
	if e.Words != nil && !e.told("alarm", "certificate") {
		wrong = append(wrong, "the gateway's certificate ends within a month, and nobody says so")
	}
	return wrong, nil
}

// desiredWritten asks that of each tag's wishes the last one reached the device
// once the outages were over, that nothing was written twice, and that it was
// answered.
func desiredWritten(e Evidence) (wrong, missing []string) {
	wishes, written, answered := map[string]float64{}, map[string][]float64{}, map[string]float64{}
	var last int64
	for _, n := range e.Log.Notes {
		switch n.Kind {
		case "desired":
			wishes[n.Text] = n.N
			last = max(last, int64(n.At))
		case "written":
			written[n.Text] = append(written[n.Text], n.N)
		case "reported":
			answered[n.Text] = n.N
		}
	}
	if len(wishes) == 0 {
		missing = append(missing, "nobody wanted anything")
	}
	for _, tag := range slices.Sorted(maps.Keys(wishes)) {
		want, got := wishes[tag], written[tag]
		switch {
		case len(got) == 0 || got[len(got)-1] != want:
			wrong = append(wrong, fmt.Sprintf("%s was wanted to be %v, and the device was told %v", tag, want, got))
		case slices.Index(got, want) != len(got)-1:
			wrong = append(wrong, fmt.Sprintf("%s was written more than once: %v", tag, got))
		}
		if a, ok := answered[tag]; !ok || a != want {
			wrong = append(wrong, fmt.Sprintf("%s: nobody said that %v was written", tag, want))
		}
	}
	return wrong, missing
}

// damageTold asks for a word of the disk's trouble, and that no more is missing
// than was told as damaged.
func damageTold(e Evidence) (wrong, missing []string) {
	told := 0.0
	for _, n := range e.Log.Notes {
		if n.Kind == "drop" {
			told += n.N
		}
	}
	flipped := strings.Contains(e.Log.Meta.Scenario, "bit")
	lost := e.Result.Card.Metrics["loss.count"].Value
	switch {
	case flipped && e.Words != nil && told == 0 && lost != nil && *lost == 0:
		missing = append(missing, "the bit that was turned over held nothing that was still to be sent")
	case flipped && !e.Foreign && lost != nil && *lost > told:
		wrong = append(wrong, fmt.Sprintf("%.0f samples are missing, and %.0f were told as damaged", *lost, told))
	case !flipped && e.Words != nil && !e.told("disk") && !e.told("space"):
		wrong = append(wrong, "the disk was full, and nobody said so")
	}
	return wrong, missing
}

// bornAndDeadInOrder holds an edge node's messages against the rules: a birth
// begins a sequence at 0 that goes on by one, a death carries the number of a
// birth that was, and who is born anew has died before, or is told to have later.
func bornAndDeadInOrder(e Evidence) (wrong, missing []string) {
	births, dead := map[string]bool{}, map[string]bool{}
	var lives []string // the numbers of all births, without rebirths
	next, deaths := -1, 0
	holes := 0 // that the faults tear by dropping a message on the wire
	for _, w := range e.Log.Meta.Plan {
		if w.Kind == "link.frame" {
			holes++
		}
	}
	for _, n := range e.Log.Notes {
		if n.Kind != "sparkplug" {
			continue
		}
		kind, bd, tied := strings.Cut(n.Text, " bdSeq ")
		at := n.At.Round(time.Millisecond)
		switch kind {
		case "NBIRTH":
			if !tied {
				wrong = append(wrong, fmt.Sprintf("the birth at %v has no bdSeq", at))
			}
			if n.N != 0 {
				wrong = append(wrong, fmt.Sprintf("the birth at %v has the sequence number %v, not 0", at, n.N))
			}
			if !births[bd] {
				lives = append(lives, bd)
			}
			births[bd], next = true, 1
		case "NDATA":
			if holes > 0 && int(n.N) == (next+1)%256 {
				holes--
			} else if next >= 0 && int(n.N) != next {
				wrong = append(wrong, fmt.Sprintf("the data at %v have the sequence number %v, not %d", at, n.N, next))
			}
			next = (int(n.N) + 1) % 256
		case "NDEATH":
			deaths++
			dead[bd] = true
			if !tied || !births[bd] {
				wrong = append(wrong, fmt.Sprintf("the death at %v names no birth", at))
			}
		}
	}
	for i, bd := range lives {
		if i+1 < len(lives) && !dead[bd] {
			wrong = append(wrong, fmt.Sprintf("no death names the birth %q, which another followed", bd))
		}
	}
	if next < 0 || deaths == 0 {
		missing = append(missing, "there was no birth, or no death")
	}
	if most := 2 + len(e.Log.Meta.Plan); len(births) > most {
		wrong = append(wrong, fmt.Sprintf("it was born %d times, for %d faults", len(births), len(e.Log.Meta.Plan)))
	}
	return wrong, missing
}

// untouched asks that configurations were pushed, and that no OPC UA client
// connected a second time because of it.
func untouched(e Evidence) (wrong, missing []string) {
	pushed := 0
	for _, n := range e.Log.Notes {
		if n.Kind == "config pushed" {
			pushed++
		}
	}
	if pushed == 0 {
		missing = append(missing, "no configuration was pushed")
	}
	conns := map[int]map[int]bool{}
	for _, s := range e.Log.Sends {
		if conns[s.PLC] == nil {
			conns[s.PLC] = map[int]bool{}
		}
		conns[s.PLC][s.Conn] = true
	}
	for plc, all := range conns {
		if len(all) > 1 {
			wrong = append(wrong, fmt.Sprintf("%s was connected to %d times, though only the broker was away", e.Log.Meta.PLCs[plc].Name, len(all)))
		}
	}
	slices.Sort(wrong)
	return wrong, missing
}
