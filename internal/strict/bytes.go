package strict

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bytes is a number of bytes that is written with its unit: "64 KiB", "1.5 MB".
type Bytes int64

// byteUnits are the units from the largest; those of 1024 first, because they
// are what is written.
var byteUnits = []struct {
	name string
	size int64
}{
	{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"KB", 1e3}, {"B", 1},
}

func (b Bytes) String() string {
	for _, u := range byteUnits[:3] {
		if b != 0 && int64(b)%u.size == 0 {
			return fmt.Sprintf("%d %s", int64(b)/u.size, u.name)
		}
	}
	return fmt.Sprintf("%d B", int64(b))
}

// MarshalText writes the largest unit of 1024 that leaves a whole number.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText wants a number and a unit, with or without a space between.
func (b *Bytes) UnmarshalText(text []byte) error {
	number, size := strings.TrimSpace(string(text)), int64(0)
	for _, u := range byteUnits {
		if rest, ok := strings.CutSuffix(number, u.name); ok {
			number, size = strings.TrimSpace(rest), u.size
			break
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	n *= float64(size)
	if err != nil || size == 0 || math.IsNaN(n) || n < 0 || n >= math.MaxInt64 || n != math.Trunc(n) {
		return fmt.Errorf("%q is not a size; write a number with its unit, such as \"64 KiB\" or \"1.5 MB\"", text)
	}
	*b = Bytes(n)
	return nil
}
