package opcua

import (
	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/signal"
)

// Image is what a server shows of a PLC; *plc.PLC is one.
type Image interface {
	Name() string
	// Tasks never change.
	Tasks() []*plc.Task
	// Latest may be called from any goroutine; it is nil before the first scan.
	Latest(task int) *plc.Block
	// OnScan has f called after every scan; f does not block.
	OnScan(f func(*plc.Block))
	// Write may be called from any goroutine.
	Write(id signal.ID, v float64) error
}

var _ Image = (*plc.PLC)(nil)

// variable is one tag as the server sees it. It never changes.
type variable struct {
	tag         *plc.Tag
	task, index int
	period      float64 // of the task, in milliseconds
}

// wireType is the OPC UA built-in type of a tag's values.
func wireType(t plc.Type) byte {
	switch t {
	case plc.Bool:
		return 1
	case plc.Int16:
		return 4
	case plc.UInt16:
		return 5
	case plc.Int32:
		return 6
	case plc.UInt32:
		return 7
	case plc.Int64:
		return 8
	case plc.UInt64:
		return 9
	case plc.Float32:
		return 10
	}
	return 11
}

// scaled tells whether a tag travels as raw counts that are not engineering units.
func scaled(t *plc.Tag) bool {
	return t.Type.IsInteger() && t.Scale != 0 && t.Scale != 1
}

// count is the raw count of an engineering value.
func count(t *plc.Tag, v float64) int64 {
	if t.Scale == 0 {
		return int64(v)
	}
	return t.Raw(v)
}
