// Command interop makes the table of docs/INTEROP.md out of what the interop
// tests saw.
//
//	make interop
//
// A test appends a line of JSON for each feature that a client tried to the
// file that PLANTBED_INTEROP_OUT names:
//
//	{"client":"node-opcua 2.182.2","feature":"HistoryRead of raw data","result":"pass"}
//
// Of several lines on one feature the worst counts: anything else beats pass.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// line is what a test saw.
type line struct{ Client, Feature, Result string }

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: interop LINES > docs/INTEROP.md")
		os.Exit(2)
	}
	f, err := os.Open(os.Args[1])
	if err == nil {
		defer f.Close()
		err = table(f, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
}

const head = `# Interop

Clients that nobody here wrote, against the simulated PLCs, as the interop tests
saw it. This page is made by ` + "`make interop`" + `.

| client | feature | result |
|---|---|---|
`

// table writes the page.
func table(in io.Reader, out io.Writer) error {
	var rows []line
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil || l.Client == "" || l.Feature == "" || l.Result == "" {
			return fmt.Errorf("line %d is not a client, a feature and a result: %s", n, lines.Text())
		}
		i := slices.IndexFunc(rows, func(o line) bool { return o.Client == l.Client && o.Feature == l.Feature })
		switch {
		case i < 0:
			rows = append(rows, l)
		case rows[i].Result == "pass":
			rows[i].Result = l.Result
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if len(rows) == 0 {
		return fmt.Errorf("no test saw anything")
	}
	slices.SortStableFunc(rows, func(a, b line) int { return strings.Compare(a.Client, b.Client) })
	fmt.Fprint(out, head)
	for _, l := range rows {
		fmt.Fprintf(out, "| %s | %s | %s |\n", cell(l.Client), cell(l.Feature), cell(l.Result))
	}
	return nil
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }
