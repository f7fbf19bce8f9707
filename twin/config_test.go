package twin

import (
	"strings"
	"testing"
)

func TestValidateReportsEverything(t *testing.T) {
	cfg := Config{StaleAfter: -1, Assets: []Asset{
		{Name: "a", Tags: []Tag{{ID: "x"}, {ID: "x"}, {}, {ID: "y", Lo: 2, Hi: 1, Period: -1}}},
		{Name: "a"}, {},
	}}
	cfg.Defaults()
	var got []string
	for _, p := range cfg.Validate() {
		got = append(got, p.Path)
	}
	want := "stale_after asset[0].tag[1].id asset[0].tag[2].id asset[0].tag[3].lo asset[0].tag[3].period asset[1].name asset[2].name mqtt.url"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("problems at\n%s, want\n%s", s, want)
	}
}
