package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// splice puts tables into a document: what stands between
//
//	<!-- table bench/gateway.md -->
//	<!-- end -->
//
// is replaced by that file, which lies relative to the working directory.
func splice(doc string) error {
	text, err := os.ReadFile(doc)
	if err != nil {
		return err
	}
	const begin, close, end = "<!-- table ", " -->\n", "<!-- end -->"
	var out strings.Builder
	rest := string(text)
	for {
		before, after, ok := strings.Cut(rest, begin)
		out.WriteString(before)
		if !ok {
			break
		}
		file, after, ok := strings.Cut(after, close)
		_, after, ok2 := strings.Cut(after, end)
		if !ok || !ok2 {
			return fmt.Errorf("%s: a table without its end", doc)
		}
		table, err := os.ReadFile(filepath.FromSlash(file))
		if err != nil {
			return err
		}
		fmt.Fprintf(&out, "%s%s%s%s\n%s", begin, file, close, strings.TrimSpace(string(table)), end)
		rest = after
	}
	return os.WriteFile(doc, []byte(out.String()), 0o644)
}
