package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ory/dockertest/v3"

	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/harness/score"
	"github.com/plantbed/plantbed/harness/sut"
	"github.com/plantbed/plantbed/scenarios"
)

// program builds plantbed for a test.
func program(t *testing.T) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "plantbed")
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", exe, "../cmd/plantbed")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return exe
}

// foreignRun runs a scenario with a SUT by the wall and gives the card.
func foreignRun(t *testing.T, exe, scenario string, sets ...string) (score.Card, *record.Log) {
	t.Helper()
	sc, ps := scenarios.Load(scenario, sets)
	if ps = append(ps, sc.Validate(score.MetricNames())...); len(ps) > 0 {
		t.Fatal(ps.Err())
	}
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	if err := Run(ctx, sc, Options{Dir: dir, Exe: exe}); err != nil {
		t.Fatal(err)
	}
	l, err := record.Load(filepath.Join(dir, "record"))
	if err != nil {
		t.Fatal(err)
	}
	return score.Score(l).Card, l
}

func figure(t *testing.T, c score.Card, name string) int {
	t.Helper()
	v := c.Metrics[name].Value
	if v == nil {
		t.Fatalf("%s is not known: %v", name, c.Why)
	}
	return int(*v)
}

// Our own gateway as anybody's: a program of its own whose payload is mapped.
// What a mapping drops is lost at the edge, exactly; what a payload does not
// carry is missed, not made up.
func TestForeignGateway(t *testing.T) {
	exe := program(t)
	asJSON := func(keys ...string) []string {
		return append([]string{"sut.use=plantbed", "sut.output.format=json", "sut.output.each=body.samples", "sut.output.id=item.id", "sut.output.value=item.value"}, keys...)
	}
	whole := []string{"sut.output.time=item.time", "sut.output.seq=item.seq == 0 ? nil : item.seq", "sut.output.quality=item.quality"}
	for _, c := range []struct {
		name string
		sets []string
		// identity of the samples, and whether they are dropped by the mapping
		identity string
		drops    bool
	}{
		{"native, killed and started again", []string{"sut.use=plantbed"}, "source-time", false},
		{"mapped from JSON", asJSON(whole...), "source-time", false},
		{"a mapping that drops", asJSON(append(whole, `sut.output.when=item.id != "pump/motor/current"`)...), "source-time", true},
		{"neither time nor counter", asJSON(`sut.output.when=item.id startsWith "pump/"`, "fault=[]"), "order", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			card, l := foreignRun(t, exe, filepath.Join("testdata", "foreign.toml"), c.sets...)
			if card.Identity != c.identity {
				t.Errorf("identity %s, want %s", card.Identity, c.identity)
			}
			lost, want := figure(t, card, "loss.count"), 0
			switch {
			case c.drops:
				want = owedOf(card, "pump/motor/current")
				if edge := figure(t, card, "loss.edge"); want == 0 || edge != want {
					t.Errorf("lost at the edge %d, want %d", edge, want)
				}
			case c.identity == "order":
				want = lost // only OPC UA is looked at: the rest is missing
				if n := lostOf(card, "pump/"); n != 0 {
					t.Errorf("%d samples of the pump are lost", n)
				}
			}
			if lost != want {
				t.Errorf("lost %d, want %d", lost, want)
			}
			for _, name := range []string{"corrupt.count", "orphan.count", "dup.applied"} {
				if n := figure(t, card, name); n != 0 {
					t.Errorf("%s = %d: %v", name, n, card.Why)
				}
			}
			if n := figure(t, card, "samples.delivered"); n < 50 {
				t.Errorf("delivered %d", n)
			}
			if c.identity == "order" {
				return // a new session repeats what it finds, and by order alone that is nothing's
			}
			var notes []string
			for _, n := range l.Notes {
				notes = append(notes, n.Kind)
			}
			if got := strings.Join(notes, ","); !strings.Contains(got, "gateway killed") || !strings.Contains(got, "gateway restarted") || strings.Count(got, "gateway ready") != 2 {
				t.Errorf("the gateway's life: %s", got)
			}
		})
	}
}

func owedOf(c score.Card, tag string) int {
	for _, row := range c.ByTag {
		if row.Tag == tag {
			return row.Owed
		}
	}
	return 0
}

func lostOf(c score.Card, prefix string) (n int) {
	for _, row := range c.ByTag {
		if strings.HasPrefix(row.Tag, prefix) {
			for _, k := range row.Lost {
				n += k
			}
		}
	}
	return n
}

