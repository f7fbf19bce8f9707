package sut

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each bad file says what is wrong with it, with file and line.
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.bad.toml")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		want, err := os.ReadFile(strings.TrimSuffix(file, ".toml") + ".want")
		if err != nil {
			t.Error(err)
			continue
		}
		_, ps := Load(file)
		if got := strings.ReplaceAll(ps.Error(), "testdata/", ""); got+"\n" != string(want) {
			t.Errorf("%s:\n%s\nwant\n%s", file, got, want)
		}
	}
}

func TestNoSuchFile(t *testing.T) {
	_, ps := Load("telegraff")
	if got := ps.Error(); got != `telegraff: there is no such file, and no adapter of that name is shipped (did you mean "telegraf"?)` {
		t.Error(got)
	}
}

// The shipped adapters are right in themselves.
func TestShipped(t *testing.T) {
	names := Shipped()
	if len(names) < 3 {
		t.Fatal(names)
	}
	for _, name := range names {
		c, ps := Load(name)
		if len(ps) > 0 {
			t.Errorf("%s: %v", name, ps)
			continue
		}
		for _, f := range c.Files {
			text, err := render(f.source(), f.Text, example)
			if err != nil || strings.Contains(text, "<no value>") {
				t.Errorf("%s: %s: %v\n%s", name, f.Name, err, text)
			}
		}
	}
}

// The functions of templates.
func TestRender(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"plain { }", "plain { }"},
		{`{{range .OPCUA}}{{.Name}} {{.URL}} {{range .Tags}}{{quote .ID}} {{slug .ID}}{{end}}{{end}}`, `plc-a opc.tcp://127.0.0.1:4840 "pump/motor/current" pump_motor_current`},
		{`{{range .Modbus}}{{range .Blocks}}{{.Counter}}+{{.Count}} {{ms .Poll}} {{sec .Poll}}{{end}}{{end}}`, "0+3 1000 1"},
		{`{{add 1 2}} {{sub 3 1}} {{mul 2 3}} {{upper "abcd"}} {{replace "/" "." "a/b"}}`, "3 2 6 ABCD a.b"},
		{`{{port "a"}} {{eq (port "a") (port "a")}}`, "40000 true"},
	} {
		if got, err := render("x", c.text, example); err != nil || got != c.want {
			t.Errorf("%s: %q, %v", c.text, got, err)
		}
	}
	e := example
	e.ports = &ports{}
	if got, err := render("x", `{{eq (port "a") (port "a")}} {{ne (port "a") (port "b")}}`, e); err != nil || got != "true true" {
		t.Errorf("ports: %q, %v", got, err)
	}
	if _, err := render("x.tmpl", "one\ntwo {{.Nothing}}", example); err == nil || !strings.HasPrefix(err.Error(), "x.tmpl:2:") {
		t.Errorf("got %v", err)
	}
}
