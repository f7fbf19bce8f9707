package plc

import (
	"fmt"
	"maps"
	"slices"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/signal"
)

// Order is how the bytes of a value lie in Modbus registers, by the usual names
// for the bytes a (highest) to d of 32 bits. The zero Order is ABCD.
type Order uint8

// The orders.
const (
	ABCD Order = iota // high word first, as the protocol's own words are
	CDAB              // low word first
	BADC              // high word first, the bytes of each word swapped
	DCBA              // low word first, the bytes of each word swapped
)

var orderNames = [...]string{"abcd", "cdab", "badc", "dcba"}

// ParseOrder reads "abcd", "cdab", "badc" or "dcba"; "" is "abcd".
func ParseOrder(name string) (Order, error) {
	if name == "" {
		return ABCD, nil
	}
	for i, n := range orderNames {
		if n == name {
			return Order(i), nil
		}
	}
	return 0, fmt.Errorf("%q is no order of bytes; write abcd, cdab, badc or dcba", name)
}

func (o Order) String() string {
	if int(o) >= len(orderNames) {
		return fmt.Sprintf("order %d", uint8(o))
	}
	return orderNames[o]
}

// LowWordFirst tells whether words stand in the order of their weight, the
// lowest first.
func (o Order) LowWordFirst() bool { return o == CDAB || o == DCBA }

// SwapsBytes tells whether the low byte of each word stands first.
func (o Order) SwapsBytes() bool { return o == BADC || o == DCBA }

// setOrders gives every tag the order that the config has for it.
func (p *PLC) setOrders() error {
	all, _ := ParseOrder(p.cfg.Order) // Validate has read it
	for _, t := range p.tasks {
		for i := range t.Tags {
			t.Tags[i].Order = all
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.cfg.TagOrders)) {
		at, ok := p.where[signal.ID(id)]
		if !ok {
			return fmt.Errorf("tag_orders: %q is no tag of this PLC; the nearest is %q", id, strict.Nearest(id, p.names()))
		}
		p.tasks[at.task].Tags[at.index].Order, _ = ParseOrder(p.cfg.TagOrders[id])
	}
	return nil
}
