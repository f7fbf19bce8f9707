package reports

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/plantbed/plantbed/harness/score"
)

// picture is the plant as it stands in its scenario, with each part's worst
// moment written on it. Wide and tall are two layouts of the same parts:
//
//	machine ─┐                          ┌─ link
//	machine ─┼─ PLC ── link ─┐          │    │
//	         .               ├─ gateway ┘  broker
//	machine ─── PLC ── link ─┘               │
//	                                        twin
type picture struct {
	ID, Title, Desc string
	W, H            int
	Wires           string // one path
	Flow            string // the way of the material, one path
	Rooms           []flowRoom
	Boxes           []partBox
}

// partBox is one part: an outline, a stripe of its level, and lines of text.
type partBox struct {
	Class, Title string
	X, Y, W, H   int
	Name, What   string
	Sign         string
	Lines        []string
	TextX, SignX int
	NameY        int
	LineY        []int
}

// Sizes in user units; 1 unit is 1 CSS pixel at full width.
const (
	boxH, boxPitch   = 58, 66
	slimH, slimPitch = 24, 28
	groupGap         = 14
	fullMachines     = 12  // more than that are drawn on one line each
	mostMachines     = 60  // and more than that only where there is something to tell
	charW            = 6.7 // of the widest system fonts
)

// plantGroup is a PLC with the machines it scans and the link it is behind.
type plantGroup struct {
	plc, link *partLine
	machines  []*partLine
	more      int // machines that are not drawn
}

func plantGroups(parts []partLine) (groups []plantGroup, others map[string]*partLine) {
	others = map[string]*partLine{}
	of := map[string]int{}
	for i := range parts {
		p := &parts[i]
		switch {
		case p.Kind == "plc":
			of[p.Name] = len(groups)
			groups = append(groups, plantGroup{plc: p})
		case p.Kind == "link" && p.On == "broker":
			others["broker-link"] = p
		case p.Kind != "machine" && p.Kind != "link":
			others[p.Kind] = p
		}
	}
	machines := 0
	lone := plantGroup{}
	for i := range parts {
		p := &parts[i]
		k, known := of[p.On]
		switch {
		case p.Kind == "link" && known:
			groups[k].link = p
		case p.Kind == "machine":
			g := &lone
			if known {
				g = &groups[k]
			}
			g.machines = append(g.machines, p)
			machines++
		}
	}
	if len(lone.machines) > 0 {
		groups = append(groups, lone)
	}
	if machines > mostMachines {
		for i := range groups {
			groups[i].fold()
		}
	}
	return groups, others
}

// fold leaves out the machines of which there is nothing to tell.
func (g *plantGroup) fold() {
	all := len(g.machines)
	g.machines = slices.DeleteFunc(slices.Clone(g.machines), func(p *partLine) bool { return p.Level == "calm" })
	g.machines = g.machines[:min(len(g.machines), mostMachines/2)]
	g.more = all - len(g.machines)
}

// painter puts boxes and wires into a picture.
type painter struct {
	picture
	wires strings.Builder
	slim  bool
	at    map[string]int // where each machine's box has its middle
}

func newPainter(id string, parts []partLine, flows []score.Flow) *painter {
	p := &painter{at: map[string]int{}}
	p.ID = id
	machines := 0
	for _, l := range parts {
		if l.Kind == "machine" {
			machines++
		}
	}
	p.slim = machines > fullMachines
	p.Title = "The plant and its stack"
	var d strings.Builder
	for _, l := range parts {
		if l.Level != "calm" {
			fmt.Fprintf(&d, " %s: %s %s.", l.Name, l.When, l.Worst)
		}
	}
	for _, f := range flows {
		fmt.Fprintf(&d, " From %s to %s, room for %s.", f.From, f.To, plural(f.Buffer, "unit"))
	}
	p.Desc = fmt.Sprintf("%s, in the order of a sample's way; the table under it says the same.%s", plural(len(parts), "part"), oneLine(d.String()))
	return p
}

func (p *painter) height(l *partLine) (h, pitch int) {
	if l != nil && l.Kind == "machine" && p.slim {
		return slimH, slimPitch
	}
	return boxH, boxPitch
}

// box draws a part; a nil part draws nothing.
func (p *painter) box(l *partLine, x, y, w int) {
	if l == nil {
		return
	}
	h, _ := p.height(l)
	if l.Kind == "machine" {
		p.at[l.Name] = y + h/2
	}
	b := partBox{Class: "part " + l.Kind + " " + l.Level, X: x, Y: y, W: w, H: h, Name: l.Name, What: l.What, Sign: l.Sign, TextX: x + 14, SignX: x + w - 8, NameY: y + 17}
	b.Title = strings.TrimSpace(fmt.Sprintf("%s %s: %s %s", l.Name, l.What, l.When, l.Worst))
	if len(l.Also) > 0 {
		b.Title += "; also " + strings.Join(l.Also, "; ")
	}
	most := int(float64(w-22) / charW)
	b.Name = cut(l.Name, most-4)
	b.What = cut(l.What, most-4-utf8.RuneCountInString(b.Name))
	if h > slimH {
		b.Lines = wrapText(strings.TrimSpace(l.When+" "+l.Worst), most, 2)
		for i := range b.Lines {
			b.LineY = append(b.LineY, y+33+15*i)
		}
	}
	p.Boxes = append(p.Boxes, b)
}

func (p *painter) wire(format string, a ...any) { fmt.Fprintf(&p.wires, format, a...) }

func (p *painter) done(w, h int) *picture {
	p.W, p.H, p.Wires = w, h, p.wires.String()
	return &p.picture
}

