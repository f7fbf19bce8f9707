package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// parts says whose a function is, by the beginning of its name; the first that
// fits counts.
var parts = []struct{ prefix, whose string }{
	{"github.com/gopcua/", "gopcua: OPC UA decoding and channel"},
	{"github.com/eclipse/paho", "paho.golang: MQTT"},
	{"github.com/plantbed/plantbed/gateway/buffer", "ours: buffer"},
	{"github.com/plantbed/plantbed/internal/disk", "ours: buffer"},
	{"github.com/plantbed/plantbed/gateway/opcua", "ours: OPC UA source"},
	{"github.com/plantbed/plantbed/gateway/mqtt", "ours: publisher"},
	{"github.com/plantbed/plantbed/internal/payload", "ours: encoding"},
	{"github.com/plantbed/plantbed/gateway", "ours: stages and wiring"},
}

// profiles runs ours once in each case that is about CPU, and writes a table of
// whose code the samples were taken in: each is charged to the innermost frame
// that is ours or a library's, so that copying, system calls and allocation
// count for whoever asked for them. What is left is the runtime on its own
// account: scheduling and garbage collection.
func profiles(turn time.Duration, only, out, keep string) error {
	b, err := newBed(keep, turn)
	if err != nil {
		return err
	}
	defer b.close()
	var t strings.Builder
	for _, c := range cases {
		if !slices.Contains([]string{"single", "batched"}, c.name) || only != "" && only != c.name {
			continue
		}
		b.profile = filepath.Join(b.dir, c.name+".pprof")
		s := b.present(c.stacks[:1])[0]
		if _, err := steady(b, c, s); err != nil {
			return err
		}
		text, err := exec.Command("go", "tool", "pprof", "-traces", "-unit=ms", b.plantbed, b.profile).Output()
		if err != nil {
			return fmt.Errorf("go tool pprof: %w", err)
		}
		fmt.Fprintf(&t, "| %s, %s | share of CPU |\n|---|---:|\n%s\n", c.title, s.name, charge(string(text)))
	}
	fmt.Print(t.String())
	return os.WriteFile(out+"-profile.md", []byte(t.String()), 0o644)
}

// charge reads the traces, each a block whose first line begins with its weight
// and whose frames go from the innermost outwards.
func charge(traces string) string {
	sum, by := 0.0, map[string]float64{}
	for block := range strings.SplitSeq(traces, "-----------+") {
		weight, whose := 0.0, ""
		for line := range strings.Lines(block) {
			f := strings.Fields(line)
			if len(f) == 0 {
				continue
			}
			if ms, ok := strings.CutSuffix(f[0], "ms"); ok && len(f) > 1 {
				if v, err := strconv.ParseFloat(ms, 64); err == nil {
					weight, f = v, f[1:]
				}
			}
			for _, p := range parts {
				if whose == "" && strings.HasPrefix(f[0], p.prefix) {
					whose = p.whose
				}
			}
		}
		sum += weight
		by[cmp.Or(whose, "Go's runtime: garbage collection, scheduling, network poll")] += weight
	}
	names := slices.SortedFunc(func(yield func(string) bool) {
		for n := range by {
			if !yield(n) {
				return
			}
		}
	}, func(a, b string) int { return cmp.Or(cmp.Compare(by[b], by[a]), strings.Compare(a, b)) })
	var t strings.Builder
	for _, n := range names {
		if by[n] > 0 {
			fmt.Fprintf(&t, "| %s | %.0f %% |\n", n, 100*by[n]/sum)
		}
	}
	return t.String()
}
