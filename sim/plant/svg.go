package plant

import (
	"fmt"
	"html"
	"strings"
)

// SVG draws a plant as its configuration has it: each line from left to
// right, buffers and ways between its stations, utilities and what stands by
// itself below. The same configuration gives the same bytes.
//
//	os.WriteFile("line.svg", plant.SVG(cfg, "bottling"), 0o644)
func SVG(cfg Config, title string) []byte {
	d := &drawing{cfg: cfg, at: map[string]point{}}
	placed := map[string]bool{}
	d.y = 70
	for _, l := range cfg.Lines {
		d.line(l)
		for _, name := range append(cfg.standsIn(l), l.Utilities...) {
			placed[name] = true
		}
	}
	var alone []string
	for _, m := range cfg.Machines {
		if !placed[m.Name] {
			alone = append(alone, m.Name)
		}
	}
	d.shelf("by itself", alone)
	d.sides()
	return d.page(title)
}

// The drawing's measures, in pixels.
const (
	boxW, boxH = 132, 96
	gapW       = 92
	rowGap     = 16
	marginX    = 24
	wrapAt     = 6 // machines on a shelf
)

type point struct{ x, y int }

type drawing struct {
	cfg  Config
	b    strings.Builder
	at   map[string]point // the top left corner of each machine
	y, w int
}

func (d *drawing) add(format string, args ...any) {
	fmt.Fprintf(&d.b, format+"\n", args...)
}

func (d *drawing) wide(x int) { d.w = max(d.w, x+marginX) }

