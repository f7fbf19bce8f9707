package strict

import (
	"testing"
	"time"
)

func TestBytes(t *testing.T) {
	for text, want := range map[string]Bytes{"64 KiB": 65536, "64KiB": 65536, "1.5 MB": 1500000, "0 B": 0, "7 B": 7, "256 MiB": 256 << 20, "2 GiB": 2 << 30, "3 kB": 3000} {
		var got Bytes
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%s is %d (%v), want %d", text, got, err, want)
		}
		back, _ := got.MarshalText()
		var again Bytes
		if err := again.UnmarshalText(back); err != nil || again != want {
			t.Errorf("%s was written as %s", text, back)
		}
	}
	for _, text := range []string{"", "64", "KiB", "-1 KiB", "1.5 B", "64 kib", "1e30 GiB", "NaN B", "inf B", "64 K"} {
		if err := new(Bytes).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken for a size", text)
		}
	}
}

func TestDuration(t *testing.T) {
	var d Duration
	if err := d.UnmarshalText([]byte("1m30s")); err != nil || d.D() != 90*time.Second {
		t.Errorf("%v (%v)", d, err)
	}
	if text, _ := d.MarshalText(); string(text) != "1m30s" {
		t.Errorf("written as %s", text)
	}
	for _, text := range []string{"", "5", "five", "5 s"} {
		if err := d.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken for a duration", text)
		}
	}
}
