package gateway

import (
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/plantbed/plantbed/gateway/mqtt"
	"github.com/plantbed/plantbed/internal/disk"
)

// TestBirthsAreKept: over a kill, the last on each topic, each source for itself,
// and none that is damaged.
func TestBirthsAreKept(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	if birthsOf(nil, "shop", log) != nil {
		t.Error("births without a disk")
	}
	m := disk.NewModel(disk.Model{})
	b := birthsOf(m, "shop", log)
	want := []mqtt.Birth{{Topic: "spBv1.0/g/DBIRTH/n/d", Text: []byte("new\x00")}, {Topic: "spBv1.0/g/NBIRTH/n", Text: []byte("node")}}
	b.Keep(mqtt.Birth{Topic: want[0].Topic, Text: []byte("old")})
	b.Keep(want[1])
	b.Keep(want[0])
	birthsOf(m, "other", log).Keep(mqtt.Birth{Topic: want[1].Topic, Text: []byte("of another source")})
	m.Kill()
	m = m.Reopen()
	got := birthsOf(m, "shop", log).Kept()
	slices.SortFunc(got, func(a, b mqtt.Birth) int { return strings.Compare(a.Topic, b.Topic) })
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	names, _ := m.List()
	for _, name := range names {
		if err := m.Truncate(name, 3); err != nil {
			t.Fatal(err)
		}
	}
	if got := birthsOf(m, "shop", log).Kept(); len(got) != 0 {
		t.Errorf("%q of damaged files", got)
	}
	b = birthsOf(m, "many", log)
	b.(*births).most = 20
	for i := range 25 {
		b.Keep(mqtt.Birth{Topic: fmt.Sprint(i)})
	}
	if got := b.Kept(); len(got) != 20 {
		t.Errorf("%d are kept, want 20", len(got))
	}
}
