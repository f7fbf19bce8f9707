package opcua

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/plc"
)

func historyOf(tag string, d *ua.ReadRawModifiedDetails, point []byte) *ua.HistoryReadRequest {
	return &ua.HistoryReadRequest{
		HistoryReadDetails: ua.NewExtensionObject(d), TimestampsToReturn: ua.TimestampsToReturnSource,
		NodesToRead: []*ua.HistoryReadValueID{{NodeID: ua.NewStringNodeID(2, tag), DataEncoding: &ua.QualifiedName{}, ContinuationPoint: point}},
	}
}

// history reads all of it, page by page: the values, or "-" for no bound.
func history(c *raw, tag string, d ua.ReadRawModifiedDetails) (list []string, pages int, status ua.StatusCode) {
	c.t.Helper()
	var point []byte
	for {
		r := ask[*ua.HistoryReadResponse](c, historyOf(tag, &d, point)).Results[0]
		if r.StatusCode != ua.StatusOK {
			return list, pages, r.StatusCode
		}
		for _, v := range r.HistoryData.Value.(*ua.HistoryData).DataValues {
			if v.Status != ua.StatusOK {
				list = append(list, "-")
			} else {
				list = append(list, fmt.Sprint(v.Value.Value()))
			}
		}
		pages++
		if point = r.ContinuationPoint; len(point) == 0 {
			return list, pages, ua.StatusOK
		}
	}
}

// withHistory is a server whose tag pump/flow was n at scan n, for 1 to n; it
// keeps the last 50.
func withHistory(t *testing.T, n int) (*testPLC, *raw) {
	t.Helper()
	p := newPLC()
	s := serve(t, p, Config{History: strict.Duration(5 * time.Second)}, Options{})
	for range n {
		p.scan(1)
	}
	return p, rawSession(t, s, time.Minute)
}

// The table of Part 11, 6.4.3: start, end and number of values, both ways.
func TestHistoryRead(t *testing.T) {
	p, c := withHistory(t, 60)
	at := func(n float64) time.Time { return p.start.Add(time.Duration(n * 100 * float64(time.Millisecond))) }
	var none time.Time
	for _, q := range []struct {
		from, to time.Time
		most     uint32
		bounds   bool
		want     []string
		pages    int
	}{
		{at(20), at(23), 0, false, []string{"20", "21", "22"}, 1},
		{at(19.5), at(22.5), 0, false, []string{"20", "21", "22"}, 1},
		{at(23), at(20), 0, false, []string{"23", "22", "21"}, 1},
		{at(20), at(27), 3, false, []string{"20", "21", "22", "23", "24", "25", "26"}, 3},
		{at(20), none, 2, false, []string{"20", "21"}, 1},
		{none, at(20), 2, false, []string{"20", "19"}, 1},
		{at(20), at(20), 0, false, []string{"20"}, 1},
		{at(5), at(12), 0, false, []string{"11"}, 1}, // the ten before are forgotten
		{at(20), at(22), 0, true, []string{"20", "21", "22"}, 1},
		{at(19.5), at(21.5), 0, true, []string{"19", "20", "21", "22"}, 1},
		{at(22.5), at(20.5), 0, true, []string{"23", "22", "21", "20"}, 1},
		{at(5), at(12), 0, true, []string{"-", "11", "12"}, 1},
		{at(59), at(70), 0, true, []string{"59", "60", "-"}, 1},
	} {
		got, pages, status := history(c, "pump/flow", ua.ReadRawModifiedDetails{StartTime: q.from, EndTime: q.to, NumValuesPerNode: q.most, ReturnBounds: q.bounds})
		if !slices.Equal(got, q.want) || pages != q.pages || status != ua.StatusOK {
			t.Errorf("%v to %v, %d, %v: %v in %d pages, %v; want %v in %d", q.from, q.to, q.most, q.bounds, got, pages, status, q.want, q.pages)
		}
	}
	if _, _, status := history(c, "pump/flow", ua.ReadRawModifiedDetails{StartTime: at(100), EndTime: at(200)}); status != goodNoData {
		t.Errorf("after the end: %v", status)
	}
}

func TestHistoryThatCannotBeRead(t *testing.T) {
	p, c := withHistory(t, 5)
	whole := ua.ReadRawModifiedDetails{StartTime: p.start, EndTime: p.start.Add(time.Hour)}
	for what, bad := range map[string]struct {
		r    *ua.HistoryReadRequest
		want ua.StatusCode
	}{
		"no node":     {historyOf("pump/flaw", &whole, nil), ua.StatusBadNodeIDUnknown},
		"no tag":      {historyOf("pump", &whole, nil), ua.StatusBadHistoryOperationUnsupported},
		"a bad point": {historyOf("pump/flow", &whole, []byte("12345678")), ua.StatusBadContinuationPointInvalid},
	} {
		if got := ask[*ua.HistoryReadResponse](c, bad.r).Results[0].StatusCode; got != bad.want {
			t.Errorf("%s: %v, want %v", what, got, bad.want)
		}
	}
	c.refused(historyOf("pump/flow", &ua.ReadRawModifiedDetails{StartTime: p.start}, nil), ua.StatusBadHistoryOperationInvalid)
	c.refused(historyOf("pump/flow", &ua.ReadRawModifiedDetails{IsReadModified: true, StartTime: p.start, EndTime: p.start}, nil), ua.StatusBadHistoryOperationUnsupported)
	neither := historyOf("pump/flow", &whole, nil)
	neither.TimestampsToReturn = ua.TimestampsToReturnNeither
	c.refused(neither, ua.StatusBadTimestampsToReturnInvalid)
	off := rawSession(t, serve(t, newPLC(), Config{}, Options{}), time.Minute)
	if got := ask[*ua.HistoryReadResponse](off, historyOf("pump/flow", &whole, nil)).Results[0].StatusCode; got != ua.StatusBadHistoryOperationUnsupported {
		t.Errorf("without history: %v", got)
	}
}

// Whatever is asked, the picked blocks are those that a plain look at all of
// them picks, in order; a clock that went back does not matter.
func TestBetweenAgainstAPlainLook(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 0))
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(n int) time.Time { return start.Add(time.Duration(n) * time.Second) }
	for range 2000 {
		var all []*plc.Block
		for i := range rng.IntN(12) {
			all = append(all, &plc.Block{Seq: uint64(i), Stamp: at(rng.IntN(20))})
		}
		from, to := at(rng.IntN(22)-1), at(rng.IntN(22)-1)
		var want []time.Time
		for _, b := range all {
			in := !b.Stamp.Before(from) && b.Stamp.Before(to) || from.Equal(to) && b.Stamp.Equal(from)
			if to.Before(from) {
				in = !b.Stamp.After(from) && b.Stamp.After(to)
			}
			if in {
				want = append(want, b.Stamp)
			}
		}
		slices.SortFunc(want, time.Time.Compare)
		if to.Before(from) {
			slices.Reverse(want)
		}
		var got []time.Time
		for _, m := range between(all, &ua.ReadRawModifiedDetails{StartTime: from, EndTime: to}) {
			got = append(got, m.at)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: %v to %v: %v, want %v", seed, from, to, got, want)
		}
	}
}
