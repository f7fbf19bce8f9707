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
{"client":"b","feature":"call, twice, Basic256Sha256/Sign","result":"pass"}
{"client":"b","feature":"call, twice, None/None","result":"pass"}
{"client":"b","feature":"call, twice, Basic256Sha256/SignAndEncrypt","result":"fails"}
`), &out)
	want := "| a | x\\|y |  | pass |\n| b | read |  | fails: too late |\n| b | call, twice | Basic256Sha256 Sign, None | pass |\n| b | call, twice | Basic256Sha256 SignAndEncrypt | fails |\n"
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

func TestShort(t *testing.T) {
	all := []string{"None"}
	for _, p := range policies {
		all = append(all, p+" SignAndEncrypt", p+" Sign")
	}
	if got := short(all[1:]); len(got) != 1 || got[0] != "secured" {
		t.Errorf("%q", got)
	}
	if got := short(append([]string{"None"}, all[1:]...)); len(got) != 1 {
		t.Errorf("%q", got)
	}
	if got := short([]string{"None"}); len(got) != 1 || got[0] != "None" {
		t.Errorf("%q", got)
	}
}
