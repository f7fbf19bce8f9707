package twin

import (
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
)

func TestConfigIsWrittenAsTOML(t *testing.T) {
	text := `
stale_after = "4s"
[mqtt]
url = "mqtt://127.0.0.1:1883"
session = "1h"
[[asset]]
name = "filler"
kind = "pump-skid"
  [[asset.tag]]
  id = "filler/motor/current"
  unit = "A"
  lo = 0
  hi = 40.5
  source = "plc-fill"
  period = "1s"
`
	var cfg Config
	src, ps := strict.Decode("twin.toml", []byte(text), &cfg)
	cfg.Defaults()
	if ps = append(ps, src.Locate(cfg.Validate())...); len(ps) > 0 {
		t.Fatal(ps.Err())
	}
	want := Tag{ID: "filler/motor/current", Unit: "A", Hi: 40.5, Source: "plc-fill", Period: strict.Duration(time.Second)}
	if len(cfg.Assets) != 1 || len(cfg.Assets[0].Tags) != 1 || cfg.Assets[0].Tags[0] != want || cfg.MQTT.Session.D() != time.Hour || cfg.MQTT.ClientID != "twin-1" {
		t.Errorf("read as %+v", cfg)
	}
	_, ps = strict.Decode("twin.toml", []byte(strings.Replace(text, "source =", "sorce =", 1)), &Config{})
	if len(ps) != 1 || !strings.Contains(ps[0].String(), "source") || ps[0].Line != 14 {
		t.Errorf("a misspelt key gives %v", ps)
	}
}

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
