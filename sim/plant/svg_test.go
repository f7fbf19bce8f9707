package plant

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/plantbed/plantbed/internal/strict"
)

// The picture is sound XML, shows every machine once, and is the same again.
func TestSVG(t *testing.T) {
	cfg := bottling()
	cfg.Machines = append(cfg.Machines, MachineConfig{Name: "air", Kind: "compressor"}, MachineConfig{Name: "caps", Kind: "hydraulic-press", Gives: 4})
	cfg.Machines[1].Rework = &ReworkConfig{Share: 0.25}
	cfg.Machines[2].Lives = []LifeConfig{{Component: "belt", Mean: dur(20_000)}}
	cfg.Machines[2].Maintenance = []MaintenanceConfig{{Components: []string{"belt"}, Every: dur(7200), Work: dur(600)}}
	cfg.Lines[0].Travel = []strict.Duration{0, dur(20), 0, dur(3)}
	cfg.Lines = append(cfg.Lines, LineConfig{Name: "a<b", Stations: []string{"caps"}, Into: "capper", IntoBuffer: 40, Hours: []string{"mon-fri 06:00-22:00"}})
	if ps := cfg.Validate(); len(ps) > 1 { // the name of the second line alone
		t.Fatal(ps)
	}
	svg := SVG(cfg, "a & b")
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range cfg.Machines {
		if n := strings.Count(string(svg), ">"+m.Name+"</text>"); n != 1 {
			t.Errorf("%s stands there %d times", m.Name, n)
		}
	}
	for _, want := range []string{"a &amp; b", "a&lt;b", "20s", "1:4", "stroke-dasharray=\"5 3\"", "by itself", ">25 %<", "1 parts wear out", "maintained: 1"} {
		if !strings.Contains(string(svg), want) {
			t.Errorf("%q is missing", want)
		}
	}
	if !bytes.Equal(svg, SVG(cfg, "a & b")) {
		t.Error("drawn again it is another picture")
	}
	for _, kd := range kinds {
		if strings.Contains(icon(kd), `x="8" y="8" width="32" height="32"`) {
			t.Errorf("%s has no icon", kd.Name)
		}
	}
}
