package modbus

import (
	"fmt"

	"github.com/tbrandon/mbserver"

	"github.com/plantbed/plantbed/internal/strict"
)

// Identity is what a device says of itself (function 43, MEI type 14): the
// three basic objects, then the four regular ones.
type Identity struct {
	Vendor      string `toml:"vendor"`
	ProductCode string `toml:"product_code"`
	Revision    string `toml:"revision"`
	URL         string `toml:"url"`
	Product     string `toml:"product"`
	Model       string `toml:"model"`
	Application string `toml:"application"`
}

func (id Identity) withDefaults() Identity {
	for _, d := range []struct {
		field *string
		text  string
	}{{&id.Vendor, "Plantbed"}, {&id.ProductCode, "PB-PLC"}, {&id.Revision, "1.0"}} {
		if *d.field == "" {
			*d.field = d.text
		}
	}
	return id
}

// objects are the texts by object id.
func (id *Identity) objects() [7]string {
	return [...]string{id.Vendor, id.ProductCode, id.Revision, id.URL, id.Product, id.Model, id.Application}
}

// longest is the most that one object can hold beside the 7 bytes of header
// that a response has, and its own 2.
const longest = maxPDU - 7 - 2

func (id Identity) validate() (ps strict.Problems) {
	for i, text := range id.objects() {
		if len(text) > longest {
			ps.Add("", fmt.Sprintf("object %d has %d bytes, the most is %d", i, len(text), longest))
		}
	}
	return ps
}

const (
	deviceIdentification = 14
	basic, regular       = 1, 2
	extended, individual = 3, 4
	firstRegular         = 3    // object id
	conformity           = 0x82 // regular identification, by stream and one by one
)

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

// answer gives the objects that were asked for, as many as fit in a PDU; the
// client asks again from the one that is named as next.
func (id *Identity) answer(p *pdu) mbserver.Exception {
	code, first := p.data[1], int(p.data[2])
	objects := id.objects()
	end := len(objects)
	if code == basic {
		end = firstRegular
	}
	if code == individual {
		if first >= end {
			return badAddress
		}
		end = first + 1
	} else if first >= end {
		first = 0 // the book: an unknown object means from the beginning
	}
	out := []byte{deviceIdentification, code, conformity, 0, 0, 0}
	for i := first; i < end; i++ {
		if 1+len(out)+2+len(objects[i]) > maxPDU {
			out[3], out[4] = 0xFF, byte(i)
			break
		}
		out[5]++
		out = append(append(out, byte(i), byte(len(objects[i]))), objects[i]...)
	}
	p.data = out
	return none
}
