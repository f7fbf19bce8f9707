package scenarios

import (
	"time"

	"github.com/plantbed/plantbed/internal/strict"
)

// Default is what a scenario is before its text is read.
func Default() Scenario {
	return Scenario{
		Seed: 1,
		Gear: GearVirtual,
		Gateway: Gateway{
			Contract: Contract{
				OPCUA:         OPCUAContract{Sampling: ms(100), Publishing: seconds(1), Queue: 50, Lifetime: seconds(600), Trigger: "status-value"},
				Modbus:        ModbusContract{Poll: seconds(1), FastPoll: ms(100)},
				Deadline:      seconds(5),
				Recover:       seconds(3),
				DurableWithin: seconds(1),
				Deliver:       Deliver{Kind: "raw"},
			},
			Buffer: Buffer{Kind: "segment-log", MaxBytes: 256 << 20, Policy: "reject-new", Commit: ms(100)},
			MQTT:   MQTT{KeepAlive: seconds(10), MaxBackoff: seconds(5), Batch: 500, Linger: ms(250), Inflight: 16},
		},
		Twin:     Twin{StaleAfter: seconds(5)},
		Detector: Detector{CalibrationSeed: 1_000_003, CalibrationDuration: seconds(3600)},
		Disk:     Disk{Sync: ms(2)},
	}
}

// resolve spells out the defaults of what there can be several of.
func (s *Scenario) resolve() {
	s.Extends = ""
	for i := range s.PLCs {
		s.PLCs[i] = s.PLCs[i].WithDefaults()
	}
}

func ms(n int) strict.Duration { return strict.Duration(time.Duration(n) * time.Millisecond) }

func seconds(n int) strict.Duration { return strict.Duration(time.Duration(n) * time.Second) }