func (d *drawing) page(title string) []byte {
	w := max(d.w, 420)
	head := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="sans-serif" font-size="12">
<style>.box{fill:#f7f9fb;stroke:#37506b;stroke-width:1.5}.ink{fill:none;stroke:#37506b;stroke-width:2;stroke-linejoin:round}.full{fill:#9fc3e0;stroke:none}.way{stroke:#37506b;stroke-width:2;fill:none;marker-end:url(#a)}.note{fill:#5a6b7b}.thin{fill:none;stroke:#5a6b7b;stroke-width:1.3}.hot{fill:none;stroke:#c9552b;stroke-width:2}</style>
<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#37506b"/></marker></defs>
<rect width="100%%" height="100%%" fill="#fff"/>
<text x="%d" y="34" font-size="20" font-weight="bold">%s</text>
`, w, d.y, w, d.y, marginX, html.EscapeString(title))
	return []byte(head + d.b.String() + "</svg>\n")
}

func (d *drawing) line(l LineConfig) {
	d.add(`<text x="%d" y="%d"><tspan font-weight="bold">%s</tspan><tspan class="note" dx="10">%s</tspan></text>`, marginX, d.y, html.EscapeString(l.Name), html.EscapeString(l.caption()))
	d.y += 16
	x, rows := marginX, 1
	for i, name := range l.Stations {
		d.machine(name, x, d.y)
		same := d.cfg.parallel(name)[1:]
		rows = max(rows, 1+len(same))
		for j, name := range same {
			d.beside(name, x, d.y, j+1, i > 0, i < len(l.Buffers))
		}
		x += boxW
		if i < len(l.Buffers) {
			d.buffer(l, i, x)
			x += gapW
		}
	}
	d.wide(x)
	d.y += rows*(boxH+rowGap) - rowGap + 30
	d.shelf("beside it", l.Utilities)
	d.y += 18
}

// beside draws a machine that does the same work as the one at x and y, so
// many rows below it, with its ways in and out.
func (d *drawing) beside(name string, x, y, row int, in, out bool) {
	top, middle := y+row*(boxH+rowGap), y+boxH/2-8
	d.machine(name, x, top)
	if in {
		d.add(`<path class="way" d="M%d %dV%dH%d"/>`, x-12, middle, top+boxH/2, x-1)
	}
	if out {
		d.add(`<path class="way" style="marker-end:none" d="M%d %dH%dV%d"/>`, x+boxW, top+boxH/2, x+boxW+10, middle)
	}
}

// caption says what a picture of boxes does not.
func (l LineConfig) caption() string {
	var out []string
	switch {
	case len(l.Teams) > 0:
		for _, t := range l.Teams {
			text := fmt.Sprintf("%s (%d)", t.Name, max(1, t.Size))
			if len(t.Hours) > 0 {
				text += " " + strings.Join(t.Hours, ", ")
			}
			out = append(out, text)
		}
	case l.Crew > 1:
		out = append(out, fmt.Sprintf("%d crews", l.Crew))
	default:
		out = append(out, "1 crew")
	}
	for _, p := range l.Products {
		out = append(out, fmt.Sprintf("%s in lots of %d", p.Name, p.Lot))
	}
	if len(l.Hours) > 0 {
		out = append(out, strings.Join(l.Hours, ", "))
	}
	return strings.Join(out, " · ")
}

// shelf draws machines beside each other that nothing flows between.
func (d *drawing) shelf(what string, names []string) {
	if len(names) == 0 {
		return
	}
	d.add(`<text x="%d" y="%d" class="note">%s</text>`, marginX, d.y, what)
	d.y += 12
	for i, name := range names {
		if i > 0 && i%wrapAt == 0 {
			d.y += boxH + 16
		}
		x := marginX + i%wrapAt*(boxW+20)
		d.machine(name, x, d.y)
		d.wide(x + boxW)
	}
	d.y += boxH + 30
}

func (d *drawing) machine(name string, x, y int) {
	m, k, _ := d.cfg.machine(name)
	d.at[name] = point{x, y}
	d.add(`<rect class="box" x="%d" y="%d" width="%d" height="%d" rx="6"/>`, x, y, boxW, boxH)
	d.add(`<g transform="translate(%d %d)">%s</g>`, x+boxW/2-24, y+6, icon(k))
	d.add(`<text x="%d" y="%d" text-anchor="middle" font-weight="bold">%s</text>`, x+boxW/2, y+70, html.EscapeString(name))
	note := m.Kind
	if !k.utility {
		if p, wrong := resolve(k.params(), m.Params); len(wrong) == 0 {
			note += " · " + pace(p["cycle"]/1000)
		}
	}
	if m.Takes > 1 || m.Gives > 1 {
		note += fmt.Sprintf(" · %d:%d", max(1, m.Takes), max(1, m.Gives))
	}
	d.add(`<text x="%d" y="%d" text-anchor="middle" class="note" font-size="10">%s</text>`, x+boxW/2, y+86, html.EscapeString(note))
	d.marks(m, x, y)
}

// marks are small signs in a box's corners: what is worked again, and that
// somebody looks after it or that it wears out by itself.
func (d *drawing) marks(m MachineConfig, x, y int) {
	if m.Rework != nil && m.Rework.Share > 0 {
		text := fmt.Sprintf("%.3g %%", 100*m.Rework.Share)
		if m.Rework.To != "" {
			text += " to " + m.Rework.To
		}
		d.add(`<path class="thin" d="M%d %da5 5 0 1 1 -4 -2" marker-end="url(#a)"><title>spoiled units are worked again: %s</title></path>`, x+boxW-8, y+12, html.EscapeString(text))
		d.add(`<text x="%d" y="%d" text-anchor="end" class="note" font-size="9">%s</text>`, x+boxW-26, y+17, html.EscapeString(text))
	}
	if n := len(m.Lives) + len(m.Breakdowns); n > 0 {
		d.add(`<path class="thin" d="M%d %dl4 -5l3 4l5 -8"><title>%d parts wear out or break down by themselves</title></path>`, x+8, y+17, n)
	}
	if n := len(m.Maintenance); n > 0 {
		d.add(`<path class="thin" d="M%d %dl8 -8m-1 -3a4 4 0 1 0 4 4"><title>maintained: %d policies</title></path>`, x+8, y+36, n)
	}
}

func pace(s float64) string {
	switch {
	case s >= 3600:
		return fmt.Sprintf("%.3g h", s/3600)
	case s >= 120:
		return fmt.Sprintf("%.3g min", s/60)
	}
	return fmt.Sprintf("%.3g s", s)
}

// buffer draws what lies between a station and the next.
func (d *drawing) buffer(l LineConfig, i, x int) {
	y := d.y + boxH/2 - 12
	_, k, _ := d.cfg.machine(l.Stations[i])
	d.add(`<path class="way" d="M%d %dH%d"/>`, x, y+4, x+gapW-1)
	switch {
	case k.feeds: // a bowl
		d.add(`<path class="box" d="M%d %dq0 22 22 22t22 -22z"/>`, x+22, y-6)
	case len(l.Travel) > i && l.Travel[i] > 0: // a belt
		d.add(`<rect class="box" x="%d" y="%d" width="56" height="12" rx="6"/>`, x+16, y-2)
		d.add(`<text x="%d" y="%d" text-anchor="middle" class="note" font-size="10">%s</text>`, x+gapW/2-2, y-8, l.Travel[i])
	case l.Buffers[i] > 0: // the triangle of a store
		d.add(`<path class="box" d="M%d %dl16 -26l16 26z"/>`, x+28, y+14)
	}
	if l.Buffers[i] > 0 {
		d.add(`<text x="%d" y="%d" text-anchor="middle" class="note" font-size="10">%d</text>`, x+gapW/2-2, y+30, l.Buffers[i])
	}
}

// sides draws where lines run into each other.
func (d *drawing) sides() {
	for _, l := range d.cfg.Lines {
		if len(l.Stations) == 0 {
			continue
		}
		if to, ok := d.at[l.Into]; ok {
			d.bend(d.at[l.Stations[len(l.Stations)-1]], to, l.IntoBuffer)
		}
		if from, ok := d.at[l.From]; ok {
			d.bend(from, d.at[l.Stations[0]], l.FromBuffer)
		}
	}
}

func (d *drawing) bend(from, to point, room int) {
	x1, x2 := from.x+boxW/2, to.x+boxW/2
	y1, y2 := from.y+boxH, to.y
	if from.y > to.y {
		y1, y2 = from.y, to.y+boxH
	}
	d.add(`<path class="way" stroke-dasharray="5 3" d="M%d %dC%d %d %d %d %d %d"/>`, x1, y1, x1, (y1+y2)/2, x2, (y1+y2)/2, x2, y2)
	d.add(`<text x="%d" y="%d" class="note" font-size="10">%d</text>`, (x1+x2)/2+6, (y1+y2)/2, room)
}

// icon is a machine in 48 by 48 pixels.
func icon(k kind) string {
	switch k.Name {
	case "pump-skid":
		return `<circle class="ink" cx="20" cy="28" r="14"/><path class="ink" d="M20 28L34 28M20 14H44V6M6 28H-4M12 44H28"/><circle class="full" cx="20" cy="28" r="4"/>`
	case "filler":
		return `<path class="ink" d="M6 4H42V16H6zM14 16V22M24 16V22M34 16V22"/><path class="full" d="M6 10H42V16H6z"/><path class="ink" d="M10 46V32l2-4h4l2 4V46zM20 46V32l2-4h4l2 4V46zM30 46V32l2-4h4l2 4V46z"/>`
	case "capper":
		return `<path class="ink" d="M24 2V14M14 14H34V20H14zM16 46V34l4-6h8l4 6V46z"/><rect class="full" x="19" y="22" width="10" height="5"/><path class="ink" d="M36 6a10 10 0 0 1 0 12"/>`
	case "conveyor":
		return `<rect class="ink" x="2" y="24" width="44" height="16" rx="8"/><circle class="ink" cx="10" cy="32" r="4"/><circle class="ink" cx="38" cy="32" r="4"/><rect class="full" x="14" y="10" width="12" height="13"/>`
	case "oven":
		return `<path class="ink" d="M4 44V16a20 14 0 0 1 40 0V44z"/><path class="hot" d="M14 38q4 -5 0 -10t0 -10M24 38q4 -5 0 -10t0 -10M34 38q4 -5 0 -10t0 -10"/>`
	case "motor":
		return `<rect class="ink" x="8" y="12" width="28" height="22" rx="3"/><path class="ink" d="M36 23H46M12 34V42M32 34V42M8 42H36M14 17H30M14 23H30M14 29H30"/>`
	case "compressor":
		return `<rect class="ink" x="2" y="24" width="44" height="16" rx="8"/><path class="ink" d="M10 40V46M38 40V46"/><circle class="ink" cx="24" cy="12" r="9"/><path class="ink" d="M18 6L32 9M18 18L32 15"/>`
	case "cnc-spindle":
		return `<path class="ink" d="M16 2H32V18H28L26 30H22L20 18H16z"/><path class="full" d="M22 30H26L24 38z"/><path class="ink" d="M6 40H42V46H6z"/>`
	case "tank":
		return `<path class="ink" d="M8 8V34q16 14 32 0V8q-16 -10 -32 0z"/><path class="full" d="M9 22H39V34q-15 12 -30 0z"/><path class="ink" d="M24 0V32M16 32H32"/>`
	case "heat-exchanger":
		return `<rect class="ink" x="8" y="6" width="32" height="36"/><path class="hot" d="M0 12H14L20 36L26 12L32 36H48"/>`
	case "gearbox":
		return `<circle class="ink" cx="17" cy="24" r="13" stroke-dasharray="4 2.8"/><circle class="ink" cx="37" cy="24" r="7" stroke-dasharray="3 2"/><circle class="full" cx="17" cy="24" r="4"/><circle class="full" cx="37" cy="24" r="3"/>`
	case "rolling-bearing":
		return `<circle class="ink" cx="24" cy="24" r="20"/><circle class="ink" cx="24" cy="24" r="9"/><circle class="full" cx="24" cy="9.5" r="4"/><circle class="full" cx="38.5" cy="24" r="4"/><circle class="full" cx="24" cy="38.5" r="4"/><circle class="full" cx="9.5" cy="24" r="4"/>`
	case "hydraulic-press":
		return `<path class="ink" d="M6 46V4H42V46M18 4V12H30V4M24 12V24M12 24H36V30H12zM2 46H46"/><path class="full" d="M14 38H34V44H14z"/>`
	}
	return `<rect class="ink" x="8" y="8" width="32" height="32"/>`
}
