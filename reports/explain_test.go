package reports

import (
	"strings"
	"testing"

	"github.com/plantbed/plantbed/harness/score"
)

// Every metric that can fail is explained without its name and with the
// figures, and nothing is left open.
func TestEveryMetricIsExplained(t *testing.T) {
	r := full()
	for _, m := range score.Metrics {
		op := "<="
		switch m.Name {
		case "samples.owed", "samples.delivered", "detect.recall", "detect.precision", "detect.lead_s":
			op = ">="
		case "oee.truth", "oee.twin", "rul.rmse_h", "rul.coverage90", "diagnose.macro_f1":
			continue // told by their own line
		}
		for _, want := range []float64{0, 0.125} {
			got := 0.75
			text := explain(r, score.Expectation{Metric: m.Name, Op: op, Got: &got, Want: want, N: 3, Verdict: score.Fail})
			if strings.Contains(text, m.Name) || !strings.HasSuffix(text, ".") || strings.Contains(text, "%!") || strings.Contains(text, "  ") {
				t.Errorf("%s: %s", m.Name, text)
			}
			if !strings.Contains(text, "0.75") && !strings.Contains(text, "75 %") && !strings.Contains(text, "0.8") && !strings.Contains(text, "800ms") && !strings.Contains(text, "750ms") {
				t.Errorf("%s does not say how much it was: %s", m.Name, text)
			}
		}
	}
}

// The loss is told with stage, fault, window and signal.
func TestLossIsTraced(t *testing.T) {
	r := full()
	text := explain(r, r.Card.Expectations[2])
	for _, want := range []string{"412 samples", "none is allowed", "400 were lost in the gateway", "12 were lost on the wire", "while the link to the broker was down (0:50:00 to 0:56:00)", "pump/motor/current (310)"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %q", want, text)
		}
	}
	if strings.Contains(text, "bearing") {
		t.Errorf("a worn bearing loses no samples: %s", text)
	}
}

func TestCausesAreWords(t *testing.T) {
	got := 2880.0
	text := explain(full(), score.Expectation{Metric: "samples.unobtainable", Op: "<=", Got: &got, Want: 100, Verdict: score.Fail})
	if want := "1,660 because the server's queue overflowed, 1,100 because the gateway was down on schedule, 120 because no client could be there yet."; !strings.HasSuffix(text, want) {
		t.Errorf("%s", text)
	}
}

func TestRoom(t *testing.T) {
	for _, c := range []struct {
		op        string
		got, want float64
		words     string
		bar       float64
	}{
		{"<=", 0, 0, "exactly none", 0},
		{"<=", 412, 0, "412 too many", 1.5},
		{"<=", 390, 1000, "39 % of the limit", 0.39},
		{"<=", 1000, 1000, "exactly at the bound", 1},
		{"<=", 2000, 1000, "2 × the limit", 1.5},
		{">=", 1580, 1000, "1.58 × what is asked", 1.5},
		{">=", 600, 1000, "60 % of what is asked", 0.6},
		{">=", -3, 1000, "1,003 away", 0},
		{"<=", 5, -2, "7 away", 1.5},
	} {
		e := score.Expectation{Op: c.op, Got: &c.got, Want: c.want}
		if got := room(e); got != c.words {
			t.Errorf("%v %s %v: %s, want %s", c.got, c.op, c.want, got, c.words)
		}
		if got := share(e); got != c.bar {
			t.Errorf("%v %s %v: the bar is %v, want %v", c.got, c.op, c.want, got, c.bar)
		}
	}
	if room(score.Expectation{}) != "" {
		t.Error("what is unknown has no distance")
	}
}

// The worst moments, the samples' way, the legs and the OEE are in every
// format, in the same words.
func TestAllFormatsTellTheStory(t *testing.T) {
	for _, name := range []string{"full", "pass"} {
		r := results()[name]
		v := look(r)
		var want []string
		for _, p := range v.Parts {
			if p.Level != "calm" {
				want = append(want, p.Name, p.Worst, p.When)
			}
		}
		for _, s := range v.Stages {
			want = append(want, s.P99)
		}
		for _, e := range v.Expects {
			want = append(want, e.Room)
		}
		for _, o := range v.OEE.Rows[1:] {
			want = append(want, o.Truth, o.Twin)
		}
		if len(want) < 20 {
			t.Fatalf("%s: only %d things to look for", name, len(want))
		}
		for file, draw := range formats {
			if file == "card.json" {
				continue
			}
			text := plainText(render(t, draw, r))
			for _, w := range want {
				if !strings.Contains(text, plainText(w)) {
					t.Errorf("%s of %s does not say %q", file, name, w)
				}
			}
		}
	}
}
