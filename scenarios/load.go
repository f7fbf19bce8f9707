package scenarios

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plantbed/plantbed/internal/strict"
)

// merged are the arrays whose elements a child scenario changes by name; every
// other array of a child takes the place of its parent's.
var merged = []string{"machine", "line", "plc"}

// maxExtends is how many scenarios may stand on each other.
const maxExtends = 16

// Load reads a scenario from a file, or the shipped one of that name, with the
// scenarios that it extends underneath, and then the settings on top:
// "seed=7", "gateway.buffer.max_bytes=64KiB", "fault[1].for=120s".
//
// What a child says replaces what its parent says, key by key, with the arrays
// machine, line and plc merged by their elements' names and every other array
// replaced as a whole. A relative extends is looked for beside the file that
// says it, and then among the shipped ones.
//
// With problems the scenario is what could be understood; it is never nil, and
// its Validate adds what else is wrong with it.
func Load(path string, sets []string) (*Scenario, strict.Problems) {
	text, file, err := open(path, source{})
	if err != nil {
		return &Scenario{lost: true}, strict.Problems{*err}
	}
	return read(file, text, sets)
}

// Read is Load for a text that has been read already; file is only its name,
// beside which extends is looked for.
func Read(file string, text []byte, sets []string) (*Scenario, strict.Problems) {
	return read(source{name: file}, text, sets)
}

func read(file source, text []byte, sets []string) (*Scenario, strict.Problems) {
	s := Default()
	tree, problems := stack(file, text, nil)
	if len(problems) > 0 {
		s.lost = true
		return &s, problems
	}
	for _, set := range sets {
		path, value, ok := strings.Cut(set, "=")
		if !ok {
			problems = append(problems, strict.Problem{File: "--set", Msg: fmt.Sprintf("%q has no =; write path=value, such as seed=7", set)})
			continue
		}
		if err := tree.Set(path, value, "--set"); err != nil {
			problems = append(problems, strict.Problem{File: "--set", Msg: err.Error()})
		}
	}
	if tree.Has("dataset") {
		d := usual()
		s.Dataset = &d
	}
	problems = append(problems, tree.Into(&s)...)
	problems = append(problems, s.loadSUT(tree)...)
	s.src, s.told = tree.Source(), problems
	s.resolve()
	s.besideFile(file)
	return &s, problems
}

// stack parses a scenario and lays it over the one it extends.
func stack(file source, text []byte, below []string) (*strict.Tree, strict.Problems) {
	tree, problems := strict.Parse(file.name, text)
	if len(problems) > 0 || tree.Text("extends") == "" {
		return tree, problems
	}
	extends := tree.Text("extends")
	complain := func(p strict.Problem) (*strict.Tree, strict.Problems) {
		return nil, tree.Source().Locate(strict.Problems{{Path: "extends", Msg: p.Msg, Near: p.Near}})
	}
	parentText, parent, problem := open(extends, file)
	if problem != nil {
		problem.Msg = fmt.Sprintf("%s: %s", problem.File, problem.Msg)
		return complain(*problem)
	}
	below = append(below, file.name)
	if slices.Contains(below, parent.name) || len(below) > maxExtends {
		return complain(strict.Problem{Msg: fmt.Sprintf("goes round in a circle: %s", strings.Join(append(below, parent.name), " extends "))})
	}
	base, problems := stack(parent, parentText, below)
	if len(problems) > 0 {
		return nil, problems
	}
	return tree.Over(base, merged...), nil
}

// source is where a text came from: a file, or a shipped scenario.
type source struct {
	name    string
	shipped bool
}

// open finds a scenario. A file that from mentions is looked for beside it; a
// bare name may also be a shipped scenario, and is one before all else where it
// lacks the .toml, or where a shipped scenario mentions it.
func open(file string, from source) ([]byte, source, *strict.Problem) {
	name := strings.TrimSuffix(file, ".toml")
	if text, ok := shippedText(beside(from, name)); ok && from.shipped {
		return text, source{name: beside(from, name) + ".toml", shipped: true}, nil
	}
	if text, ok := shippedText(name); ok && (from.shipped || name == file) {
		return text, source{name: name + ".toml", shipped: true}, nil
	}
	if from.name != "" && !filepath.IsAbs(file) {
		file = filepath.Join(filepath.Dir(from.name), file)
	}
	text, err := os.ReadFile(file)
	if err == nil {
		return text, source{name: file}, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, source{}, &strict.Problem{File: file, Msg: "cannot be read: " + cause(err)}
	}
	if text, ok := shippedText(name); ok {
		return text, source{name: name + ".toml", shipped: true}, nil
	}
	return nil, source{}, &strict.Problem{File: file, Msg: "there is no such file, and no scenario of that name is shipped",
		Near: strict.Nearest(name, Shipped())}
}

// beside is the name of a scenario as the one that mentions it means it.
func beside(from source, name string) string { return path.Join(path.Dir(from.name), name) }

// cause is an error without the path that its message repeats.
func cause(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}
