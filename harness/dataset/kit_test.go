package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/scenarios"
)

// smallScenario is the shipped one in half an hour, with a fault in most runs.
func smallScenario(t testing.TB) *scenarios.Scenario {
	t.Helper()
	sc, ps := scenarios.Load("bottling-failures", nil)
	if ps.Err() != nil {
		t.Fatal(ps)
	}
	minutes := func(n int) strict.Duration { return strict.Duration(time.Duration(n) * time.Minute) }
	sc.Duration = minutes(30)
	d := sc.Dataset
	d.Onset, d.Life = []strict.Duration{minutes(3), minutes(8)}, []strict.Duration{minutes(6), minutes(40)}
	d.Failing, d.SensorFailing, d.BurstEvery, d.BurstSamples, d.Units = 0.9, 0.5, minutes(5), 256, 4
	return sc
}

func write(t testing.TB, sc *scenarios.Scenario, o Options) Summary {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Runs == 0 {
		o.Runs = 6
	}
	if o.Seed == 0 {
		o.Seed = 7
	}
	sum, err := Write(context.Background(), sc, o)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// hashes of every file in a directory, by name.
func hashes(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		sum := sha256.Sum256(b)
		out[strings.TrimPrefix(path, dir)] = hex.EncodeToString(sum[:])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// loadedManifest is manifest.json as a reader sees it.
type loadedManifest struct {
	manifest
	List []runEntry `json:"runs"`
}

func readManifest(t testing.TB, dir string) (m loadedManifest) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}
