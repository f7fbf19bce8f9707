package scenarios

import (
	"embed"
	"strings"
)

//go:embed *.toml conformance/*.toml
var shipped embed.FS

// Shipped lists the names of the scenarios that are built in, sorted.
func Shipped() []string {
	entries, err := shipped.ReadDir(".")
	if err != nil {
		panic("scenarios: the embedded files cannot be listed: " + err.Error())
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".toml"))
	}
	return names
}

// shippedText is the text of a built-in scenario.
func shippedText(name string) ([]byte, bool) {
	text, err := shipped.ReadFile(name + ".toml")
	return text, err == nil
}
