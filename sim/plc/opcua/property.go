package opcua

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/signal"
)

// The properties of a tag are made when they are asked for: a server of
// 100,000 tags has no room for 200,000 nodes that nobody looks at. Their id is
// the tag's id, a dot and the name.

// propertiesOf lists the properties of a tag's node.
func propertiesOf(n *node) []*node {
	if n.bound { // it has those of its model
		return nil
	}
	t := n.tag.tag
	var list []*node
	add := func(name string, dataType uint32, value any) {
		p := &node{
			id: ua.NewStringNodeID(n.ns, string(t.ID)+"."+name), name: name,
			class: ua.NodeClassVariable, kind: id.PropertyType, dataType: dataType,
			read: func(*Server, time.Time) any { return value },
		}
		p.refs = []ref{{id.HasProperty, false, n}}
		list = append(list, p)
	}
	switch n.kind {
	case id.DataItemType:
		add("Definition", id.String, fmt.Sprintf("%s %s per count", strconv.FormatFloat(t.Scale, 'g', -1, 64), t.Unit))
	case id.AnalogItemType:
		add("EURange", id.Range, ua.NewExtensionObject(&ua.Range{Low: t.Lo, High: t.Hi}))
		add("EngineeringUnits", id.EUInformation, ua.NewExtensionObject(units(t.Unit)))
	default:
		if t.Type != plc.Bool && t.Unit != "" {
			add("EngineeringUnits", id.EUInformation, ua.NewExtensionObject(units(t.Unit)))
		}
	}
	return list
}

// property finds a property by its id.
func (sp *space) property(path string) *node {
	dot := strings.LastIndexByte(path, '.')
	if dot < 0 {
		return nil
	}
	n := sp.tags[path[:dot]]
	if n == nil || n.tag == nil {
		return nil
	}
	for _, p := range propertiesOf(n) {
		if p.name == path[dot+1:] {
			return p
		}
	}
	return nil
}

// unitCodes are the common codes of UNECE Recommendation 20, which OPC UA uses
// to name units (Part 8, 5.6.3.3).
var unitCodes = map[signal.Unit]string{
	"1": "C62", "%": "P1", "A": "AMP", "V": "VLT", "W": "WTT", "kW": "KWT", "kWh": "KWH", "Hz": "HTZ", "rpm": "RPM", "1/min": "RPM",
	"degC": "CEL", "K": "KEL", "Pa": "PAL", "kPa": "KPA", "bar": "BAR", "mbar": "MBR",
	"s": "SEC", "min": "MIN", "h": "HUR", "mm": "MMT", "m": "MTR", "m/s": "MTS", "mm/s": "C16", "m/s2": "MSK",
	"l": "LTR", "L": "LTR", "l/min": "L2", "L/min": "L2", "m3/h": "MQH", "l/s": "G51", "L/s": "G51", "m3": "MTQ",
	"kg": "KGM", "g": "GRM", "N": "NEW", "Nm": "NU", "rad": "C81", "deg": "DD", "J": "JOU", "kJ": "KJO",
}

// units describes a unit; one without a code is known by its symbol alone.
func units(u signal.Unit) *ua.EUInformation {
	e := &ua.EUInformation{
		NamespaceURI: "http://www.opcfoundation.org/UA/units/un/cefact", UnitID: -1,
		DisplayName: ua.NewLocalizedText(string(u)), Description: ua.NewLocalizedText(string(u)),
	}
	if code, ok := unitCodes[u]; ok {
		e.UnitID = 0
		for _, c := range []byte(code) {
			e.UnitID = e.UnitID<<8 | int32(c)
		}
	}
	return e
}
