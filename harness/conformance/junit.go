package conformance

import (
	"bytes"
	"encoding/xml"
)

type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Name    string       `xml:"name,attr"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string       `xml:"classname,attr"`
		Name    string       `xml:"name,attr"`
		Failure *junitReason `xml:"failure"`
		Error   *junitReason `xml:"error"`
		Skipped *junitReason `xml:"skipped"`
	}
	junitReason struct {
		Message string `xml:"message,attr"`
	}
)

// JUnit is a suite for each system and a test case for each entry. Unknown is
// an error, not applicable a skip.
func JUnit(ms ...Matrix) ([]byte, error) {
	all := junitSuites{Name: "plantbed conformance"}
	for _, m := range ms {
		s := junitSuite{Name: m.SUT, Tests: len(m.Entries), Failures: m.Count(Fail), Errors: m.Count(Unknown), Skipped: m.Count(NotApplicable)}
		for _, o := range m.Entries {
			c := junitCase{Class: "conformance", Name: o.ID + " " + o.Title}
			why := &junitReason{o.Why}
			switch o.Verdict {
			case Fail:
				c.Failure = why
			case Unknown:
				c.Error = why
			case NotApplicable:
				c.Skipped = why
			}
			s.Cases = append(s.Cases, c)
		}
		all.Suites = append(all.Suites, s)
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	e := xml.NewEncoder(&b)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}
