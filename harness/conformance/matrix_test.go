package conformance_test

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plantbed/plantbed/harness/conformance"
	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/harness/score"
)

// twoSystems is a made-up result with every verdict and with text that each
// form has to escape.
func twoSystems() []conformance.Matrix {
	return []conformance.Matrix{
		{SUT: "one", Entries: []conformance.Outcome{
			{ID: "K01", Title: "a bad node after a drop", Verdict: conformance.Pass},
			{ID: "K09", Title: "a late answer", Verdict: conformance.Fail, Why: `loss.count is 3 & more | <b>"x"</b>`}}},
		{SUT: "two", Entries: []conformance.Outcome{
			{ID: "K01", Title: "a bad node after a drop", Verdict: conformance.Unknown, Why: "nothing was delivered"},
			{ID: "K17", Title: "a wish while offline", Verdict: conformance.NotApplicable, Why: "needs desired values"}}},
	}
}

func TestEveryFormSaysTheSame(t *testing.T) {
	dir := t.TempDir()
	if err := conformance.Write(dir, twoSystems()...); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for name, words := range map[string][]string{
		conformance.TextFile:     {"one: 1 pass, 1 fail, 0 not applicable, 0 unknown", "two: 0 pass, 0 fail, 1 not applicable, 1 unknown", "loss.count is 3"},
		conformance.MarkdownFile: {"| one | two |", `loss.count is 3 & more \| <b>`, "grid-x/modbus/issues/78"},
		conformance.HTMLFile:     {"&lt;b&gt;", "not applicable", "https://github.com/grid-x/modbus/issues/78"},
		conformance.JUnitFile:    {`failures="1"`, `skipped="1"`, `errors="1"`, "&lt;b&gt;"},
	} {
		text := read(name)
		for _, w := range words {
			if !strings.Contains(text, w) {
				t.Errorf("%s lacks %q:\n%s", name, w, text)
			}
		}
	}
	var back []conformance.Matrix
	if err := json.Unmarshal([]byte(read(conformance.JSONFile)), &back); err != nil || len(back) != 2 || back[0].Entries[1].Verdict != conformance.Fail {
		t.Errorf("JSON: %v, %+v", err, back)
	}
	var suites struct {
		Suites []struct {
			Cases []struct {
				Name string `xml:"name,attr"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(read(conformance.JUnitFile)), &suites); err != nil || len(suites.Suites) != 2 || len(suites.Suites[0].Cases) != 2 {
		t.Errorf("JUnit: %v, %+v", err, suites)
	}
}

func TestOneMatrixIsAnObject(t *testing.T) {
	dir := t.TempDir()
	if err := conformance.Write(dir, twoSystems()[0]); err != nil {
		t.Fatal(err)
	}
	b, _ := os.ReadFile(filepath.Join(dir, conformance.JSONFile))
	var m struct {
		SUT     string
		Entries []struct{ ID, Title, Verdict, Why string }
	}
	if err := json.Unmarshal(b, &m); err != nil || m.SUT != "one" || m.Entries[1].ID != "K09" || m.Entries[1].Verdict != "fail" {
		t.Errorf("%v: %s", err, b)
	}
}

func TestTheWorstVerdictCounts(t *testing.T) {
	ms := twoSystems()
	if v := ms[0].Verdict(); v != conformance.Fail {
		t.Errorf("a failed entry makes it %s", v)
	}
	if v := ms[1].Verdict(); v != conformance.Unknown {
		t.Errorf("an unknown one makes it %s", v)
	}
	ms[1].Entries = ms[1].Entries[1:]
	if v := ms[1].Verdict(); v != conformance.Pass {
		t.Errorf("what does not apply makes it %s", v)
	}
}

// A failure that did not come about proves nothing.
func TestWhatDidNotHappenIsUnknown(t *testing.T) {
	e, _ := conformance.Pick([]string{"k04"})
	l := &record.Log{Meta: record.Meta{PLCs: []record.PLC{{Name: "plc-ua"}}, Plan: []record.Window{{Kind: "link.down", Target: "plc-ua", From: 10}}}}
	pass := score.Result{Card: score.Card{Verdict: score.Pass}}
	if o := e[0].Judge(conformance.Evidence{Log: l, Result: pass}); o.Verdict != conformance.Unknown || !strings.Contains(o.Why, "on its way") {
		t.Errorf("%+v", o)
	}
	l.Sends = []record.Send{{At: 5, Offset: 100}} // and never delivered
	if o := e[0].Judge(conformance.Evidence{Log: l, Result: pass}); o.Verdict != conformance.Pass {
		t.Errorf("%+v", o)
	}
}

func TestPick(t *testing.T) {
	got, unknown := conformance.Pick([]string{"k09", "K99", " K01"})
	if len(got) != 2 || got[0].ID != "K09" || len(unknown) != 1 || unknown[0] != "K99" {
		t.Errorf("%v, unknown %v", got, unknown)
	}
}

// An edge node that breaks a rule of Sparkplug is found by what it said.
func TestSparkplugsRules(t *testing.T) {
	node := func(change func([]record.Note) []record.Note) conformance.Outcome {
		notes := []record.Note{{Kind: "sparkplug", N: 0, Text: "NBIRTH bdSeq 4"}}
		for seq := range 300 {
			notes = append(notes, record.Note{Kind: "sparkplug", N: float64((seq + 1) % 256), Text: "NDATA"})
		}
		notes = append(notes, record.Note{Kind: "sparkplug", N: -1, Text: "NDEATH bdSeq 4"}, record.Note{Kind: "sparkplug", N: 0, Text: "NBIRTH bdSeq 5"},
			record.Note{Kind: "sparkplug", N: 1, Text: "NDATA"})
		e, _ := conformance.Pick([]string{"K16"})
		return e[0].Judge(conformance.Evidence{Log: &record.Log{Notes: change(notes)}, Result: score.Result{Card: score.Card{Verdict: score.Pass}}})
	}
	for name, change := range map[string]func([]record.Note) []record.Note{
		"":                 func(n []record.Note) []record.Note { return n },
		"names no birth":   func(n []record.Note) []record.Note { n[301].Text = "NDEATH"; return n },
		"has no bdSeq":     func(n []record.Note) []record.Note { n[0].Text = "NBIRTH"; return n },
		"number 101, not":  func(n []record.Note) []record.Note { return append(n[:100:100], n[101:]...) },
		"number 7, not 0":  func(n []record.Note) []record.Note { n[302].N = 7; return n },
		"no birth, or no ": func([]record.Note) []record.Note { return nil },
	} {
		o := node(change)
		if name == "" && o.Verdict != conformance.Pass || name != "" && (o.Verdict == conformance.Pass || !strings.Contains(o.Why, name)) {
			t.Errorf("%q: %s %s", name, o.Verdict, o.Why)
		}
	}
}

// A gateway that takes its time to start owes less; that is not its failure.
func TestAForeignGatewayMayTakeItsTime(t *testing.T) {
	e, _ := conformance.Pick([]string{"K01"})
	card := score.Card{Verdict: score.Fail, Expectations: []score.Expectation{{Metric: "samples.unobtainable", Verdict: score.Fail, Why: "too many"}}}
	if o := e[0].Judge(conformance.Evidence{Log: &record.Log{}, Result: score.Result{Card: card}}); o.Verdict != conformance.Fail {
		t.Errorf("our own: %+v", o)
	}
	if o := e[0].Judge(conformance.Evidence{Log: &record.Log{}, Result: score.Result{Card: card}, Foreign: true}); o.Verdict != conformance.Pass {
		t.Errorf("a stranger: %+v", o)
	}
	card.Expectations[0].Metric = "samples.owed"
	if o := e[0].Judge(conformance.Evidence{Log: &record.Log{}, Result: score.Result{Card: card}, Foreign: true}); o.Verdict != conformance.Unknown {
		t.Errorf("a stranger with nothing to judge: %+v", o)
	}
	card.Expectations[0].Metric = "loss.count"
	if o := e[0].Judge(conformance.Evidence{Log: &record.Log{}, Result: score.Result{Card: card}, Foreign: true}); o.Verdict != conformance.Fail {
		t.Errorf("a stranger that loses: %+v", o)
	}
}

// Of a run that cannot be judged the reason is told, not the figures; and a
// gateway that died of itself is named first.
func TestTheReasonIsTheFirstWord(t *testing.T) {
	e, _ := conformance.Pick([]string{"K01"})
	figure := score.Expectation{Metric: "loss.count", Verdict: score.Fail, Why: "loss.count is 9"}
	card := score.Card{Verdict: score.Unknown, Why: []string{"nothing was delivered", "loss.count is 9"}, Expectations: []score.Expectation{figure}}
	l := &record.Log{Notes: []record.Note{{Kind: "gateway ended", Text: "mine ended of its own accord"}}}
	if o := e[0].Judge(conformance.Evidence{Log: l, Result: score.Result{Card: card}}); o.Why != "mine ended of its own accord; nothing was delivered" {
		t.Errorf("unknown: %s", o.Why)
	}
	card.Verdict = score.Fail
	if o := e[0].Judge(conformance.Evidence{Log: l, Result: score.Result{Card: card}}); o.Why != "mine ended of its own accord; loss.count is 9" {
		t.Errorf("failed: %s", o.Why)
	}
}
