package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/plantbed/plantbed/harness"
)

// progress shows how far a run is: a bar on a terminal, a line for each tenth
// elsewhere.
type progress struct {
	w        io.Writer
	name     string
	quiet    bool
	terminal bool
	started  time.Time
	tenth    int
	over     bool
}

func newProgress(w io.Writer, quiet bool, name string, seed uint64) *progress {
	p := &progress{w: w, name: name, quiet: quiet, terminal: isTerminal(w), started: time.Now()}
	if !quiet {
		fmt.Fprintf(w, "%s, seed %d\n", name, seed)
	}
	return p
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

// line takes a progress line of a worker.
func (p *progress) line(s string) {
	var h harness.Progress
	if json.Unmarshal([]byte(s), &h) == nil {
		p.show(h)
	}
}

func (p *progress) show(h harness.Progress) {
	if p.quiet || h.Total <= 0 || p.over {
		return
	}
	share := min(1, float64(h.At)/float64(h.Total))
	if p.terminal {
		const width = 32
		n := int(share * width)
		fmt.Fprintf(p.w, "\r%s%s %3.0f %%  %s of %s  %d samples  %.0fx ", strings.Repeat("█", n), strings.Repeat("░", width-n), share*100,
			h.At.Round(time.Second), h.Total, h.Samples, h.At.Seconds()/max(0.001, time.Since(p.started).Seconds()))
		return
	}
	if t := int(share * 10); t > p.tenth {
		p.tenth = t
		fmt.Fprintf(p.w, "%d %% (%s of %s, %d samples)\n", t*10, h.At.Round(time.Second), h.Total, h.Samples)
	}
}

// done ends the bar's line.
func (p *progress) done() {
	if p.terminal && !p.quiet && !p.over {
		fmt.Fprint(p.w, "\r\033[K")
	}
	p.over = true
}
