package opcua

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// Clients learn of what the data types of a model are made: of an enumeration
// its values, of a structure its fields, those of its supertype first.
func TestDefinitions(t *testing.T) {
	s := serve(t, newPLC(), Config{Models: []*Model{lineModel(t)}}, Options{})
	c := rawSession(t, s, 0)
	ns := index(t, c, line)
	definition := func(n *ua.NodeID) any {
		t.Helper()
		r := ask[*ua.ReadResponse](c, &ua.ReadRequest{NodesToRead: []*ua.ReadValueID{{NodeID: n, AttributeID: ua.AttributeIDDataTypeDefinition, DataEncoding: &ua.QualifiedName{}}}}).Results[0]
		if r.Status != ua.StatusOK {
			t.Fatalf("%v: %v", n, r.Status)
		}
		return r.Value.Value().(*ua.ExtensionObject).Value
	}
	gate := definition(ua.NewNumericNodeID(ns, 3001)).(*ua.EnumDefinition)
	if len(gate.Fields) != 2 || gate.Fields[0].Description.Text != "Nothing goes through" || gate.Fields[1].Value != 2 || gate.Fields[1].Name != "Ajar" || gate.Fields[1].DisplayName.Text != "A little open" {
		t.Errorf("%+v", gate.Fields)
	}
	timed := definition(ua.NewNumericNodeID(ns, 3003)).(*ua.StructureDefinition)
	var fields []string
	for _, f := range timed.Fields {
		fields = append(fields, fmt.Sprintln(f.Name, f.DataType, f.ValueRank, f.ArrayDimensions, f.MaxStringLength, f.IsOptional))
	}
	want := fmt.Sprintf("Name i=12 -1 [] 20 false\nGate ns=%d;i=3001 -1 [] 0 false\nTimes i=11 1 [0] 0 true\n", ns)
	if strings.Join(fields, "") != want {
		t.Errorf("fields %q, want %q", fields, want)
	}
	if timed.BaseDataType.IntID() != 3002 || timed.DefaultEncodingID.IntID() != 5003 || timed.StructureType != ua.StructureTypeStructureWithOptionalFields {
		t.Errorf("%+v", timed)
	}
	if d := definition(ua.NewNumericNodeID(0, id.AddNodesItem)).(*ua.StructureDefinition); len(d.Fields) != 7 || d.Fields[0].Name != "ParentNodeId" {
		t.Errorf("of the standard itself: %+v", d)
	}
}

// A field that cannot be is named.
func TestDefinitionsThatCannotBe(t *testing.T) {
	for field, want := range map[string]string{
		`<Field Name="A" Value="x"/>`:                           `field "A"`,
		`<Field Name="B" ValueRank="x"/>`:                       `field "B"`,
		`<Field Name="C" ArrayDimensions="1,x"/>`:               `field "C"`,
		`<Field Name="D" DataType="ns=7;i=1"/>`:                 `field "D"`,
		`<Field Name="E" DataType="Nonsense"/>`:                 `field "E"`,
		`<Field Name="F" DataType="i=12"/></Definition><other>`: "x.xml:",
	} {
		text := `<UANodeSet><NamespaceUris><Uri>urn:x</Uri></NamespaceUris><UADataType NodeId="ns=1;i=1" BrowseName="1:T"><References><Reference ReferenceType="i=45" IsForward="false">i=22</Reference></References><Definition Name="1:T">` +
			field + `</Definition></UADataType></UANodeSet>`
		m, err := ParseModel("x.xml", []byte(text))
		if err == nil {
			err = (&importer{sp: plainSpace(t), known: map[refKey]bool{}}).add(false, m)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", field, err, want)
		}
	}
}