// plantWide lays the plant out from left to right.
func plantWide(parts []partLine, flows []score.Flow) *picture {
	if len(parts) == 0 {
		return nil
	}
	p := newPainter("plant-wide", parts, flows)
	left := p.margin(flows)
	const (
		machineW    = 236
		plcW        = 184
		linkW       = 184
		gateW       = 196
		lastW       = 222
		lastGap     = 24
		column, bus = 36, 50
	)
	machineX := left
	plcX := machineX + machineW + column
	linkX := plcX + plcW + column
	gateX := linkX + linkW + bus
	lastX := gateX + gateW + column
	groups, others := plantGroups(parts)
	y := 1
	var ports []int // where the links come out
	for _, g := range groups {
		top := y
		y = p.column(g, machineX, machineW, y)
		y = max(y, top+boxPitch)
		if g.plc != nil {
			mid := (top + y - (boxPitch - boxH)) / 2
			p.joinMachines(g, machineX+machineW, plcX, top, mid)
			p.box(g.plc, plcX, mid-boxH/2, plcW)
			p.box(g.link, linkX, mid-boxH/2, linkW)
			p.wire("M%d %dH%d", plcX+plcW, mid, linkX)
			ports = append(ports, mid)
		}
		y += groupGap
	}
	h := max(y-groupGap, 3*boxH+2*lastGap+2)
	mid := h / 2
	for _, port := range ports {
		p.wire("M%d %dH%dV%dH%d", linkX+linkW, port, (linkX+linkW+gateX)/2, mid, gateX)
	}
	p.box(others["gateway"], gateX, mid-boxH/2, gateW)
	first := mid - boxH - boxH/2 - lastGap
	p.wire("M%d %dH%dV%dH%d", gateX+gateW, mid, (gateX+gateW+lastX)/2, first+boxH/2, lastX)
	p.wire("M%d %dV%dM%d %dV%d", lastX+lastW/2, first+boxH, mid-boxH/2, lastX+lastW/2, mid+boxH/2, mid+boxH/2+lastGap)
	p.box(others["broker-link"], lastX, first, lastW)
	p.box(others["broker"], lastX, mid-boxH/2, lastW)
	p.box(others["twin"], lastX, mid+boxH/2+lastGap, lastW)
	p.material(flows, machineX)
	return p.done(lastX+lastW+1, h)
}

// column draws the machines of a group under each other and returns where the
// next group may begin.
func (p *painter) column(g plantGroup, x, w, y int) int {
	for _, m := range g.machines {
		_, pitch := p.height(m)
		p.box(m, x, y, w)
		y += pitch
	}
	if g.more > 0 {
		p.box(&partLine{Kind: "machine", Name: plural(g.more, "machine") + " more", Level: "calm", Sign: "✓"}, x, y, w)
		y += slimPitch
	}
	return y
}

func (p *painter) joinMachines(g plantGroup, from, to, y, mid int) {
	for _, m := range g.machines {
		h, pitch := p.height(m)
		p.wire("M%d %dH%dV%dH%d", from, y+h/2, (from+to)/2, mid, to)
		y += pitch
	}
	if g.more > 0 {
		p.wire("M%d %dH%dV%dH%d", from, y+slimH/2, (from+to)/2, mid, to)
	}
}

// plantTall lays the plant out in two columns, for a phone.
func plantTall(parts []partLine, flows []score.Flow) *picture {
	if len(parts) == 0 {
		return nil
	}
	const w = 182
	p := newPainter("plant-tall", parts, flows)
	left := p.margin(flows)
	right := left + 204
	rail := right + w + 10
	groups, others := plantGroups(parts)
	y, top := 1, 0
	for _, g := range groups {
		begin := y
		y = p.column(g, left, w, y)
		if g.plc != nil {
			y = max(y, begin+2*boxPitch)
			mid := begin + boxH/2
			p.joinMachines(g, left+w, right, begin, mid)
			p.box(g.plc, right, begin, w)
			p.box(g.link, right, begin+boxPitch, w)
			p.wire("M%d %dV%d", right+w/2, begin+boxH, begin+boxPitch)
			port := begin + boxPitch + boxH/2
			p.wire("M%d %dH%d", right+w, port, rail)
			if top == 0 {
				top = port
			}
		}
		y += groupGap
	}
	gate := y + boxH/2
	if top > 0 {
		p.wire("M%d %dV%dH%d", rail, top, gate, right+w)
	}
	p.box(others["gateway"], right, y, w)
	p.box(others["broker-link"], left, y, w)
	p.box(others["broker"], left, y+boxPitch, w)
	p.box(others["twin"], right, y+boxPitch, w)
	p.wire("M%d %dH%dM%d %dV%dM%d %dH%d", right, gate, left+w, left+w/2, y+boxH, y+boxPitch, left+w, gate+boxPitch, right)
	p.material(flows, left)
	return p.done(rail+2, y+boxPitch+boxH+1)
}

// cut shortens a text that is too long for its place.
func cut(s string, most int) string {
	s = oneLine(s)
	if most < 1 {
		return ""
	}
	if r := []rune(s); len(r) > most {
		return string(r[:max(0, most-1)]) + "…"
	}
	return s
}

// wrapText breaks a text at spaces into a few lines; the last one may be cut.
func wrapText(s string, width, most int) []string {
	var lines []string
	line := ""
	words := strings.Fields(oneLine(s))
	for i, word := range words {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			if len(lines) == most-1 {
				return append(lines, cut(line+" "+strings.Join(words[i:], " "), width))
			}
			lines, line = append(lines, cut(line, width)), ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	if line != "" {
		lines = append(lines, cut(line, width))
	}
	return lines
}
