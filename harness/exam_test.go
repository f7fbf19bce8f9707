package harness

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

// tiny is an examination of seconds; it shows that things work, and nothing else.
func tiny() Exam {
	e := QuickExam()
	e.Lines, e.Calibration, e.Scored, e.Failures, e.SensorFaults, e.ShortestLife, e.LongestLife, e.Resamples = 1, 8*time.Hour, 30*time.Hour, 3, 2, 2*time.Hour, 4*time.Hour, 50
	return e
}

// The seed of the scored time changes what is scored and no limit; another
// calibration seed or another unit does.
func TestScoredSeedChangesNoLimit(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	limits := func(change func(*Exam)) string {
		e := tiny()
		change(&e)
		cals, err := e.calibrate(0)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(cals)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	base := limits(func(*Exam) {})
	if got := limits(func(e *Exam) { e.Seed = 99; e.Failures = 5; e.Scored = 50 * time.Hour }); got != base {
		t.Error("another scored seed moves limits")
	}
	if got := limits(func(e *Exam) { e.CalibrationSeed++ }); got == base {
		t.Error("another calibration seed moves nothing")
	}
	if got := limits(func(e *Exam) { e.FirstSerial++ }); got == base {
		t.Error("another unit has the same limits")
	}
}

func TestExamTwiceIsTheSame(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	a, err := tiny().Run()
	if err != nil {
		t.Fatal(err)
	}
	b, err := tiny().Run()
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Error("one seed gives two tables")
	}
	if a.Failures != 3 || a.SensorFaults != 2 || a.Units != 5 || a.HealthyWeeks < 0.7 || a.HealthyWeeks > 0.9 {
		t.Errorf("%d failures, %d sensor faults, %d machines, %.2f healthy weeks", a.Failures, a.SensorFaults, a.Units, a.HealthyWeeks)
	}
	if *a.Rows[0].Recall.Value == 0 {
		t.Error("no failure at all was announced")
	}
}

// What is scored must not be what limits come from.
func TestExamRefusesItsOwnCalibration(t *testing.T) {
	e := DefaultExam()
	e.Seed = lineSeed(e.CalibrationSeed, 3)
	if _, err := e.Run(); err == nil || !strings.Contains(err.Error(), "calibration seed") {
		t.Errorf("error %v", err)
	}
}

// Over all lines every part has its turn, and nothing overlaps on a machine.
func TestExamPlan(t *testing.T) {
	e := DefaultExam()
	turns := map[string]int{}
	kinds := map[string]int{}
	for line := range e.Lines {
		units, err := e.planned(line)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range units {
			for i, f := range u.Failures {
				turns[u.Name[strings.Index(u.Name, "/"):]+"/"+f.Component]++
				if life := f.Failure - f.Onset; life < e.ShortestLife || life > e.LongestLife || f.Excused > e.Scored {
					t.Errorf("%s: life %v, over at %v", u.Name, life, f.Excused)
				}
				if i > 0 && u.Failures[i-1].Excused > f.Onset {
					t.Errorf("%s: failures overlap", u.Name)
				}
				for _, s := range u.Sensors {
					if s.From < f.Excused && f.Onset < s.Excused {
						t.Errorf("%s: a sensor lies while a part fails", u.Name)
					}
				}
			}
			for _, s := range u.Sensors {
				kinds[s.Kind]++
			}
			if len(u.Ages) != len(u.Replaced) || len(u.Ages) == 0 {
				t.Errorf("%s: %d ages", u.Name, len(u.Ages))
			}
		}
	}
	if len(turns) != 12 || len(kinds) != 4 {
		t.Errorf("parts %v, lies %v", turns, kinds)
	}
	for part, n := range turns {
		if n != 5 {
			t.Errorf("%s fails %d times, want 5", part, n)
		}
	}
}
