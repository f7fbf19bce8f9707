package strict

import (
	"math/rand/v2"
	"testing"
)

func TestNearest(t *testing.T) {
	valid := []string{"link.down", "link.latency", "gateway.kill", "scan", "name"}
	for name, want := range map[string]string{
		"link.dwon": "link.down", "linkdown": "link.down", "LINK.DOWN": "link.down", "gateway.kil": "gateway.kill",
		"scna": "scan", "nam": "name", "x": "", "": "", "pump.speed": "", "link.down": "link.down", "sc": "",
	} {
		if got := Nearest(name, valid); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
	if got := Nearest("ac", []string{"ab", "ad"}); got != "ab" {
		t.Errorf("of equals %q, want the first", got)
	}
	if got := Nearest(string(make([]byte, 1<<20)), valid); got != "" {
		t.Errorf("a name of a megabyte is near %q", got)
	}
}

// distance agrees with its own definition, written as the plain recursion.
func TestDistanceAgainstTheRecursion(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	word := func() string {
		w := make([]byte, r.IntN(6))
		for i := range w {
			w[i] = "abc"[r.IntN(3)]
		}
		return string(w)
	}
	for range 2000 {
		if a, b := word(), word(); distance(a, b) != slow(a, b) {
			t.Fatalf("distance(%q, %q) = %d, want %d", a, b, distance(a, b), slow(a, b))
		}
	}
}

func slow(a, b string) int {
	if a == "" || b == "" {
		return len(a) + len(b)
	}
	i, j := len(a)-1, len(b)-1
	cost := 1
	if a[i] == b[j] {
		cost = 0
	}
	d := min(slow(a[:i], b)+1, slow(a, b[:j])+1, slow(a[:i], b[:j])+cost)
	if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
		d = min(d, slow(a[:i-1], b[:j-1])+1)
	}
	return d
}
