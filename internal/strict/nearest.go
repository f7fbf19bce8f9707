package strict

import (
	"strings"
	"unicode/utf8"
)

// Nearest is the valid name with the smallest edit distance to name, "" when
// none is near enough to be a likely slip: more than a third of the longer
// name changed. Upper and lower case count as the same letter. Of equals the
// first in valid wins.
func Nearest(name string, valid []string) string {
	if len(name) > 200 {
		return "" // no slip of the pen, and not worth the quadratic time
	}
	best, at := "", -1
	for _, v := range valid {
		if v == name {
			return v
		}
		longest := max(utf8.RuneCountInString(name), utf8.RuneCountInString(v))
		d := distance(strings.ToLower(name), strings.ToLower(v))
		if d > max(1, longest/3) || d >= longest {
			continue
		}
		if at < 0 || d < at {
			best, at = v, d
		}
	}
	return best
}

// distance is the number of letters to insert, delete, replace or swap with
// their neighbour to get from a to b (optimal string alignment).
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	// Three rows of the table are enough: a swap looks two rows back.
	before, above, row := make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(s); i++ {
		row[0] = i
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(t)]
}
