package strict

import (
	"fmt"
	"time"
)

// Duration is a time.Duration that is written with its unit: "1.5s", "20m".
type Duration time.Duration

// D is the plain duration.
func (d Duration) D() time.Duration { return time.Duration(d) }

func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText writes it as time.Duration does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a duration; write a number with its unit, such as \"500ms\", \"45s\" or \"2h\"", text)
	}
	*d = Duration(v)
	return nil
}
