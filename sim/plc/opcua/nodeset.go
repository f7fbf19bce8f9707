package opcua

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/gopcua/opcua/ua"
)

// Model is a NodeSet2 file (Part 6, annex F) that has been read: nodes with
// ids and references as the file has them, in its own namespaces.
//
//	m, err := opcua.ReadModel("line.xml")
//	srv, err := opcua.Listen(opcua.Config{Models: []*opcua.Model{m}}, plc, opcua.Options{})
type Model struct {
	file  string
	uris  []string // by the file's namespace index, from 1 on
	nodes []modelNode
}

// modelNode is one node of a file.
type modelNode struct {
	line          int
	class         ua.NodeClass
	id            string // as the file has it, such as "ns=1;i=17", with aliases resolved
	name          string // browse name, such as "1:Speed"
	display, doc  string
	refs          []modelRef
	dataType      string
	rank          int32
	dims          []uint32
	access        byte
	events        bool
	abstract, sym bool
	inverse       string
	value         *element // nil for none
	parent        string
	definition    *modelDefinition // of a data type, nil for none
}

type modelRef struct {
	typ, to string
	forward bool
}

// maxModel bounds a file that is read, in bytes; the standard's own has 4 MB.
const maxModel = 64 << 20

// ReadModel reads a NodeSet2 file. Errors name the file, the line and the node.
func ReadModel(file string) (*Model, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("nodeset: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxModel+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("nodeset: %w", err)
	case len(text) > maxModel:
		return nil, fmt.Errorf("nodeset: %s is larger than %d MiB", file, maxModel>>20)
	}
	return ParseModel(file, text)
}

// classes are the elements that are nodes.
var classes = map[string]ua.NodeClass{
	"UAObject": ua.NodeClassObject, "UAVariable": ua.NodeClassVariable, "UAMethod": ua.NodeClassMethod, "UAView": ua.NodeClassView,
	"UAObjectType": ua.NodeClassObjectType, "UAVariableType": ua.NodeClassVariableType, "UADataType": ua.NodeClassDataType, "UAReferenceType": ua.NodeClassReferenceType,
}

// xmlNode is an element that is a node.
type xmlNode struct {
	NodeID      string `xml:"NodeId,attr"`
	BrowseName  string `xml:"BrowseName,attr"`
	Parent      string `xml:"ParentNodeId,attr"`
	DataType    string `xml:"DataType,attr"`
	Rank        string `xml:"ValueRank,attr"`
	Dimensions  string `xml:"ArrayDimensions,attr"`
	Access      string `xml:"AccessLevel,attr"`
	Notifier    string `xml:"EventNotifier,attr"`
	Abstract    bool   `xml:"IsAbstract,attr"`
	DesignOnly  bool   `xml:"DesignToolOnly,attr"`
	Symmetric   bool   `xml:"Symmetric,attr"`
	DisplayName []string
	Description []string
	InverseName []string
	References  struct {
		Reference []struct {
			Type    string `xml:"ReferenceType,attr"`
			Forward string `xml:"IsForward,attr"`
			To      string `xml:",chardata"`
		}
	}
	Value *struct {
		Inner []byte `xml:",innerxml"`
	}
	Definition *xmlDefinition
}

// ParseModel is ReadModel for a text that has been read already.
func ParseModel(file string, text []byte) (*Model, error) {
	m := &Model{file: file}
	aliases := map[string]string{}
	d := xml.NewDecoder(bytes.NewReader(text))
	depth := 0
	for {
		tok, err := d.Token()
		line, _ := d.InputPos()
		fail := func(err error) (*Model, error) { return nil, fmt.Errorf("%s:%d: %w", file, line, err) }
		if errors.Is(err, io.EOF) {
			break
		}
		if syntax := (*xml.SyntaxError)(nil); errors.As(err, &syntax) {
			line = syntax.Line
			return fail(errors.New(syntax.Msg))
		}
		if err != nil {
			return fail(err)
		}
		switch e := tok.(type) {
		case xml.EndElement:
			depth--
		case xml.StartElement:
			if depth == 0 {
				if e.Name.Local != "UANodeSet" {
					return fail(fmt.Errorf("<%s> is no UANodeSet", e.Name.Local))
				}
				depth++
				continue
			}
			if err := m.element(d, &e, line, aliases); err != nil {
				return fail(err)
			}
		}
	}
	if len(m.nodes) == 0 {
		return nil, fmt.Errorf("%s: there is no node in it", file)
	}
	return m, nil
}

// element reads one element below the topmost.
func (m *Model) element(d *xml.Decoder, e *xml.StartElement, line int, aliases map[string]string) error {
	switch e.Name.Local {
	case "NamespaceUris":
		var x struct{ Uri []string }
		if err := d.DecodeElement(&x, e); err != nil {
			return err
		}
		for _, uri := range x.Uri {
			m.uris = append(m.uris, strings.TrimSpace(uri))
		}
		return nil
	case "Aliases":
		var x struct {
			Alias []struct {
				Name string `xml:"Alias,attr"`
				ID   string `xml:",chardata"`
			}
		}
		if err := d.DecodeElement(&x, e); err != nil {
			return err
		}
		for _, a := range x.Alias {
			aliases[a.Name] = strings.TrimSpace(a.ID)
		}
		return nil
	}
	class, ok := classes[e.Name.Local]
	if !ok {
		return d.Skip()
	}
	var x xmlNode
	if err := d.DecodeElement(&x, e); err != nil {
		return err
	}
	if x.DesignOnly { // no server has it
		return nil
	}
	n, err := x.node(class, aliases)
	if err != nil {
		return fmt.Errorf("%s %q: %w", e.Name.Local, x.NodeID, err)
	}
	n.line = line
	m.nodes = append(m.nodes, n)
	return nil
}

// node reads the attributes of a node.
func (x *xmlNode) node(class ua.NodeClass, aliases map[string]string) (modelNode, error) {
	resolve := func(id string) string {
		id = strings.TrimSpace(id)
		if to, ok := aliases[id]; ok {
			return to
		}
		return id
	}
	n := modelNode{
		class: class, id: resolve(x.NodeID), name: x.BrowseName, display: first(x.DisplayName), doc: first(x.Description), dataType: resolve(x.DataType),
		abstract: x.Abstract, sym: x.Symmetric, inverse: first(x.InverseName), parent: resolve(x.Parent),
	}
	if n.name == "" {
		return n, errors.New("it has no browse name")
	}
	var err error
	number := func(what, text string, bits int, without int64) int64 {
		if text == "" {
			return without
		}
		v, bad := strconv.ParseInt(strings.TrimSpace(text), 10, bits)
		if bad != nil && err == nil {
			err = fmt.Errorf("%s %q is no number", what, text)
		}
		return v
	}
	n.rank = int32(number("ValueRank", x.Rank, 32, rankScalar))
	n.access = byte(number("AccessLevel", x.Access, 33, accessRead))
	n.events = number("EventNotifier", x.Notifier, 16, 0)&1 != 0
	if x.Dimensions != "" {
		for _, text := range strings.Split(x.Dimensions, ",") {
			n.dims = append(n.dims, uint32(number("ArrayDimensions", text, 33, 0)))
		}
	}
	for _, r := range x.References.Reference {
		n.refs = append(n.refs, modelRef{resolve(r.Type), resolve(r.To), r.Forward != "false" && r.Forward != "0"})
	}
	if x.Definition != nil && err == nil {
		n.definition, err = x.Definition.read(resolve)
	}
	if err == nil && x.Value != nil {
		n.value, err = parseElement(x.Value.Inner)
	}
	return n, err
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return strings.TrimSpace(list[0])
}
