package main

import (
	"slices"
	"strings"
	"testing"
)

// Every combination, the last key fastest; lists and quotes are one value.
func TestCombine(t *testing.T) {
	got, err := combine([]string{"a=1,2", `b=[5,5],"x,y"`})
	want := [][]string{{"a=1", "b=[5,5]"}, {"a=1", `b="x,y"`}, {"a=2", "b=[5,5]"}, {"a=2", `b="x,y"`}}
	if err != nil || !slices.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range [][]string{{"a"}, {"=1,2"}, {"a=1"}, {"a=1,,2"}, {"a=1,2", "a=3,4"}, {"seed=1,2"}, {"gear=live,virtual"},
		{"a=1,2,3,4,5,6,7,8,9,10", "b=1,2,3,4,5,6,7,8,9,10", "c=1,2,3"}} {
		if got, err := combine(bad); err == nil {
			t.Errorf("%q makes %q", bad, got)
		}
	}
}

// What the help shows with a shipped scenario is valid.
func TestSweepExamples(t *testing.T) {
	tried := 0
	for line := range strings.Lines(newSweep().Example) {
		words := strings.Fields(line)
		if len(words) < 3 || words[2] != "first-light" {
			continue
		}
		var f sweepFlags
		for i, w := range words {
			if w == "--over" {
				f.over = append(f.over, words[i+1])
			}
		}
		settings, err := combine(f.over)
		if err == nil {
			_, _, err = f.batches(words[2], settings)
		}
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
		tried++
	}
	if tried == 0 {
		t.Error("no example is of a shipped scenario")
	}
}
