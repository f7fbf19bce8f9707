package predict

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// A file's models are those that were written, and anything that is missing
// from one is told: whatever Check lets pass, Step does not panic on.
func TestCheckTellsWhatStepWouldTripOver(t *testing.T) {
	text, err := json.Marshal(day())
	if err != nil {
		t.Fatal(err)
	}
	var whole any
	if err := json.Unmarshal(text, &whole); err != nil {
		t.Fatal(err)
	}
	told, let := 0, 0
	spoil(whole, "", func(what string) {
		text, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		var c Calibrated
		if json.Unmarshal(text, &c) != nil || c.Check() != nil {
			told++
			return
		}
		let++
		defer func() {
			if r := recover(); r != nil {
				t.Errorf("without %s: %v", what, r)
			}
		}()
		w, m := NewWatch(&c), newMachine(7)
		for range 2 * 3600 { // past the warm-up
			w.Step(m.second())
		}
	})
	if told < 50 || let < 10 {
		t.Errorf("%d told, %d let pass", told, let)
	}
	var same Calibrated
	if err := json.Unmarshal(text, &same); err != nil || same.Check() != nil {
		t.Errorf("an unspoilt model: %v, %v", err, same.Check())
	}
	same.Model.Use[1] = 99
	if err := same.Check(); err == nil || !strings.Contains(err.Error(), "pca.use[1] is 99") {
		t.Errorf("%v", err)
	}
}

// spoil takes away each key of each object and the last of each list, and
// turns each number over, one at a time, and calls f in between. Of long lists
// it looks into the first and the last alone.
func spoil(v any, path string, f func(what string)) {
	switch v := v.(type) {
	case map[string]any:
		for key, old := range v {
			at := path + "." + key
			delete(v, key)
			f(at)
			if x, ok := old.(float64); ok {
				v[key] = -x - 1
				f(at + " (its negative)")
			}
			if list, ok := old.([]any); ok && len(list) > 0 {
				v[key] = list[:len(list)-1]
				f(at + " (its last)")
			}
			v[key] = old
			spoil(old, at, f)
		}
	case []any:
		for i, old := range v {
			if i > 0 && i < len(v)-1 {
				continue
			}
			at := fmt.Sprintf("%s[%d]", path, i)
			switch x := old.(type) {
			case float64:
				v[i] = -x - 1
				f(at + " (its negative)")
			case []any:
				if len(x) > 0 {
					v[i] = x[:len(x)-1]
					f(at + " (its last)")
				}
			}
			v[i] = old
			spoil(old, at, f)
		}
	}
}
