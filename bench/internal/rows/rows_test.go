package rows

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		of   []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1}, 5}, {[]float64{9, 1, 2}, 2}} {
		in := append([]float64(nil), c.of...)
		if got := Median(in); got != c.want || len(in) > 0 && in[0] != c.of[0] {
			t.Errorf("median of %v is %v, want %v; left %v", c.of, got, c.want, in)
		}
	}
}

// A row with a peer and one without come out on the terminal and in the file.
func TestReport(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.json")
	var w strings.Builder
	all := []Row{New("CPU", "us", Lower, "libx", []float64{1, 2, 3}, []float64{4}), New("size", "MB", Lower, "", []float64{7}, nil)}
	if err := Report(&w, all, file); err != nil {
		t.Fatal(err)
	}
	if out := w.String(); !strings.Contains(out, "0.50") || !strings.Contains(out, "libx") || !strings.Contains(out, "7 MB") || strings.Contains(out, "NaN") {
		t.Error(out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var back struct{ Rows []Row }
	if err := json.Unmarshal(text, &back); err != nil || len(back.Rows) != 2 || back.Rows[0] != all[0] || back.Rows[1] != all[1] {
		t.Errorf("%v, %v", back, err)
	}
}
