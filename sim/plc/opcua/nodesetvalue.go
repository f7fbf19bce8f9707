package opcua

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// element is an XML element of a value.
type element struct {
	name string
	text string
	kids []*element
}

// maxNesting is how deep the elements of a value may stand in one another.
const maxNesting = 32

// parseElement reads the one element that a value is; nil if there is none.
func parseElement(inner []byte) (*element, error) {
	d := xml.NewDecoder(bytes.NewReader(inner))
	top := &element{}
	open := []*element{top}
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("its value: %w", err)
		}
		at := open[len(open)-1]
		switch t := tok.(type) {
		case xml.StartElement:
			if len(open) > maxNesting {
				return nil, fmt.Errorf("its value has elements %d deep", maxNesting)
			}
			kid := &element{name: t.Name.Local}
			at.kids = append(at.kids, kid)
			open = append(open, kid)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			at.text += string(t)
		}
	}
	if len(top.kids) == 0 {
		return nil, nil
	}
	return top.kids[0], nil
}

// kid is an element below, an empty one if there is none of that name.
func (e *element) kid(name string) *element {
	for _, k := range e.kids {
		if k.name == name {
			return k
		}
	}
	return &element{}
}

func (e *element) trimmed() string { return strings.TrimSpace(e.text) }

// idReader reads an id as a file has it.
type idReader func(text string) (*ua.NodeID, error)

// builtIns are the names of the built-in types in XML.
var builtIns = map[string]byte{
	"Boolean": 1, "SByte": 2, "Byte": 3, "Int16": 4, "UInt16": 5, "Int32": 6, "UInt32": 7, "Int64": 8, "UInt64": 9, "Float": 10, "Double": 11,
	"String": 12, "DateTime": 13, "Guid": 14, "ByteString": 15, "NodeId": 17, "StatusCode": 19, "QualifiedName": 20, "LocalizedText": 21, "ExtensionObject": 22,
}

// value is what an element says, as gopcua has it. It is nil for what cannot
// be told without the structure of a type, such as a user's own.
func (e *element) value(ids idReader) (any, error) {
	name, list := strings.CutPrefix(e.name, "ListOf")
	kind, ok := builtIns[name]
	if !ok {
		return nil, nil
	}
	if !list {
		return e.scalar(kind, ids)
	}
	typ := goTypes[kind]
	if kind == byte(ua.TypeIDExtensionObject) {
		typ = reflect.TypeFor[*ua.ExtensionObject]()
	}
	out := reflect.MakeSlice(reflect.SliceOf(typ), 0, len(e.kids))
	for _, k := range e.kids {
		v, err := k.scalar(kind, ids)
		if err != nil || v == nil {
			return nil, err
		}
		out = reflect.Append(out, reflect.ValueOf(v))
	}
	if kind == byte(ua.TypeIDByte) {
		return ua.ByteArray(out.Interface().([]byte)), nil
	}
	return out.Interface(), nil
}

// scalar reads one value of a built-in type.
func (e *element) scalar(kind byte, ids idReader) (any, error) {
	text := e.trimmed()
	bad := func() (any, error) { return nil, fmt.Errorf("%q is no %s", text, e.name) }
	switch kind {
	case 1:
		v, err := strconv.ParseBool(text)
		if err != nil {
			return bad()
		}
		return v, nil
	case 12:
		return e.text, nil
	case 13:
		v, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			if v, err = time.Parse("2006-01-02T15:04:05.999999999", text); err != nil {
				return bad()
			}
		}
		return v, nil
	case 14:
		if v := ua.NewGUID(e.kid("String").trimmed()); v != nil {
			return v, nil
		}
		return nil, fmt.Errorf("%q is no Guid", e.kid("String").trimmed())
	case 15:
		v, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil {
			return bad()
		}
		return v, nil
	case 17:
		return ids(e.kid("Identifier").trimmed())
	case 19:
		v, err := strconv.ParseUint(e.kid("Code").trimmed(), 10, 32)
		if err != nil && e.kid("Code").trimmed() != "" {
			return bad()
		}
		return ua.StatusCode(v), nil
	case 20:
		return e.qualified(ids)
	case 21:
		return ua.NewLocalizedTextWithLocale(e.kid("Text").text, e.kid("Locale").trimmed()), nil
	case 22:
		return e.structure(ids)
	}
	v := reflect.New(goTypes[kind]).Elem()
	switch {
	case v.CanInt():
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return bad()
		}
		v.SetInt(n)
	case v.CanUint():
		n, err := strconv.ParseUint(text, 10, v.Type().Bits())
		if err != nil {
			return bad()
		}
		v.SetUint(n)
	default:
		n, err := strconv.ParseFloat(text, v.Type().Bits())
		if err != nil {
			return bad()
		}
		v.SetFloat(n)
	}
	return v.Interface(), nil
}

// qualified reads a qualified name, whose namespace is the file's.
func (e *element) qualified(ids idReader) (any, error) {
	index := e.kid("NamespaceIndex").trimmed()
	if index == "" {
		index = "0"
	}
	n, err := ids("ns=" + index + ";i=0")
	if err != nil {
		return nil, fmt.Errorf("namespace %q of a QualifiedName: %w", index, err)
	}
	return &ua.QualifiedName{NamespaceIndex: n.Namespace(), Name: e.kid("Name").text}, nil
}

// structure reads those structures whose form is known; of others it returns
// nothing.
func (e *element) structure(ids idReader) (any, error) {
	body := e.kid("Body")
	if len(body.kids) == 0 {
		return nil, nil
	}
	b := body.kids[0]
	var err error
	float := func(name string) float64 {
		v, bad := strconv.ParseFloat(b.kid(name).trimmed(), 64)
		if bad != nil && b.kid(name).trimmed() != "" {
			err = fmt.Errorf("%s: %q is no number", name, b.kid(name).trimmed())
		}
		return v
	}
	text := func(name string) *ua.LocalizedText {
		t := b.kid(name)
		return ua.NewLocalizedTextWithLocale(t.kid("Text").text, t.kid("Locale").trimmed())
	}
	var v any
	switch b.name {
	case "Range":
		v = &ua.Range{Low: float("Low"), High: float("High")}
	case "EUInformation":
		v = &ua.EUInformation{NamespaceURI: b.kid("NamespaceUri").trimmed(), UnitID: int32(float("UnitId")), DisplayName: text("DisplayName"), Description: text("Description")}
	case "EnumValueType":
		v = &ua.EnumValueType{Value: int64(float("Value")), DisplayName: text("DisplayName"), Description: text("Description")}
	case "Argument":
		a := &ua.Argument{Name: b.kid("Name").trimmed(), ValueRank: int32(float("ValueRank")), ArrayDimensions: []uint32{}, Description: text("Description")}
		if a.DataType, err = ids(b.kid("DataType").kid("Identifier").trimmed()); err != nil {
			a.DataType = ua.NewFourByteNodeID(0, id.BaseDataType)
		}
		v = a
	default:
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.name, err)
	}
	return ua.NewExtensionObject(v), nil
}
