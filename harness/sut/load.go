package sut

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/plantbed/plantbed/internal/strict"
	adapters "github.com/plantbed/plantbed/scenarios/sut"
)

// Shipped lists the adapters that are built in, sorted.
func Shipped() []string {
	entries, err := fs.Glob(adapters.Files, "*.toml")
	if err != nil {
		panic("sut: the embedded adapters cannot be listed: " + err.Error())
	}
	for i, e := range entries {
		entries[i] = strings.TrimSuffix(e, ".toml")
	}
	return entries
}

// Load reads a file that holds a [sut] table and nothing else, or the shipped
// adapter of that name, with the templates that it names, and validates it.
// A relative template is looked for beside the file.
func Load(path string) (Config, strict.Problems) {
	text, file, dir, err := open(path)
	if err != nil {
		near := strict.Nearest(strings.TrimSuffix(path, ".toml"), Shipped())
		if near == "" && errors.Is(err, errNotThere) {
			err = fmt.Errorf("%w (there are %s)", err, strings.Join(Shipped(), ", "))
		}
		return Config{}, strict.Problems{{File: path, Msg: err.Error(), Near: near}}
	}
	var top struct {
		SUT *Config `toml:"sut"`
	}
	src, ps := strict.Decode(file, text, &top)
	if top.SUT == nil {
		if len(ps) == 0 {
			ps = strict.Problems{{File: file, Msg: "there is no [sut] table"}}
		}
		return Config{}, ps
	}
	c := *top.SUT
	c.dir = dir
	if c.Name == "" {
		c.Name = strings.TrimSuffix(filepath.Base(file), ".toml")
	}
	if c.Use != "" {
		ps = append(ps, src.Locate(strict.Problems{{Path: "sut.use", Msg: "is for scenarios; a file stands alone"}})...)
	}
	more := c.ReadFiles()
	if len(ps) == 0 {
		more = append(more, c.Validate()...)
	}
	ps = append(ps, src.Locate(more.Under("sut"))...)
	c.Defaults()
	return c, ps
}

var errNotThere = errors.New("there is no such file, and no adapter of that name is shipped")

// embeddedDir stands for the folder of the shipped adapters.
const embeddedDir = "\x00shipped"

// open finds a file, or a shipped adapter by its bare name.
func open(path string) (text []byte, file, dir string, err error) {
	if !strings.ContainsAny(path, `/\.`) {
		if text, err := adapters.Files.ReadFile(path + ".toml"); err == nil {
			return text, path + ".toml", embeddedDir, nil
		}
	}
	text, err = os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", "", errNotThere
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return nil, "", "", fmt.Errorf("cannot be read: %w", pe.Err)
	}
	return text, path, filepath.Dir(path), err
}

// In sets the folder that relative paths start from, where the table is part of
// another file.
func (c *Config) In(dir string) { c.dir = dir }

// ReadFiles reads the templates that have no text yet, and makes the folder of
// an image absolute.
func (c *Config) ReadFiles() strict.Problems {
	var ps strict.Problems
	for i := range c.Files {
		f := &c.Files[i]
		if f.Template == "" || f.Text != "" {
			continue
		}
		text, err := c.readFile(f.Template)
		if err != nil {
			ps.Add(fmt.Sprintf("file[%d].template", i), err.Error())
			continue
		}
		f.Text = string(text)
	}
	if c.Build != "" && !filepath.IsAbs(c.Build) && c.dir != embeddedDir {
		c.Build = filepath.Join(c.dir, c.Build)
	}
	return ps
}

func (c *Config) readFile(name string) ([]byte, error) {
	if c.dir == embeddedDir {
		return adapters.Files.ReadFile(name)
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(c.dir, name)
	}
	return os.ReadFile(name)
}
