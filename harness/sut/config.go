package sut

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
)

// Config is a [sut] table. Command, env, ready and the texts of files are
// templates over Endpoints (see render).
type Config struct {
	// Use names a shipped adapter, or a file with a [sut] table, that this table
	// changes. It is for scenarios.
	Use  string `toml:"use,omitempty"`
	Name string `toml:"name,omitempty"`
	Kind string `toml:"kind,omitempty"`
	// Command is the program, found on PATH, and its arguments; of a container
	// the arguments alone.
	Command []string          `toml:"command,omitempty"`
	Env     map[string]string `toml:"env,omitempty"`
	Files   []File            `toml:"file,omitempty"`
	// Store is the folder, below its directory, in which it keeps what it must not
	// lose: for faults of its disk.
	Store string `toml:"store,omitempty"`

	// Image of a container. Build is a folder with a Dockerfile from which the
	// image is made first; without it the image must be there.
	Image string `toml:"image,omitempty"`
	Build string `toml:"build,omitempty"`
	// Network is host (default), or bridge: a network of its own, from which it
	// reaches the links at the bridge's address.
	Network string `toml:"network,omitempty"`

	Ready  Ready  `toml:"ready"`
	Stop   Stop   `toml:"stop"`
	Output Output `toml:"output"`

	dir string // the folder that relative paths start from
}

// File is written into the SUT's directory before its first start.
type File struct {
	// Name is its path below the directory.
	Name string `toml:"name"`
	// Template is a file beside the one that says it; Text is its content, which
	// may stand here itself.
	Template string `toml:"template,omitempty"`
	Text     string `toml:"text,omitempty"`
}

// source names the text in errors.
func (f File) source() string {
	if f.Template != "" {
		return f.Template
	}
	return f.Name
}

// Ready says when it is up; all that is given must hold.
type Ready struct {
	// TCP is an address that takes connections, HTTP a URL that answers with 2xx.
	TCP  string `toml:"tcp,omitempty"`
	HTTP string `toml:"http,omitempty"`
	// Log is a regular expression that a line of its output matches.
	Log string `toml:"log,omitempty"`
	// Data waits for its first sample at the broker.
	Data bool `toml:"data,omitempty"`
	// Within is the time that it is given after each start; what is scanned
	// meanwhile is not owed.
	Within strict.Duration `toml:"within"`
}

// Stop says how it is asked to end.
type Stop struct {
	Signal string          `toml:"signal"`
	Grace  strict.Duration `toml:"grace"`
}

// Output says what of the broker's traffic is its samples. The keys from Each
// on are expressions; see Mapper.
type Output struct {
	// Topics are MQTT topic filters.
	Topics []string `toml:"topics,omitempty"`
	// Format is native, json, influx, sparkplug or text.
	Format  string `toml:"format,omitempty"`
	Each    string `toml:"each,omitempty"`
	When    string `toml:"when,omitempty"`
	ID      string `toml:"id,omitempty"`
	Value   string `toml:"value,omitempty"`
	Time    string `toml:"time,omitempty"`
	Seq     string `toml:"seq,omitempty"`
	Quality string `toml:"quality,omitempty"`
}

// The names that the fields above may have.
var (
	networks = []string{"host", "bridge"}
	formats  = []string{"native", "json", "influx", "sparkplug", "text"}
	signals  = map[string]syscall.Signal{"SIGTERM": syscall.SIGTERM, "SIGINT": syscall.SIGINT, "SIGHUP": syscall.SIGHUP, "SIGQUIT": syscall.SIGQUIT, "SIGKILL": syscall.SIGKILL}
)

// Defaults fills in what is not set.
func (c *Config) Defaults() {
	set(&c.Kind, Builtin)
	set(&c.Name, c.Kind)
	if c.Kind == Container {
		set(&c.Network, "host")
	}
	set(&c.Ready.Within, strict.Duration(10*time.Second))
	set(&c.Stop.Signal, "SIGTERM")
	set(&c.Stop.Grace, strict.Duration(10*time.Second))
	set(&c.Output.Format, "native")
	if c.Output.Format == "native" && len(c.Output.Topics) == 0 {
		c.Output.Topics = []string{"plantbed/+/data"}
	}
}

