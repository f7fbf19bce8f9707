package opcua

import (
	"strings"
	"testing"
)

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"a/b", "a/b", true}, {"a/b", "a/b/c", false}, {"a/*", "a/b", true}, {"a/*", "a/b/c", false}, {"**", "a/b/c", true},
		{"**/c", "c", true}, {"**/c", "a/b/c", true}, {"a/**/c", "a/c", true}, {"a/**/c", "a/b/b/c", true}, {"a/**/c", "b/c", false},
		{"*/temp*", "oven/temp-1", true}, {"*/temp?", "oven/temp", false}, {"**/[xy]", "a/y", true}, {"**/[xy]", "a/z", false},
	} {
		if got := matches(strings.Split(c.pattern, "/"), strings.Split(c.path, "/")); got != c.want {
			t.Errorf("%s against %s: %v", c.pattern, c.path, got)
		}
	}
}
