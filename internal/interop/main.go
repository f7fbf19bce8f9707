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
	"regexp"
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
saw it. This page is made by ` + "`make interop`" + `. Where something was tried under
more than one kind of security, "every" is None and Basic256Sha256,
Aes128_Sha256_RsaOaep and Aes256_Sha256_RsaPss, each with Sign and with
SignAndEncrypt; "secured" is all of them but None.

| client | feature | security | result |
|---|---|---|---|
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
	for _, r := range together(rows) {
		fmt.Fprintf(out, "| %s | %s | %s | %s |\n", cell(r.Client), cell(r.Feature), cell(strings.Join(r.security, ", ")), cell(r.Result))
	}
	return nil
}

// row is a line of the page: what came of a feature the same way under all
// these kinds of security.
type row struct {
	line
	security []string
}

// secured is a feature that was tried under a policy and a mode.
var secured = regexp.MustCompile(`^(.*), (\w+)/(?:MessageSecurityMode)?(None|Sign|SignAndEncrypt)$`)

// together puts into one row what differs by its security alone.
func together(lines []line) []row {
	var rows []row
	for _, l := range lines {
		var kinds []string
		if m := secured.FindStringSubmatch(l.Feature); m != nil {
			l.Feature = m[1]
			if kinds = []string{m[2] + " " + m[3]}; m[3] == "None" {
				kinds = []string{"None"}
			}
		}
		i := slices.IndexFunc(rows, func(r row) bool { return r.line == l && len(r.security) > 0 == (len(kinds) > 0) })
		if i < 0 {
			rows = append(rows, row{line: l})
			i = len(rows) - 1
		}
		rows[i].security = append(rows[i].security, kinds...)
	}
	for i := range rows {
		rows[i].security = short(rows[i].security)
	}
	return rows
}

// policies are the current ones; each comes with Sign and with SignAndEncrypt.
var policies = []string{"Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss", "Basic256Sha256"}

// short says "every" where there are all kinds of security, and "secured"
// where there are all but none.
func short(kinds []string) []string {
	slices.Sort(kinds)
	var all []string
	for _, p := range policies {
		all = append(all, p+" Sign", p+" SignAndEncrypt")
	}
	switch {
	case slices.Equal(kinds, all):
		return []string{"secured"}
	case slices.Equal(kinds, append(all, "None")):
		return []string{"every"}
	}
	return kinds
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }
