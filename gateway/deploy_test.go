package gateway

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The unit is one that systemd takes, with this test's program in the place of
// the gateway; a key that it does not know is told.
func TestTheUnitHolds(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		if os.Getenv("PLANTBED_REQUIRE") != "" {
			t.Fatal("systemd-analyze is missing; make deps installs it")
		}
		t.Skip("systemd-analyze is missing")
	}
	text, err := os.ReadFile("deploy/plantbed-gateway.service")
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	unit := strings.ReplaceAll(string(text), "/usr/local/bin/plantbed", self)
	if unit == string(text) {
		t.Fatal("the unit starts no /usr/local/bin/plantbed")
	}
	verify := func(unit string) string {
		file := filepath.Join(t.TempDir(), "plantbed-gateway.service")
		if err := os.WriteFile(file, []byte(unit), 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("systemd-analyze", "verify", "--man=no", file).CombinedOutput()
		if err != nil {
			return string(out) + err.Error()
		}
		return string(out)
	}
	for _, u := range []string{unit, strings.Replace(unit, "#LoadCredential", "LoadCredential", 1)} {
		if said := verify(u); strings.Contains(said, "plantbed-gateway") {
			t.Error(said)
		}
	}
	if said := verify(strings.Replace(unit, "DynamicUser=", "DynamicUsr=", 1)); !strings.Contains(said, "DynamicUsr") {
		t.Errorf("a key that there is not goes by: %s", said)
	}
}
