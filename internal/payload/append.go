package payload

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/plantbed/plantbed/sim/signal"
)

// Append writes b behind dst and returns the longer slice. A value that JSON
// has no number for (NaN, Inf) is written as null with a bad quality.
func Append(dst []byte, b Batch) []byte {
	dst = appendString(append(dst, `{"gw":`...), b.Gateway)
	if b.Stream != "" {
		dst = appendString(append(dst, `,"stream":`...), b.Stream)
		dst = strconv.AppendUint(append(dst, `,"first":`...), b.First, 10)
	}
	if b.Backfill {
		dst = append(dst, `,"backfill":true`...)
	}
	dst = append(dst, `,"samples":[`...)
	for i := range b.Samples {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendSample(dst, &b.Samples[i])
	}
	return append(dst, `]}`...)
}

func appendSample(dst []byte, s *signal.Sample) []byte {
	quality := s.Quality
	dst = appendString(append(dst, `{"id":`...), string(s.ID))
	if s.Seq != 0 {
		dst = strconv.AppendUint(append(dst, `,"seq":`...), s.Seq, 10)
	}
	dst = appendTime(append(dst, `,"time":"`...), s.SourceTime)
	dst = append(dst, `","value":`...)
	if math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
		dst = append(dst, `null`...)
		if !quality.IsBad() {
			quality = signal.BadOutOfRange
		}
	} else {
		dst = strconv.AppendFloat(dst, s.Value, 'g', -1, 64)
	}
	dst = strconv.AppendUint(append(dst, `,"quality":`...), uint64(quality), 10)
	return append(dst, '}')
}

// appendTime writes UTC with the nanoseconds that there are. RFC 3339 ends at
// the year 9999; a clock beyond is written as the end or the beginning of time.
func appendTime(dst []byte, t time.Time) []byte {
	return within(t).AppendFormat(dst, time.RFC3339Nano)
}

// appendString quotes s; bytes that are no UTF-8 become U+FFFD.
func appendString(dst []byte, s string) []byte {
	if !plain(s) {
		quoted, _ := json.Marshal(s) // a string always marshals
		return append(dst, quoted...)
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

// plain tells that s needs no escape.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// AppendStatus writes s behind dst as JSON.
func AppendStatus(dst []byte, s Status) []byte {
	text, _ := json.Marshal(s) // strings and booleans always marshal
	return append(dst, text...)
}
