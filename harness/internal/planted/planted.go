// Package planted builds the stack with planted defects, of
// harness/testdata/defective, for the tests of several packages:
//
//	func TestMain(m *testing.M) { planted.Main(m) } // removes what was built
//
//	w := virtual.Worker{Exe: planted.Virtual(t), Args: []string{dir, "drop", "20"}}
//
// It is built at most once in a test's process, and only where a test asks.
package planted

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// program is what the tests of the whole module share.
const program = "github.com/plantbed/plantbed/harness/testdata/defective"

// Virtual is the program under the fake clock.
func Virtual(t testing.TB) string { return built(t, &virtual) }

// Live is the program by the wall's clock. As harness.Options.Exe it is the
// gateway of a run in the live gear; its defect stands in GatewayArgs.
func Live(t testing.TB) string { return built(t, &live) }

var (
	virtual = build{tags: []string{"-tags", "faketime"}}
	live    build
)

// build is one way to build the program, done once.
type build struct {
	tags []string
	once sync.Once
	dir  string
	err  error
}

func built(t testing.TB, b *build) string {
	t.Helper()
	b.once.Do(b.do)
	if b.err != nil {
		t.Fatal(b.err)
	}
	return filepath.Join(b.dir, "defective")
}

func (b *build) do() {
	if b.dir, b.err = os.MkdirTemp("", "defective"); b.err != nil {
		return
	}
	args := append([]string{"build", "-o", filepath.Join(b.dir, "defective")}, b.tags...)
	cmd := exec.Command("go", append(args, program)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.err = fmt.Errorf("go build %s: %v\n%s", program, err, out)
		return
	}
	b.err = look()
}

// look reads the program's own sources, and nothing of them: go test keeps the
// result of a package until a file changes that its tests have read, and would
// not know that these count.
func look() error {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if .Main}}{{$.Dir}}{{end}}{{end}}", program).Output()
	if err != nil {
		return fmt.Errorf("go list %s: %v", program, err)
	}
	for dir := range strings.FieldsSeq(string(out)) {
		files, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, f := range files {
			if _, err := os.Stat(filepath.Join(dir, f.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// Main runs a package's tests, removes what they had built, and ends the process.
func Main(m *testing.M) {
	code := m.Run()
	for _, b := range []*build{&virtual, &live} {
		if b.dir != "" {
			os.RemoveAll(b.dir)
		}
	}
	os.Exit(code)
}
