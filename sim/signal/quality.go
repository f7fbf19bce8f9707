package signal

import "fmt"

// Quality is an OPC UA status code (OPC UA Part 4, 7.39): its two top bits are
// the severity, 0 good, 1 uncertain, 2 bad.
type Quality uint32

// The status codes that Plantbed itself sets.
const (
	Good                               Quality = 0x00000000
	Uncertain                          Quality = 0x40000000
	UncertainLastUsable                Quality = 0x40900000
	UncertainNoCommunicationLastUsable Quality = 0x408F0000
	UncertainSensorNotAccurate         Quality = 0x40930000
	Bad                                Quality = 0x80000000
	BadCommunicationError              Quality = 0x80050000
	BadWaitingForInitialData           Quality = 0x80320000
	BadNoCommunication                 Quality = 0x80310000
	BadNotConnected                    Quality = 0x808A0000
	BadDeviceFailure                   Quality = 0x808B0000
	BadSensorFailure                   Quality = 0x808C0000
	BadOutOfService                    Quality = 0x808D0000
	BadOutOfRange                      Quality = 0x803C0000
	infoBits                           Quality = 0x0000FFFF
	overflowBits                       Quality = 0x00000480 // DataValue info type with the Overflow bit
)

// IsGood, IsUncertain and IsBad look at the severity alone.
func (q Quality) IsGood() bool      { return q>>30 == 0 }
func (q Quality) IsUncertain() bool { return q>>30 == 1 }
func (q Quality) IsBad() bool       { return q>>30 >= 2 }

// Code drops the info bits, among them the overflow mark of a server's queue.
func (q Quality) Code() Quality { return q &^ infoBits }

// WithOverflow marks a value before which a queue has dropped another.
func (q Quality) WithOverflow() Quality { return q | overflowBits }

// Overflow tells whether a queue dropped a value before this one.
func (q Quality) Overflow() bool { return q&overflowBits == overflowBits }

func (q Quality) String() string {
	switch q.Code() {
	case Good:
		return "Good"
	case UncertainNoCommunicationLastUsable:
		return "UncertainNoCommunicationLastUsableValue"
	case UncertainLastUsable:
		return "UncertainLastUsableValue"
	case UncertainSensorNotAccurate:
		return "UncertainSensorNotAccurate"
	case BadNoCommunication:
		return "BadNoCommunication"
	case BadNotConnected:
		return "BadNotConnected"
	case BadDeviceFailure:
		return "BadDeviceFailure"
	case BadSensorFailure:
		return "BadSensorFailure"
	case BadOutOfService:
		return "BadOutOfService"
	case BadOutOfRange:
		return "BadOutOfRange"
	case BadCommunicationError:
		return "BadCommunicationError"
	case BadWaitingForInitialData:
		return "BadWaitingForInitialData"
	}
	return fmt.Sprintf("0x%08X", uint32(q))
}
