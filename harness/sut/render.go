package sut

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/template"
)

// render fills a text/template with the endpoints. Beyond the template
// language's own there are
//
//	{{quote .ID}}            a JSON string, which TOML and YAML read too
//	{{json .Tags}}           any value as JSON
//	{{slug .ID}}             pump/motor/current as pump_motor_current
//	{{ms .Period}}           a duration in whole milliseconds; {{sec .Period}} in seconds
//	{{port "admin"}}         a free port, the same wherever the name stands
//	{{fail "why"}}           an error: this run is not to be had
//	{{add 1 2}} {{mul 2 3}} {{sub 3 1}} {{upper .Order}} {{replace "/" "." .ID}} {{join "," .List}}
//
// An error names the text's source and the line.
func render(source, text string, e Endpoints) (string, error) {
	if !strings.Contains(text, "{{") {
		return text, nil
	}
	t, err := template.New(source).Option("missingkey=error").Funcs(functions(e)).Parse(text)
	if err != nil {
		return "", templateError(err)
	}
	var b strings.Builder
	if err := t.Execute(&b, e); err != nil {
		return "", templateError(err)
	}
	return b.String(), nil
}

// templateError drops the library's own first word.
func templateError(err error) error {
	return fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "template: "))
}

func functions(e Endpoints) template.FuncMap {
	return template.FuncMap{
		"quote": func(v any) string { return toJSON(fmt.Sprint(v)) },
		"json":  toJSON,
		"slug":  func(v any) string { return slug(fmt.Sprint(v)) },
		"ms":    func(d interface{ Milliseconds() int64 }) int64 { return d.Milliseconds() },
		"sec":   func(d interface{ Seconds() float64 }) float64 { return d.Seconds() },
		"port":  e.ports.get,
		"fail":  func(why string) (string, error) { return "", errors.New(why) },
		"add":   func(a, b int) int { return a + b },
		"sub":   func(a, b int) int { return a - b },
		"mul":   func(a, b int) int { return a * b },
		"upper": func(v any) string { return strings.ToUpper(fmt.Sprint(v)) },
		"replace": func(old, by string, v any) string {
			return strings.ReplaceAll(fmt.Sprint(v), old, by)
		},
		"join": func(sep string, list []string) string { return strings.Join(list, sep) },
	}
}

func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "null"
	}
	return string(b)
}

// slug keeps letters and digits, and an underscore for each run of others.
func slug(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range s {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			if gap && b.Len() > 0 {
				b.WriteByte('_')
			}
			b.WriteRune(r)
			gap = false
			continue
		}
		gap = true
	}
	return b.String()
}
