package main

import (
	"slices"
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
