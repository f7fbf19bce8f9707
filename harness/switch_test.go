package harness

import (
	"slices"
	"testing"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/sim/plc"
)

var _ faults.Switch = (*plc.Switch)(nil)

// What a scenario may write is what a device can do.
func TestScenariosAndDevicesKnowTheSameErrors(t *testing.T) {
	var codes []string
	for _, c := range plc.Codes {
		codes = append(codes, c.Name)
	}
	if !slices.Equal(codes, faults.PLCErrors) || !slices.Equal(plc.Requests, faults.PLCRequests) {
		t.Errorf("devices: %v on %v\nscenarios: %v on %v", codes, plc.Requests, faults.PLCErrors, faults.PLCRequests)
	}
}
