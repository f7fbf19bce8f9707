package reports

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/plantbed/plantbed/harness/score"
)

// plants are scenarios of every size: none, one machine, a long line, many
// PLCs, machines that nobody scans, and a site.
func plants() map[string]score.Result {
	out := map[string]score.Result{"made-up": full(), "hostile": hostile()}
	for _, n := range []struct{ machines, plcs int }{{0, 1}, {1, 1}, {12, 1}, {13, 4}, {60, 7}, {400, 30}, {3, 0}} {
		var parts []score.Part
		for i := range n.machines {
			p := score.Part{Kind: "machine", Name: fmt.Sprintf("a-machine-with-a-name-%d", i), What: "kind-of-machine"}
			if n.plcs > 0 {
				p.On = fmt.Sprintf("plc-%d", i%n.plcs)
			}
			if i%5 == 0 {
				p.Level, p.Moments = score.Struck, []score.Moment{{Level: score.Struck, What: score.MomentFailure, AtS: 60, ForS: 5, Of: "the/bearing/of/the/motor/on/the/drive/end"}}
			}
			parts = append(parts, p)
		}
		for i := range n.plcs {
			name := fmt.Sprintf("plc-%d", i)
			parts = append(parts, score.Part{Kind: "plc", Name: name}, score.Part{Kind: "link", Name: "link to " + name, On: name})
		}
		parts = append(parts, score.Part{Kind: "gateway", Name: "gateway"}, score.Part{Kind: "link", Name: "link to the broker", On: "broker"}, score.Part{Kind: "broker", Name: "broker"}, score.Part{Kind: "twin", Name: "twin"})
		out[fmt.Sprintf("%d machines on %d PLCs", n.machines, n.plcs)] = score.Result{Story: score.Story{Parts: parts, Flows: chain(n.machines)}}
	}
	return out
}

// chain is one line through all machines, and a way back to its middle.
func chain(machines int) []score.Flow {
	var out []score.Flow
	name := func(i int) string { return fmt.Sprintf("a-machine-with-a-name-%d", i) }
	for i := 1; i < machines; i++ {
		out = append(out, score.Flow{Line: "line", From: name(i - 1), To: name(i), Buffer: 1000 + i})
	}
	if machines > 2 {
		out = append(out, score.Flow{Line: "rework", From: name(machines - 1), To: name(machines / 2), Buffer: 7})
	}
	return out
}

// Between every two machines of a line that are drawn stands the room of the
// buffer between them, in the margin.
func TestPlantDrawsTheMaterial(t *testing.T) {
	for name, r := range plants() {
		lines := partLines(r)
		for layout, p := range map[string]*picture{"wide": plantWide(lines, r.Story.Flows), "tall": plantTall(lines, r.Story.Flows)} {
			left, middle := p.W, map[string]int{}
			for _, b := range p.Boxes {
				if left = min(left, b.X); strings.Contains(b.Class, "machine") {
					machine, _, _ := strings.Cut(b.Title, " ")
					middle[machine] = b.Y + b.H/2
				}
			}
			want := 0
			for _, f := range r.Story.Flows {
				if middle[f.From] == 0 || middle[f.To] == 0 {
					continue
				}
				want++
				at := slices.IndexFunc(p.Rooms, func(o flowRoom) bool { return o.Text == count(f.Buffer) })
				if at < 0 {
					t.Errorf("%s, %s: no room from %s to %s", name, layout, f.From, f.To)
					continue
				}
				lo, hi := min(middle[f.From], middle[f.To]), max(middle[f.From], middle[f.To])
				if o := p.Rooms[at]; o.Y < lo || o.Y > hi || o.X < 4 || o.X >= left {
					t.Errorf("%s, %s: the room of %s is at %d,%d, machines are at %d and %d, from %d on", name, layout, o.Title, o.X, o.Y, lo, hi, left)
				}
			}
			if len(p.Rooms) != want {
				t.Errorf("%s, %s: %d rooms for %d ways", name, layout, len(p.Rooms), want)
			}
			if len(r.Story.Flows) > 0 && !strings.Contains(p.Desc, "room for") {
				t.Errorf("%s, %s: the description is silent about the material", name, layout)
			}
		}
	}
}

// Whatever the plant, no two boxes touch, all are on the paper, no text hangs
// out, and every part is there or counted.
func TestPlantIsLaidOut(t *testing.T) {
	for name, r := range plants() {
		lines := partLines(r)
		for layout, p := range map[string]*picture{"wide": plantWide(lines, r.Story.Flows), "tall": plantTall(lines, r.Story.Flows)} {
			for i, b := range p.Boxes {
				if b.X < 0 || b.Y < 0 || b.X+b.W > p.W || b.Y+b.H > p.H {
					t.Errorf("%s, %s: %s at %d,%d is off the paper of %d x %d", name, layout, b.Name, b.X, b.Y, p.W, p.H)
				}
				for _, o := range p.Boxes[:i] {
					if b.X < o.X+o.W && o.X < b.X+b.W && b.Y < o.Y+o.H && o.Y < b.Y+b.H {
						t.Errorf("%s, %s: %s lies on %s", name, layout, b.Name, o.Name)
					}
				}
				for _, line := range append(b.Lines, b.Name+" "+b.What+"  ✓") {
					if w := float64(utf8.RuneCountInString(line)) * charW; w > float64(b.W-8) {
						t.Errorf("%s, %s: %q is too wide for %d", name, layout, line, b.W)
					}
				}
				if len(b.Lines) > 2 {
					t.Errorf("%s, %s: %q", name, layout, b.Lines)
				}
			}
			if name == "hostile" {
				continue // it has parts of no kind
			}
			drawn := len(p.Boxes)
			for _, b := range p.Boxes {
				var more int
				if n, _ := fmt.Sscanf(b.Name, "%d machines more", &more); n == 1 {
					drawn += more - 1
				}
			}
			if name == "400 machines on 30 PLCs" {
				struck := 0
				for _, b := range p.Boxes {
					if strings.Contains(b.Class, "machine struck") {
						struck++
					}
				}
				if struck != 80 {
					t.Errorf("%s: %d of 80 machines with something to tell are drawn", layout, struck)
				}
				if p.H > 8000 {
					t.Errorf("%s: the site is %d high", layout, p.H)
				}
			}
			if drawn != len(lines) {
				t.Errorf("%s, %s: %d of %d parts are drawn or counted", name, layout, drawn, len(lines))
			}
		}
	}
	if plantWide(nil, nil) != nil || plantTall(nil, nil) != nil {
		t.Error("no parts make no picture")
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		in    string
		width int
		want  string
	}{
		{"", 10, ""},
		{"one two three", 20, "one two three"},
		{"one two three", 7, "one two|three"},
		{"one two three four", 7, "one two|three …"},
		{"immeasurable", 5, "imme…"},
		{"a\nb\x1b c", 9, "a b c"},
	} {
		if got := strings.Join(wrapText(c.in, c.width, 2), "|"); got != c.want {
			t.Errorf("%q in %d: %q, want %q", c.in, c.width, got, c.want)
		}
	}
}
