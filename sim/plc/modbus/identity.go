package modbus

import (
	"fmt"

	"github.com/tbrandon/mbserver"

	"github.com/plantbed/plantbed/internal/strict"
)

// Identity is what a device says of itself (function 43, MEI type 14): the
// three basic objects, the four regular ones, and extended ones of its own.
type Identity struct {
	Vendor      string `toml:"vendor"`
	ProductCode string `toml:"product_code"`
	Revision    string `toml:"revision"`
	URL         string `toml:"url"`
	Product     string `toml:"product"`
	Model       string `toml:"model"`
	Application string `toml:"application"`
	// Extended are the objects from 0x80 on, at most 128.
	Extended []string `toml:"extended"`
}

func (id Identity) withDefaults() Identity {
	for _, d := range []struct {
		field *string
		text  string
	}{{&id.Vendor, "Plantbed"}, {&id.ProductCode, "PB-PLC"}, {&id.Revision, "1.0"},
		{&id.URL, "https://github.com/plantbed/plantbed"}, {&id.Product, "Plantbed PLC"}, {&id.Model, "PB-PLC"}} {
		if *d.field == "" {
			*d.field = d.text
		}
	}
	return id
}

// of fills in what the device knows by itself.
func (id Identity) of(img Image) Identity {
	if id.Application == "" {
		id.Application = img.Name()
	}
	if id.Extended == nil {
		n := 0
		for _, t := range img.Tasks() {
			n += len(t.Tags)
		}
		id.Extended = []string{fmt.Sprintf("%d tags", n)}
	}
	return id
}

// object is one of the texts.
type object struct {
	id   int
	text string
}

// objects are the texts in the order of their ids.
func (id *Identity) objects() []object {
	var all []object
	for i, text := range []string{id.Vendor, id.ProductCode, id.Revision, id.URL, id.Product, id.Model, id.Application} {
		all = append(all, object{i, text})
	}
	for i, text := range id.Extended {
		all = append(all, object{firstExtended + i, text})
	}
	return all
}

// longest is the most that one object can hold beside the 7 bytes of header
// that a response has, and its own 2.
const longest = maxPDU - 7 - 2

func (id Identity) validate() (ps strict.Problems) {
	if len(id.Extended) > 0x100-firstExtended {
		ps.Addf("extended", "%d objects, the most is %d", len(id.Extended), 0x100-firstExtended)
	}
	for _, o := range id.objects() {
		if len(o.text) > longest {
			ps.Add("", fmt.Sprintf("object %d has %d bytes, the most is %d", o.id, len(o.text), longest))
		}
	}
	return ps
}

const (
	deviceIdentification = 14
	basic, regular       = 1, 2
	extended, individual = 3, 4
	firstRegular         = 3 // object ids
	firstExtended        = 0x80
)

// conformity tells which categories there are, by stream and one by one.
func (id *Identity) conformity() byte {
	if len(id.Extended) > 0 {
		return 0x80 | extended
	}
	return 0x80 | regular
}

// checkEncapsulated checks the form of function 43.
func checkEncapsulated(p *pdu) mbserver.Exception {
	switch {
	case len(p.data) == 0:
		return badValue
	case p.data[0] != deviceIdentification:
		return badFunction
	case len(p.data) != 3 || p.data[1] < basic || p.data[1] > individual:
		return badValue
	}
	return none
}

// asked are the objects that a request means: one, or those of a category from
// one on. Where that one is not known, the book has it begin at the beginning.
func (id *Identity) asked(code byte, first int) []object {
	end := map[byte]int{basic: firstRegular, regular: firstExtended, extended: 0x100, individual: first + 1}[code]
	var all []object
	known := false
	for _, o := range id.objects() {
		if o.id < end {
			all = append(all, o)
			known = known || o.id == first
		}
	}
	if code == individual && !known {
		return nil
	}
	for known && all[0].id != first {
		all = all[1:]
	}
	return all
}

// answer gives the objects that were asked for, as many as fit in a PDU; the
// client asks again from the one that is named as next.
func (id *Identity) answer(p *pdu) mbserver.Exception {
	code, first := p.data[1], int(p.data[2])
	objects := id.asked(code, first)
	if len(objects) == 0 {
		return badAddress
	}
	out := []byte{deviceIdentification, code, id.conformity(), 0, 0, 0}
	for _, o := range objects {
		if 1+len(out)+2+len(o.text) > maxPDU {
			out[3], out[4] = 0xFF, byte(o.id)
			break
		}
		out[5]++
		out = append(append(out, byte(o.id), byte(len(o.text))), o.text...)
	}
	p.data = out
	return none
}
