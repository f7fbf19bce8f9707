package conformance

import (
	"bytes"
	_ "embed"
	"html/template"
	"strings"
)

//go:embed matrix.html
var pageText string

var page = template.Must(template.New("matrix").Funcs(template.FuncMap{
	"class": func(v Verdict) string { return strings.ReplaceAll(string(v), " ", "-") },
	"mark": func(v Verdict) string {
		return map[Verdict]string{Pass: "✓", Fail: "✗", NotApplicable: "–", Unknown: "?"}[v]
	},
	"thread": threadURL,
}).Parse(pageText))

// HTML is the matrix as one page without network.
func HTML(ms ...Matrix) ([]byte, error) {
	var b bytes.Buffer
	err := page.Execute(&b, struct {
		Systems []Matrix
		Rows    []row
	}{ms, rows(ms)})
	return b.Bytes(), err
}

// threadURL is where a report such as "gopcua/opcua PR #839" can be read.
func threadURL(thread string) string {
	repo, number, ok := strings.Cut(thread, "#")
	if !ok {
		return ""
	}
	repo, isPR := strings.CutSuffix(repo, " PR ")
	kind := "issues"
	if isPR {
		kind = "pull"
	}
	return "https://github.com/" + repo + "/" + kind + "/" + number
}
