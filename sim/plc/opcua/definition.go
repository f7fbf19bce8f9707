package opcua

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// xmlDefinition is of what a file says that a data type is made.
type xmlDefinition struct {
	Union bool `xml:"IsUnion,attr"`
	Field []struct {
		Name        string   `xml:"Name,attr"`
		Value       string   `xml:"Value,attr"`
		DataType    string   `xml:"DataType,attr"`
		Rank        string   `xml:"ValueRank,attr"`
		Dimensions  string   `xml:"ArrayDimensions,attr"`
		Longest     uint32   `xml:"MaxStringLength,attr"`
		Optional    bool     `xml:"IsOptional,attr"`
		Subtypes    bool     `xml:"AllowSubTypes,attr"`
		DisplayName []string `xml:"DisplayName"`
		Description []string `xml:"Description"`
	}
}

// modelDefinition is the same, read: the fields of a structure, or the values
// of an enumeration.
type modelDefinition struct {
	union  bool
	fields []modelMember
}

type modelMember struct {
	name, display, doc string
	value              int64
	dataType           string
	rank               int32
	dims               []uint32
	longest            uint32
	optional, subtypes bool
}

func (x *xmlDefinition) read(resolve func(string) string) (*modelDefinition, error) {
	d := &modelDefinition{union: x.Union}
	for _, f := range x.Field {
		m := modelMember{name: f.Name, display: first(f.DisplayName), doc: first(f.Description), dataType: resolve(f.DataType), rank: rankScalar, longest: f.Longest, optional: f.Optional, subtypes: f.Subtypes}
		var err error
		if f.Value != "" {
			m.value, err = strconv.ParseInt(f.Value, 10, 64)
		}
		if f.Rank != "" && err == nil {
			var rank int64
			rank, err = strconv.ParseInt(f.Rank, 10, 32)
			m.rank = int32(rank)
		}
		for _, text := range strings.FieldsFunc(f.Dimensions, func(r rune) bool { return r == ',' }) {
			n, bad := strconv.ParseUint(strings.TrimSpace(text), 10, 32)
			if err == nil {
				err = bad
			}
			m.dims = append(m.dims, uint32(n))
		}
		if err != nil {
			return nil, fmt.Errorf("field %q: %w", f.Name, err)
		}
		d.fields = append(d.fields, m)
	}
	return d, nil
}

// later notes that a data type is to be defined when all of them are there.
func (im *importer) later(n *node, x *modelNode, ids idReader, std bool) {
	if x.definition == nil || n.class != ua.NodeClassDataType || n.shared || n.definition != nil {
		return
	}
	if im.types == nil {
		im.types = map[*node]func() error{}
	}
	im.types[n] = func() error {
		err := im.build(n, x.definition, ids)
		if std { // its own names for some types are known only when it is in
			return nil
		}
		return err
	}
}

// define says of what a data type is made, and before it, its supertypes.
func (im *importer) define(n *node) error {
	build := im.types[n]
	if build == nil {
		return nil
	}
	delete(im.types, n)
	if super := im.sp.typeNode(im.sp.superOf(n.typ)); super != nil {
		if err := im.define(super); err != nil {
			return err
		}
	}
	return build()
}

// build makes the definition that clients read (Part 3, 8.48 and 8.50).
func (im *importer) build(n *node, d *modelDefinition, ids idReader) error {
	switch {
	case im.sp.isA(n.typ, id.Structure):
		s, err := im.structure(n, d, ids)
		if err == nil {
			n.definition = s
		}
		return err
	case im.sp.isA(n.typ, id.Enumeration), im.sp.isA(n.typ, id.UInteger): // the latter is a set of bits
		e := &ua.EnumDefinition{}
		for _, f := range d.fields {
			display := f.display
			if display == "" {
				display = f.name
			}
			e.Fields = append(e.Fields, &ua.EnumField{Value: f.value, DisplayName: ua.NewLocalizedText(display), Description: ua.NewLocalizedText(f.doc), Name: f.name})
		}
		n.definition = e
	}
	return nil
}

// structure has the fields of the supertypes first.
func (im *importer) structure(n *node, d *modelDefinition, ids idReader) (*ua.StructureDefinition, error) {
	s := &ua.StructureDefinition{DefaultEncodingID: ua.NewTwoByteNodeID(0), BaseDataType: im.sp.idOf(im.sp.superOf(n.typ))}
	for _, r := range im.sp.refs(n) {
		if r.typ == id.HasEncoding && r.forward && r.to.name == "Default Binary" {
			s.DefaultEncodingID = r.to.id
		}
	}
	if super := im.sp.typeNode(im.sp.superOf(n.typ)); super != nil {
		if above, ok := super.definition.(*ua.StructureDefinition); ok {
			s.Fields = slices.Clone(above.Fields)
		}
	}
	subtypes := false
	for _, f := range d.fields {
		field := &ua.StructureField{
			Name: f.name, Description: ua.NewLocalizedText(f.doc), DataType: ua.NewFourByteNodeID(0, id.BaseDataType), ValueRank: f.rank,
			ArrayDimensions: append([]uint32{}, f.dims...), MaxStringLength: f.longest, IsOptional: f.optional || f.subtypes,
		}
		if f.dataType != "" {
			at, err := ids(f.dataType)
			if err != nil {
				return nil, fmt.Errorf("field %q: %w", f.name, err)
			}
			field.DataType = at
		}
		s.Fields = append(s.Fields, field)
		subtypes = subtypes || f.subtypes
	}
	optional := slices.ContainsFunc(s.Fields, func(f *ua.StructureField) bool { return f.IsOptional })
	switch {
	case subtypes && d.union:
		s.StructureType = ua.StructureTypeUnionWithSubtypedValues
	case subtypes:
		s.StructureType = ua.StructureTypeStructureWithSubtypedValues
	case d.union:
		s.StructureType = ua.StructureTypeUnion
	case optional:
		s.StructureType = ua.StructureTypeStructureWithOptionalFields
	}
	return s, nil
}