func set[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Validate reports everything that is wrong. It opens nothing: templates are
// tried on an example, expressions are compiled. The paths are those below the
// table.
func (c *Config) Validate() strict.Problems {
	var ps strict.Problems
	d := *c
	d.Defaults()
	if !slices.Contains(kinds, d.Kind) {
		ps.AddName("kind", fmt.Sprintf("there is no kind %q", d.Kind), d.Kind, kinds)
		return ps
	}
	d.validateKind(&ps)
	d.validateFiles(&ps)
	d.validateTexts(&ps)
	d.validateReady(&ps)
	if _, ok := signals[d.Stop.Signal]; !ok {
		ps.AddName("stop.signal", fmt.Sprintf("there is no signal %q", d.Stop.Signal), d.Stop.Signal, sortedKeys(signals))
	}
	if d.Stop.Grace < 0 {
		ps.Addf("stop.grace", "%v is negative", d.Stop.Grace)
	}
	_, more := d.Output.compile(example)
	return append(ps, more.Under("output")...)
}

// validateKind checks the keys that only some kinds have.
func (c *Config) validateKind(ps *strict.Problems) {
	only := func(path string, is bool, kind string) {
		if is && c.Kind != kind {
			ps.Addf(path, "is for kind = %q", kind)
		}
	}
	only("image", c.Image != "", Container)
	only("build", c.Build != "", Container)
	only("network", c.Network != "", Container)
	if c.Store != "" && (path.IsAbs(c.Store) || path.Clean(c.Store) != c.Store || strings.HasPrefix(c.Store, "..")) {
		ps.Addf("store", "%q is not a path below the directory", c.Store)
	} else if c.Store != "" && (c.Kind == Builtin || c.Kind == External) {
		ps.Addf("store", "is not for kind = %q", c.Kind)
	}
	switch {
	case (c.Kind == Builtin || c.Kind == External) && len(c.Command) > 0:
		ps.Addf("command", "is not for kind = %q; write kind = \"process\" for a program", c.Kind)
	case c.Kind == External && (c.Ready.TCP != "" || c.Ready.HTTP != "" || c.Ready.Log != ""):
		ps.Add("ready", "of a gateway that somebody else starts, only data can be waited for")
	case c.Kind == Process && (len(c.Command) == 0 || c.Command[0] == ""):
		ps.Add("command", "a process needs a command")
	case c.Kind == Container && c.Image == "":
		ps.Add("image", "a container needs an image")
	}
	if c.Kind == Container && !slices.Contains(networks, c.Network) {
		ps.AddName("network", fmt.Sprintf("there is no network %q", c.Network), c.Network, networks)
	}
}

func (c *Config) validateFiles(ps *strict.Problems) {
	first := map[string]int{}
	for i, f := range c.Files {
		at := fmt.Sprintf("file[%d]", i)
		switch {
		case f.Name == "":
			ps.Add(at+".name", "a file needs a name")
		case path.IsAbs(f.Name) || path.Clean(f.Name) != f.Name || strings.HasPrefix(f.Name, ".."):
			ps.Addf(at+".name", "%q is not a path below the directory", f.Name)
		}
		if j, taken := first[f.Name]; taken && f.Name != "" {
			ps.Addf(at+".name", "%q is the name of file[%d] already", f.Name, j)
		} else {
			first[f.Name] = i
		}
		switch {
		case f.Text == "" && f.Template == "":
			ps.Add(at, "a file needs a template, or a text")
		case f.Text != "":
			if _, err := render(f.source(), f.Text, example); err != nil {
				ps.Add(at+".template", err.Error())
			}
		}
	}
}

// validateTexts tries the templates that are no files.
func (c *Config) validateTexts(ps *strict.Problems) {
	try := func(path, text string) {
		if _, err := render(path, text, example); err != nil {
			ps.Add(path, err.Error())
		}
	}
	for i, w := range c.Command {
		try(fmt.Sprintf("command[%d]", i), w)
	}
	for _, key := range sortedKeys(c.Env) {
		try("env."+key, c.Env[key])
	}
	try("ready.tcp", c.Ready.TCP)
	try("ready.http", c.Ready.HTTP)
}

func (c *Config) validateReady(ps *strict.Problems) {
	if c.Ready.Within < strict.Duration(100*time.Millisecond) {
		ps.Addf("ready.within", "%v is less than the least, 100ms", c.Ready.Within)
	}
	if _, err := regexp.Compile(c.Ready.Log); err != nil {
		ps.Add("ready.log", err.Error())
	}
}
