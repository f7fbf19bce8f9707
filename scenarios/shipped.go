package scenarios

import (
	"embed"
	"path"
	"strings"
)

//go:embed *.toml conformance/*.toml
var shipped embed.FS

// Shipped lists the names of the scenarios that are built in, sorted.
func Shipped() []string { return embedded(".") }

// Suite lists those of the conformance suite, sorted.
func Suite() []string { return embedded("conformance") }

func embedded(dir string) (names []string) {
	entries, err := shipped.ReadDir(dir)
	if err != nil {
		panic("scenarios: the embedded files cannot be listed: " + err.Error())
	}
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, path.Join(dir, strings.TrimSuffix(e.Name(), ".toml")))
		}
	}
	return names
}

// shippedText is the text of a built-in scenario.
func shippedText(name string) ([]byte, bool) {
	text, err := shipped.ReadFile(name + ".toml")
	return text, err == nil
}
