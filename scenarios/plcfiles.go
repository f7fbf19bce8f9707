package scenarios

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/plc"
)

// validateShown holds the tags that alarms, variables and models name against
// those that the PLC has.
func validateShown(ps *strict.Problems, at string, p *plc.Config, tags []string) {
	known := func(path, tag string) {
		if tag != "" && !slices.Contains(tags, tag) {
			ps.AddName(path, fmt.Sprintf("no machine of %s has a tag %q", p.Name, tag), tag, tags)
		}
	}
	for i, a := range p.Alarms {
		known(fmt.Sprintf("%s.alarm[%d].tag", at, i), string(a.Tag))
	}
	for i, v := range p.Variables {
		for j, tag := range v.Tags {
			known(fmt.Sprintf("%s.variable[%d].tags[%d]", at, i, j), string(tag))
		}
		if slices.Contains(tags, v.Name) {
			ps.Addf(fmt.Sprintf("%s.variable[%d].name", at, i), "%q is a tag of this PLC", v.Name)
		}
	}
	for _, node := range slices.Sorted(maps.Keys(p.Bind)) {
		to := p.Bind[node]
		if isMethod(to, tags) {
			continue // of a folder of tags; the server knows which it has
		}
		known(at+".bind", to)
	}
}

// isMethod tells a method, such as "oven.Reset", from a tag.
func isMethod(name string, tags []string) bool {
	dot := strings.LastIndexByte(name, '.')
	return dot > 0 && !slices.Contains(tags, name) && slices.ContainsFunc(tags, func(t string) bool { return strings.HasPrefix(t, name[:dot]+"/") })
}

// besideFile has the files and folders that PLCs name looked for beside the
// scenario's file, from wherever it is run.
func (s *Scenario) besideFile(from source) {
	if from.shipped || from.name == "" {
		return
	}
	for i := range s.PLCs {
		placeFiles(&s.PLCs[i], filepath.Dir(from.name))
	}
}

func placeFiles(c *plc.Config, dir string) {
	for i := range c.Nodesets {
		c.Nodesets[i] = under(dir, c.Nodesets[i])
	}
	c.Trusted, c.UserCertificates = under(dir, c.Trusted), under(dir, c.UserCertificates)
}

// under is a path below a folder, unless it is empty or stands for itself.
func under(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	path = filepath.Join(dir, path)
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
