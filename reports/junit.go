package reports

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/plantbed/plantbed/harness/score"
)

// The JUnit dialect that Jenkins, GitLab and GitHub's reporters agree on.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
		Out        junitOut        `xml:"system-out"`
	}
	junitOut struct {
		Text string `xml:",cdata"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Class   string       `xml:"classname,attr"`
		Name    string       `xml:"name,attr"`
		Time    string       `xml:"time,attr"`
		Failure *junitReason `xml:"failure"`
		Error   *junitReason `xml:"error"`
	}
	junitReason struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes one suite for the scenario: a test case for the run itself and
// one for each expectation. Failed is a failure, unknown an error. Times are
// simulated seconds.
func JUnit(w io.Writer, r score.Result) error {
	s := suiteOf(r)
	all := junitSuites{Name: "plantbed", Tests: s.Tests, Failures: s.Failures, Errors: s.Errors, Time: s.Time, Suites: []junitSuite{s}}
	text, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("write JUnit of %s: %w", r.Card.Scenario, err)
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, text)
	return err
}

func suiteOf(r score.Result) junitSuite {
	c, v := r.Card, look(r)
	s := junitSuite{Name: v.Scenario, Time: strconv.FormatFloat(c.DurationS, 'f', 3, 64), Out: junitOut{plainTable(r)}}
	for _, f := range v.Facts {
		s.Properties = append(s.Properties, junitProperty{strings.ToLower(f.Name), f.Value})
	}
	s.Properties = append(s.Properties, junitProperty{"verdict", verdictWord(c.Verdict)}, junitProperty{"again", v.Replay})
	s.add(runCase(c), s.Time)
	for _, e := range c.Expectations {
		one := junitCase{Name: e.Metric + " " + e.Op + " " + strconv.FormatFloat(e.Want, 'f', -1, 64)}
		one.fill(e.Verdict, explain(r, e), strings.TrimSpace(metricDoc(e.Metric)+"\n"+why(e)))
		s.add(one, "0")
	}
	return s
}

// runCase stands for the run as a whole: it carries what no expectation says.
func runCase(c score.Card) junitCase {
	worst := score.Pass
	said := map[string]bool{}
	for _, e := range c.Expectations {
		said[why(e)] = true
		if e.Verdict == score.Fail || worst == score.Pass {
			worst = e.Verdict
		}
	}
	one := junitCase{Name: "the run can be judged"}
	var rest []string
	for _, reason := range c.Why {
		if !said[reason] {
			rest = append(rest, reason)
		}
	}
	switch {
	case len(rest) > 0:
		one.fill(c.Verdict, rest[0], strings.Join(rest, "\n"))
	case c.Verdict != worst || len(c.Expectations) == 0:
		one.fill(c.Verdict, headline(c), "")
	}
	return one
}

func (one *junitCase) fill(v score.Verdict, message, text string) {
	switch v {
	case score.Pass:
	case score.Fail:
		one.Failure = &junitReason{Message: message, Type: "expectation", Text: text}
	default:
		one.Error = &junitReason{Message: message, Type: "unknown", Text: text}
	}
}

func (s *junitSuite) add(one junitCase, time string) {
	one.Class, one.Time = "plantbed."+s.Name, time
	s.Tests++
	if one.Failure != nil {
		s.Failures++
	}
	if one.Error != nil {
		s.Errors++
	}
	s.Cases = append(s.Cases, one)
}

func plainTable(r score.Result) string {
	var b strings.Builder
	_ = Table(&b, r, false) // a strings.Builder takes everything
	return "\n" + strings.Map(legal, b.String())
}

// legal drops what XML cannot hold, which CDATA does not escape.
func legal(r rune) rune {
	if r == utf8.RuneError || r == 0xFFFE || r == 0xFFFF || r < ' ' && r != '\n' {
		return -1
	}
	return r
}
