package opcua

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/internal/interop/seen"
)

func lineModel(t testing.TB) *Model {
	t.Helper()
	m, err := ReadModel("testdata/nodeset/line.xml")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

const line = "http://example.org/line/"

// A user's own model is browsed, read and written like anything else, and one
// of its variables shows a tag.
func TestModel(t *testing.T) {
	p := newPLC()
	s := serve(t, p, Config{Models: []*Model{lineModel(t)}, Bind: map[string]string{"nsu=" + line + ";s=Filler.Speed": "pump/motor/speed"}}, Options{})
	c := rawSession(t, s, 0)
	ns := index(t, c, line)
	at := func(text string) *ua.NodeID { return ua.NewStringNodeID(ns, text) }
	if got := fmt.Sprint(below(c, ua.NewNumericNodeID(0, id.ObjectsFolder))); !strings.Contains(got, "Filler") || !strings.Contains(got, "pump") {
		t.Errorf("below Objects: %s", got)
	}
	r := ask[*ua.BrowseResponse](c, browseOf(at("Filler"), id.References)).Results[0]
	got := map[string]string{}
	for _, d := range r.References {
		got[d.BrowseName.Name] = fmt.Sprint(d.ReferenceTypeID, " ", d.TypeDefinition.NodeID)
	}
	want := map[string]string{
		"StationType": "i=40 i=0", "Capper": fmt.Sprintf("ns=%d;i=4001 ns=%d;i=1001", ns, ns), "Rinse": "i=47 i=0",
		"Speed": "i=47 i=63", "Recipe": "i=47 i=63", "Gate": "i=47 i=2365", "Code": "i=47 i=63",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("references %v\nwant %v", got, want)
	}
	byOwn := browseOf(at("Filler"), 0)
	byOwn.NodesToBrowse[0].ReferenceTypeID = ua.NewNumericNodeID(ns, 4001)
	if r := ask[*ua.BrowseResponse](c, byOwn).Results[0]; len(r.References) != 1 || r.References[0].DisplayName.Text != "Capper" {
		t.Errorf("by the model's own reference type: %v, %d", r.StatusCode, len(r.References))
	}
	if v := fmt.Sprint(readNode(c, at("Filler.Recipe"))); v != "[1.5 2 -300]" {
		t.Errorf("recipe %s", v)
	}
	if v := readNode(c, at("Filler.Gate")); v != int32(2) {
		t.Errorf("an enumeration reads %v", v)
	}
	if v := readNode(c, at("Filler.Gate.EURange")).(*ua.ExtensionObject).Value.(*ua.Range); v.High != 3 {
		t.Errorf("%+v", v)
	}
	write := func(name string, v any) ua.StatusCode {
		return ask[*ua.WriteResponse](c, &ua.WriteRequest{NodesToWrite: []*ua.WriteValue{{NodeID: at(name), AttributeID: ua.AttributeIDValue,
			Value: &ua.DataValue{EncodingMask: ua.DataValueValue, Value: ua.MustVariant(v)}}}}).Results[0]
	}
	for _, w := range []struct {
		name  string
		value any
		want  ua.StatusCode
	}{
		{"Filler.Code", "0000", ua.StatusOK}, {"Filler.Gate", int32(1), ua.StatusOK}, {"Filler.Gate", 1.0, ua.StatusBadTypeMismatch}, {"Filler.Speed", 1.0, ua.StatusBadNotWritable},
		{"Filler.Recipe", []float64{1, 2, 3}, ua.StatusOK}, {"Filler.Recipe", []float64{1, 2, 3, 4}, ua.StatusBadTypeMismatch},
	} {
		if got := write(w.name, w.value); got != w.want {
			t.Errorf("writing %v to %s: %v, want %v", w.value, w.name, got, w.want)
		}
	}
	secret := readIn(ns, "Filler.Code", "Filler.Code")
	secret.NodesToRead[1].AttributeID = ua.AttributeIDAccessLevel
	if r := ask[*ua.ReadResponse](c, secret).Results; r[0].Status != ua.StatusBadNotReadable || r[1].Value.Value() != byte(accessWrite) {
		t.Errorf("what can be written alone reads %v, its access level %v", r[0].Status, r[1].Value)
	}
	p.set("pump/motor/speed", 12.5)
	p.scan(0)
	if v := readNode(c, at("Filler.Speed")); v != float32(12.5) {
		t.Errorf("a variable that shows a tag reads %v", v)
	}
	call := &ua.CallRequest{MethodsToCall: []*ua.CallMethodRequest{{ObjectID: at("Filler"), MethodID: ua.NewNumericNodeID(ns, 7001)}}}
	if got := ask[*ua.CallResponse](c, call).Results[0].StatusCode; got != ua.StatusBadNotExecutable {
		t.Errorf("a method of a model: %v", got)
	}
}

// A method of a model does what one of the PLC's does where it is bound to it,
// by its own id as by that of its type; others cannot be executed.
func TestMethodsOfModels(t *testing.T) {
	p := newPLC()
	s := serve(t, p, Config{Models: []*Model{lineModel(t)}, Bind: map[string]string{"nsu=" + line + ";i=7003": "oven.SetSetpoint"}}, Options{})
	c := rawSession(t, s, 0)
	ns := index(t, c, line)
	capper := ua.NewStringNodeID(ns, "Capper")
	for _, number := range []uint32{7003, 7002} {
		to := float64(number) - 6900
		r := &ua.CallRequest{MethodsToCall: []*ua.CallMethodRequest{{ObjectID: capper, MethodID: ua.NewNumericNodeID(ns, number), InputArguments: []*ua.Variant{ua.MustVariant(to)}}}}
		if got := ask[*ua.CallResponse](c, r).Results[0].StatusCode; got != ua.StatusOK || p.written["oven/setpoint"] != to {
			t.Errorf("i=%d: %v, wrote %v", number, got, p.written)
		}
	}
	for _, m := range []struct {
		what   string
		method uint32
		can    bool
		want   ua.StatusCode
	}{
		{"bound to nothing", 7001, false, ua.StatusBadNotExecutable},
		{"of the type, and the object has none", 7002, false, ua.StatusBadMethodInvalid},
		{"of another object", 7003, true, ua.StatusBadMethodInvalid},
	} {
		r := &ua.CallRequest{MethodsToCall: []*ua.CallMethodRequest{{ObjectID: ua.NewStringNodeID(ns, "Filler"), MethodID: ua.NewNumericNodeID(ns, m.method)}}}
		if got := ask[*ua.CallResponse](c, r).Results[0].StatusCode; got != m.want {
			t.Errorf("%s: %v, want %v", m.what, got, m.want)
		}
		look := &ua.ReadRequest{NodesToRead: []*ua.ReadValueID{{NodeID: ua.NewNumericNodeID(ns, m.method), AttributeID: ua.AttributeIDExecutable, DataEncoding: &ua.QualifiedName{}}}}
		if can := ask[*ua.ReadResponse](c, look).Results[0].Value.Value(); can != m.can {
			t.Errorf("%s: Executable is %v", m.what, can)
		}
	}
	for node, does := range map[string]string{"i=7001": "oven.SetSetpoint", "i=7003": "oven.SetNothing"} {
		cfg := Config{Models: []*Model{lineModel(t)}, Bind: map[string]string{"nsu=" + line + ";" + node: does}}
		if _, err := newSpace(p, cfg.WithDefaults("x"), 0); err == nil || !strings.Contains(err.Error(), does) {
			t.Errorf("%s bound to %s: %v", node, does, err)
		}
	}
}

// Models stand on one another, and on the whole of the standard.
func TestModelsOnOneAnother(t *testing.T) {
	above := `<UANodeSet><NamespaceUris><Uri>urn:above</Uri><Uri>` + line + `</Uri></NamespaceUris>
		<UAObject NodeId="ns=1;i=1" BrowseName="1:Third"><References><Reference ReferenceType="i=40">ns=2;i=1001</Reference><Reference ReferenceType="i=35" IsForward="false">i=85</Reference>
		<Reference ReferenceType="ns=2;i=4001" IsForward="false">ns=2;s=Capper</Reference></References></UAObject></UANodeSet>`
	m, err := ParseModel("above.xml", []byte(above))
	if err != nil {
		t.Fatal(err)
	}
	checkReferences(t, Config{Models: []*Model{m, lineModel(t)}, Machines: testMachines(), Variables: testVariables()})
	if _, err := newSpace(newPLC(), Config{Models: []*Model{m}}.WithDefaults("x"), 0); err == nil || !strings.Contains(err.Error(), "above.xml:2: node ns=1;i=1 (1:Third)") || !strings.Contains(err.Error(), line) {
		t.Errorf("without what it stands on: %v", err)
	}
}

func plainSpace(t *testing.T) *space {
	t.Helper()
	sp, err := newSpace(newPLC(), Config{}.WithDefaults("x"), 0)
	if err != nil {
		t.Fatal(err)
	}
	return sp
}

// What is wrong with a model is said with file, line and node.
func TestModelsThatCannotBe(t *testing.T) {
	node := func(attributes, inside string) string {
		return "<UANodeSet><NamespaceUris><Uri>urn:x</Uri></NamespaceUris>\n<UAVariable " + attributes + ">" + inside + "</UAVariable></UANodeSet>"
	}
	const ok = `NodeId="ns=1;i=1" BrowseName="1:V" DataType="i=6"`
	for text, want := range map[string]string{
		"":                            "x.xml: there is no node in it",
		"<UANodeSet>":                 "x.xml:1: unexpected EOF",
		"no xml":                      "x.xml: there is no node in it",
		"<html></html>":               "<html> is no UANodeSet",
		"<UANodeSet/>":                "there is no node in it",
		node(`NodeId="ns=1;i=1"`, ""): `x.xml:2: UAVariable "ns=1;i=1": it has no browse name`,
		node(`NodeId="ns=2;i=1" BrowseName="1:V"`, ""):                                            "x.xml:2: node ns=2;i=1 (1:V): \"ns=2;i=1\": the file names no namespace 2",
		node(`NodeId="Speed" BrowseName="1:V"`, ""):                                               "is no node id, and no alias",
		node(`NodeId="i=2253" BrowseName="Server"`, ""):                                           "there is a node of that id already",
		node(`NodeId="ns=1;i=1" BrowseName="9:V"`, ""):                                            "browse name",
		node(`NodeId="ns=1;i=1" BrowseName="1:V" ValueRank="x"`, ""):                              `ValueRank "x" is no number`,
		node(`NodeId="ns=1;i=1" BrowseName="1:V" DataType="ns=1;i=9"`, ""):                        "is no data type that any model has",
		node(`NodeId="ns=1;i=1" BrowseName="1:V" DataType="i=63"`, ""):                            "is no data type that any model has",
		node(ok, "<Value><Int32>x</Int32></Value>"):                                               `value: "x" is no Int32`,
		node(ok, "<Value><Double>1</Double></Value>"):                                             "its value is a Double and its data type Int32",
		node(ok, "<Value><Int32>1</Value>"):                                                       "x.xml:2",
		node(ok, "<Value>"+strings.Repeat("<a>", 40)+strings.Repeat("</a>", 40)+"</Value>"):       "32 deep",
		node(ok, `<References><Reference ReferenceType="i=47">ns=1;i=2</Reference></References>`): "no model has that node",
		node(ok, `<References><Reference ReferenceType="i=58">i=85</Reference></References>`):     "is no type of a reference",
	} {
		m, err := ParseModel("x.xml", []byte(text))
		if err == nil {
			err = (&importer{sp: plainSpace(t), known: map[refKey]bool{}}).add(false, m) // without the whole standard, which takes its time
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n%v\nwant %s", text, err, want)
		}
	}
	sp, err := newSpace(newPLC(), Config{Models: []*Model{lineModel(t)}}.WithDefaults("x"), 0)
	if err != nil {
		t.Fatal(err)
	}
	for bind, want := range map[string]string{
		"nsu=urn:no;s=Filler.Speed": "no model has the namespace", "nsu=" + line + ";s=Filler.Sped": "no model has that node", "nsu=" + line + ";s=Filler": "is no variable",
		"x": "no model has that node", "ns=x;i=1": "is no node id", "nsu=" + line + ";s=Filler.Recipe": "is an array", "i=2258": "is no variable of a model",
	} {
		err := sp.bind(map[string]string{bind: "pump/flow"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("bind %s: %v, want %s", bind, err, want)
		}
	}
	if _, err := ReadModel("testdata/nodeset/no.xml"); err == nil || !strings.Contains(err.Error(), "no.xml") {
		t.Errorf("no file: %v", err)
	}
}

// No file at all has a panic, or takes long; what is read goes into an address
// space or is refused.
func FuzzModel(f *testing.F) {
	text, err := os.ReadFile("testdata/nodeset/line.xml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`<UANodeSet><Aliases><Alias Alias="A">ns=1;i=1</Alias></Aliases><NamespaceUris><Uri>u</Uri></NamespaceUris><UADataType NodeId="A" BrowseName="1:D"><References><Reference ReferenceType="i=45">A</Reference></References></UADataType><UAVariable NodeId="ns=1;i=2" BrowseName="V" DataType="A"/></UANodeSet>`))
	for _, v := range []string{"<Boolean>true</Boolean>", "<DateTime>2026-01-01T00:00:00Z</DateTime>", "<Guid><String>11112222-3333-4444-5555-666677778888</String></Guid>", "<ByteString>aGU=</ByteString>", "<LocalizedText><Text>x</Text></LocalizedText>", "<ListOfQualifiedName><QualifiedName><Name>x</Name></QualifiedName></ListOfQualifiedName>", "<ListOfByte><Byte>1</Byte></ListOfByte>", "<NodeId><Identifier>i=1</Identifier></NodeId>", "<StatusCode><Code>1</Code></StatusCode>"} {
		f.Add([]byte(`<UANodeSet><UAVariable NodeId="s=1" BrowseName="V"><Value>` + v + `</Value></UAVariable></UANodeSet>`))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := ParseModel("x.xml", text)
		if err != nil {
			return
		}
		sp := &space{std: standardNodes(), tags: map[string]*node{}, index: 2, names: []string{"http://opcfoundation.org/UA/", "urn:x", "urn:y"},
			more: map[uint32]*node{}, byID: map[string]*node{}, super: map[uint32]uint32{}, extra: map[*node][]ref{}}
		im := &importer{sp: sp, known: map[refKey]bool{}}
		if im.add(true, m) != nil {
			return
		}
		s := newServer(Config{}.WithDefaults("x"), newPLC(), Options{}, sp)
		for _, n := range sp.byID {
			sp.refs(n)
			s.readOther(n, &ua.ReadValueID{AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{}}, s.start)
			sp.isA(n.typ, id.References)
		}
	})
}

// The models of the OPC Foundation, as node-opcua ships them, stand on one
// another, beside the machines that are described in some of their types.
func TestInteropFoundationModels(t *testing.T) {
	nodeModules(t, "node-opcua-nodesets")
	var models []*Model
	for _, name := range []string{"Machinery", "Di", "IA", "PackML", "Robotics"} {
		m, err := ReadModel(filepath.Join(interopDir, "node_modules", "node-opcua-nodesets", "nodesets", "Opc.Ua."+name+".NodeSet2.xml"))
		if err != nil {
			t.Fatal(err)
		}
		models = append(models, m)
	}
	checkReferences(t, Config{Models: models, Machines: testMachines()})
	seen.Note(t, "NodeSet2 files of the OPC Foundation", "DI, Machinery, IA, PackML, Robotics", !t.Failed())
}
