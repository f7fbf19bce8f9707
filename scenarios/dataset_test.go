package scenarios

import (
	"reflect"
	"testing"
	"time"
)

// What the table does not say is as without a table, and what it says is so,
// be it 0.
func TestDatasetDefaults(t *testing.T) {
	load := func(table string) *Scenario {
		t.Helper()
		s, ps := Read("x.toml", []byte("extends = \"first-light\"\nduration = \"8h\"\nexpect = []\n"+table), nil)
		if err := append(ps, s.Validate(nil)...).Err(); err != nil {
			t.Fatal(err)
		}
		return s
	}
	def := DefaultDataset(load("").Duration)
	if def.Failing != 0.5 || def.Onset[0].D() != time.Hour || def.Onset[1].D() != 5*time.Hour || def.Life[1].D() != 8*time.Hour {
		t.Errorf("%+v", def)
	}
	if s := load(""); s.Dataset != nil {
		t.Errorf("a table that is not there: %+v", s.Dataset)
	}
	if s := load("[dataset]\nunits = 3\n"); s.Dataset.Units != 3 || !reflect.DeepEqual(s.Dataset.Onset, def.Onset) || s.Dataset.ChangesPerHour != 6 || s.Dataset.BurstEvery != def.BurstEvery {
		t.Errorf("%+v", s.Dataset)
	}
	if s := load("[dataset]\nfailing = 0\nburst_every = \"0s\"\nonset = [\"1m\", \"2m\"]\n"); s.Dataset.Failing != 0 || s.Dataset.BurstEvery != 0 || s.Dataset.Onset[1].D() != 2*time.Minute || s.Dataset.SensorFailing != 0.2 {
		t.Errorf("%+v", s.Dataset)
	}
}