// What cannot come up ends the run with its reason.
func TestForeignGatewayThatDoesNotComeUp(t *testing.T) {
	for _, c := range []struct {
		name, command, want string
	}{
		{"no such program", `["/nowhere/at-all"]`, "/nowhere/at-all"},
		{"it ends", `["sh", "-c", "echo no licence; exit 3"]`, "ended before it was ready: exit status 3; the end of"},
		{"it is never ready", `["sleep", "60"]`, "not ready (1s have passed), it still lacks its first data"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sc, ps := scenarios.Load(filepath.Join("testdata", "foreign.toml"), []string{"sut.kind=process", "sut.command=" + c.command, "sut.ready.data=true", "sut.ready.within=1s", "fault=[]"})
			if ps = append(ps, sc.Validate(score.MetricNames())...); len(ps) > 0 {
				t.Fatal(ps.Err())
			}
			begun := time.Now()
			err := Run(t.Context(), sc, Options{Dir: t.TempDir()})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v; want %q", err, c.want)
			}
			if took := time.Since(begun); took > 30*time.Second {
				t.Errorf("that took %s", took)
			}
		})
	}
}

// TestAdapters is `make sut`: every shipped adapter whose program is there goes
// through edge-drops, and what each loses is a table. It wants PLANTBED_SUT=1
// and several minutes.
func TestAdapters(t *testing.T) {
	if os.Getenv("PLANTBED_SUT") == "" {
		t.Skip("make sut runs it")
	}
	exe := program(t)
	var rows bytes.Buffer
	fmt.Fprintf(&rows, "| gateway | owed | lost | at PLC / link / edge / north | told twice, unmarked | corrupt | out of order | late | back after a drop | identity |\n|---|---:|---:|---|---:|---:|---:|---:|---:|---|\n")
	for _, name := range append([]string{""}, sut.Shipped()...) {
		sets, title := []string{"sut.use=" + name}, "built in"
		if name == "" {
			sets = nil
		} else {
			cfg, ps := sut.Load(name)
			if len(ps) > 0 {
				t.Fatal(ps.Err())
			}
			title = cfg.Name
			if why := notHere(t, cfg); why != "" {
				fmt.Printf("SKIPPED: %s: %s\n", title, why)
				fmt.Fprintf(&rows, "| %s | %s |\n", title, why)
				continue
			}
		}
		card := onQuietMachine(t, exe, sets)
		get := func(name string) string {
			if v := card.Metrics[name].Value; v != nil {
				return fmt.Sprintf("%.4g", *v)
			}
			return "–"
		}
		back := "never"
		if v := card.Metrics["recover.max_s"].Value; v != nil {
			back = fmt.Sprintf("%.3g s", *v)
		}
		fmt.Fprintf(&rows, "| %s | %s | %s | %s / %s / %s / %s | %s | %s | %s | %s | %s | %s |\n", title, get("samples.owed"), get("loss.count"), get("loss.plc"), get("loss.link"), get("loss.edge"),
			get("loss.north"), get("dup.unmarked"), get("corrupt.count"), get("order.violations"), get("late.count"), back, card.Identity)
	}
	fmt.Print("\n", rows.String(), "\n")
	if file := os.Getenv("PLANTBED_SUT_OUT"); file != "" {
		if err := intoPage(file, rows.String()); err != nil {
			t.Error(err)
		}
	}
}

// notHere says why an adapter cannot be tried here.
func notHere(t *testing.T, cfg sut.Config) string {
	if cfg.Kind == sut.Container {
		pool, err := dockertest.NewPool("")
		if err == nil {
			err = pool.Client.Ping()
		}
		if err != nil {
			return "no container engine answers"
		}
		plantbedImage(t, pool)
		return ""
	}
	if strings.Contains(cfg.Command[0], "{{") {
		return ""
	}
	if _, err := exec.LookPath(cfg.Command[0]); err != nil {
		return cfg.Command[0] + " is not on PATH"
	}
	return ""
}

// onQuietMachine repeats a run in which the simulator itself was late.
func onQuietMachine(t *testing.T, exe string, sets []string) (card score.Card) {
	for range 4 {
		if len(sets) == 0 {
			card = builtinDrops(t, exe)
		} else {
			card, _ = foreignRun(t, exe, "edge-drops", sets...)
		}
		lag := card.Metrics["clock.lag_max_ms"].Value
		if lag == nil || *lag < 250 {
			break
		}
		fmt.Printf("the simulator was %.0f ms late; once more\n", *lag)
	}
	return card
}

// builtinDrops runs the same scenario with the built-in gateway, the program
// that it is in the live gear.
func builtinDrops(t *testing.T, exe string) score.Card {
	dir := filepath.Join(t.TempDir(), "out")
	cmd := exec.Command(exe, "run", "edge-drops", "--quiet", "--out", dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Logf("%v: %s", err, out) // a verdict is no error
	}
	var card score.Card
	data, err := os.ReadFile(filepath.Join(dir, "card.json"))
	if err == nil {
		err = json.Unmarshal(data, &card)
	}
	if err != nil {
		t.Fatal(err)
	}
	return card
}

// intoPage puts a table in a page, between two marks.
func intoPage(file, table string) error {
	page, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	const begin, end = "<!-- make sut: begin -->\n", "<!-- make sut: end -->"
	head, rest, ok := strings.Cut(string(page), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no marks for the table", file)
	}
	return os.WriteFile(file, []byte(head+begin+table+end+tail), 0o644)
}
