package opcua

import (
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/signal"
)

// badTypeMismatch is for a value that is no number, such as a string or array.
const badTypeMismatch signal.Quality = 0x80740000

// sample turns what the server reported of a tag into a Sample. A value that
// is missing or is no number becomes 0 under a bad quality. OPC UA carries no
// scan counter, so Seq is 0.
func sample(id signal.ID, dv *ua.DataValue, now time.Time) signal.Sample {
	s := signal.Sample{ID: id, Quality: signal.Quality(dv.Status), SourceTime: dv.SourceTimestamp}
	if s.SourceTime.IsZero() {
		s.SourceTime = dv.ServerTimestamp
	}
	if s.SourceTime.IsZero() {
		s.SourceTime = now
	}
	var ok bool
	if dv.Value != nil {
		s.Value, ok = number(dv.Value.Value())
	}
	if !ok && !s.Quality.IsBad() {
		s.Quality = badTypeMismatch
	}
	return s
}

// number is the value of any numeric or boolean type of OPC UA.
func number(v any) (float64, bool) {
	switch x := v.(type) {
	case float64:
		return x, true
	case float32:
		return float64(x), true
	case bool:
		if x {
			return 1, true
		}
		return 0, true
	case int8:
		return float64(x), true
	case uint8:
		return float64(x), true
	case int16:
		return float64(x), true
	case uint16:
		return float64(x), true
	case int32:
		return float64(x), true
	case uint32:
		return float64(x), true
	case int64:
		return float64(x), true
	case uint64:
		return float64(x), true
	}
	return 0, false
}
