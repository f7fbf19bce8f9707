package main

import (
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	var out strings.Builder
	err := table(strings.NewReader(`{"client":"b","feature":"read","result":"pass"}
{"client":"a","feature":"x|y","result":"pass"}
{"client":"b","feature":"read","result":"fails: too late"}
{"client":"b","feature":"read","result":"pass"}
`), &out)
	want := "| a | x\\|y | pass |\n| b | read | fails: too late |\n"
	if err != nil || !strings.HasSuffix(out.String(), want) {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestLinesThatAreNone(t *testing.T) {
	for _, in := range []string{"", "{}", "x", `{"client":"a","feature":"b"}`} {
		if err := table(strings.NewReader(in), &strings.Builder{}); err == nil {
			t.Errorf("%q: no error", in)
		}
	}
}
