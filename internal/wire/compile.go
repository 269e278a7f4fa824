package wire

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"
)

// compiler makes the shapes of one API. A shape is known by its Go type and its
// schema together: two lists of strings may differ in their items' XML names.
type compiler struct {
	unions map[reflect.Type]map[string]reflect.Type // interface -> model's member name -> Go struct
	loader *typeLoader
	done   map[shapeKey]*shape
	unsent map[reflect.Type]reflect.Value
}

// shapeKey tells shapes apart. A member's schema is a copy of its target's that
// shares the target's map of members, so that map's address names the target.
type shapeKey struct {
	typ     reflect.Type
	members uintptr
}

var (
	readerType     = reflect.TypeFor[io.Reader]()
	readCloserType = reflect.TypeFor[io.ReadCloser]()
	timeType       = reflect.TypeFor[time.Time]()
	bytesType      = reflect.TypeFor[[]byte]()
)

// top makes the root of an operation's input or output struct.
func (c *compiler) top(t reflect.Type) (*member, error) {
	schema := schemaOf(t)
	if schema == nil {
		schema = c.loader.load(t)
	}
	s, err := c.shape(t, schema)
	if err != nil {
		return nil, err
	}
	return &member{name: s.name, xml: rootName(schema), shape: s, field: -1, space: spaceOf(schema)}, nil
}

// shape makes, or finds, the shape of the Go type t, which is no pointer.
func (c *compiler) shape(t reflect.Type, schema *smithy.Schema) (*shape, error) {
	key := shapeKey{t, reflect.ValueOf(schema.Members()).Pointer()}
	if s, ok := c.done[key]; ok {
		return s, nil
	}
	s := &shape{name: shapeName(schema), goType: t, unsent: c.unsent[t]}
	c.done[key] = s // before its members: shapes may be cyclic
	if err := c.fill(s, schema); err != nil {
		return nil, err
	}
	return s, nil
}

func (c *compiler) fill(s *shape, schema *smithy.Schema) (err error) {
	t := s.goType
	k, ok := kindOf(schema, t)
	if !ok {
		return fmt.Errorf("%s: a Go %s cannot hold a value of the model's type %d", s.name, t, schema.Type())
	}
	s.kind = k
	switch k {
	case kindList:
		s.elem, err = c.item(schema.ListMember(), t.Elem())
	case kindMap:
		if s.key, err = c.item(schema.MapKey(), t.Key()); err == nil {
			s.elem, err = c.item(schema.MapValue(), t.Elem())
		}
	case kindStruct:
		err = c.fillStruct(s, schema)
	case kindUnion:
		err = c.fillUnion(s, schema)
	}
	return err
}

// item makes the member for a list's items or a map's keys or values.
func (c *compiler) item(schema *smithy.Schema, t reflect.Type) (*member, error) {
	return c.member(schema, t, -1)
}

func (c *compiler) member(schema *smithy.Schema, t reflect.Type, field int) (*member, error) {
	m := &member{name: schema.MemberName(), field: field, space: directSpaceOf(schema)}
	if t.Kind() == reflect.Pointer {
		m.ptr, t = true, t.Elem()
	}
	m.json, m.xml = m.name, m.name
	if n, ok := smithy.SchemaDirectTrait[*traits.JSONName](schema); ok {
		m.json = n.Name
	}
	if n, ok := smithy.SchemaDirectTrait[*traits.XMLName](schema); ok {
		m.xml = n.Name
	}
	_, m.flat = smithy.SchemaDirectTrait[*traits.XMLFlattened](schema)
	_, m.attr = smithy.SchemaDirectTrait[*traits.XMLAttribute](schema)
	_, m.encoded = smithy.SchemaTrait[*traits.MediaType](schema)
	if f, ok := smithy.SchemaTrait[*traits.TimestampFormat](schema); ok {
		m.format = formatNamed(f.Format)
	}
	_, m.eventPayload = smithy.SchemaDirectTrait[*traits.EventPayload](schema)
	if m.bind(schema); m.in == inPayload { // a document of its own
		m.xml, m.space = rootName(schema), spaceOf(schema)
	}
	var err error
	m.shape, err = c.shape(t, schema)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.name, err)
	}
	return m, nil
}

func (c *compiler) fillStruct(s *shape, schema *smithy.Schema) error {
	fields := map[string]reflect.StructField{}
	for f := range s.goType.Fields() {
		if f.IsExported() {
			fields[f.Name] = f
		}
	}
	for _, name := range slices.Sorted(maps.Keys(schema.Members())) {
		ms := schema.Member(name)
		f, ok := fields[fieldName(name)]
		if !ok {
			if _, streaming := smithy.SchemaTrait[*traits.Streaming](ms); streaming {
				continue // an event stream: the SDK keeps it out of the struct
			}
			return fmt.Errorf("%s: %s has no field for the member %s", s.name, s.goType, name)
		}
		m, err := c.member(ms, f.Type, f.Index[0])
		if err != nil {
			return fmt.Errorf("%s.%w", s.name, err)
		}
		s.members = append(s.members, m)
	}
	slices.SortStableFunc(s.members, func(a, b *member) int {
		if a.attr != b.attr { // attributes go into the opening tag
			if a.attr {
				return -1
			}
			return 1
		}
		return a.field - b.field
	})
	s.index()
	return nil
}

func (c *compiler) fillUnion(s *shape, schema *smithy.Schema) error {
	known := c.unions[s.goType]
	s.variants = make(map[reflect.Type]*member, len(known))
	for _, name := range slices.Sorted(maps.Keys(schema.Members())) {
		if _, isError := smithy.SchemaTrait[*traits.Error](schema.Member(name)); isError {
			continue // an event stream's exceptions are faults here
		}
		t, ok := known[fieldName(name)]
		if !ok {
			return fmt.Errorf("union %s: no Go type is listed for %s (API.Unions)", s.name, name)
		}
		value, ok := t.FieldByName("Value")
		if !ok {
			return fmt.Errorf("union %s: %s has no field Value", s.name, t)
		}
		m, err := c.member(schema.Member(name), value.Type, value.Index[0])
		if err != nil {
			return fmt.Errorf("%s.%w", s.name, err)
		}
		m.variant = t
		s.variants[t] = m
		s.members = append(s.members, m)
	}
	s.index()
	return nil
}

// index makes the ways to find a member by name.
func (s *shape) index() {
	s.byName = make(map[string]*member, len(s.members))
	s.byJSON = make(map[string]*member, len(s.members))
	s.byXML = make(map[string]*member, len(s.members))
	for _, m := range s.members {
		s.byName[m.name], s.byJSON[m.json] = m, m
		if s.byXML[m.xml] == nil { // SQS has two members of one XML name
			s.byXML[m.xml] = m
		}
		switch m.in {
		case inBody:
			s.body = true
		case inPayload:
			s.payload = m
		default:
			s.bound = append(s.bound, m)
		}
	}
}

// bind reads the HTTP traits of a struct's member.
func (m *member) bind(schema *smithy.Schema) {
	if h, ok := smithy.SchemaDirectTrait[*traits.HTTPHeader](schema); ok {
		m.in, m.binding = inHeader, http.CanonicalHeaderKey(h.Name)
	} else if q, ok := smithy.SchemaDirectTrait[*traits.HTTPQuery](schema); ok {
		m.in, m.binding = inQuery, q.Name
	} else if p, ok := smithy.SchemaDirectTrait[*traits.HTTPPrefixHeaders](schema); ok {
		m.in, m.binding = inPrefixHeaders, p.Prefix
	} else if _, ok := smithy.SchemaDirectTrait[*traits.HTTPLabel](schema); ok {
		m.in = inLabel
	} else if _, ok := smithy.SchemaDirectTrait[*traits.HTTPQueryParams](schema); ok {
		m.in = inQueryParams
	} else if _, ok := smithy.SchemaDirectTrait[*traits.HTTPPayload](schema); ok {
		m.in = inPayload
	} else if _, ok := smithy.SchemaDirectTrait[*traits.HTTPResponseCode](schema); ok {
		m.in = inStatus
	}
}

// kindOf matches the model's type with the Go type meant to hold it.
func kindOf(schema *smithy.Schema, t reflect.Type) (kind, bool) {
	switch schema.Type() {
	case smithy.ShapeTypeString, smithy.ShapeTypeEnum:
		return kindString, t.Kind() == reflect.String
	case smithy.ShapeTypeBoolean:
		return kindBool, t.Kind() == reflect.Bool
	case smithy.ShapeTypeByte, smithy.ShapeTypeShort, smithy.ShapeTypeInteger, smithy.ShapeTypeLong, smithy.ShapeTypeIntEnum:
		return kindInt, reflect.Int8 <= t.Kind() && t.Kind() <= reflect.Int64
	case smithy.ShapeTypeFloat, smithy.ShapeTypeDouble:
		return kindFloat, t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64
	case smithy.ShapeTypeTimestamp:
		return kindTime, t == timeType
	case smithy.ShapeTypeBlob:
		if t == readerType || t == readCloserType {
			return kindStream, true
		}
		return kindBlob, t == bytesType
	case smithy.ShapeTypeList, smithy.ShapeTypeSet:
		return kindList, t.Kind() == reflect.Slice && schema.ListMember() != nil
	case smithy.ShapeTypeMap:
		return kindMap, t.Kind() == reflect.Map && t.Key().Kind() == reflect.String && schema.MapKey() != nil
	case smithy.ShapeTypeStructure:
		return kindStruct, t.Kind() == reflect.Struct
	case smithy.ShapeTypeUnion:
		return kindUnion, t.Kind() == reflect.Interface
	}
	return 0, false // documents and big numbers: no API here has any
}

// fieldName is the SDK's rule for the Go name of a member.
func fieldName(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

// shapeName is the target's name, for a member's schema or a shape's own.
func shapeName(s *smithy.Schema) string {
	if n := s.TargetID().Name; n != "" {
		return n
	}
	return s.ID().Name
}

// rootName is the name of the element that holds the shape when it is the root
// of an XML document.
func rootName(s *smithy.Schema) string {
	if n, ok := smithy.SchemaTrait[*traits.XMLName](s); ok {
		return n.Name
	}
	return shapeName(s)
}

func spaceOf(s *smithy.Schema) xmlSpace {
	if n, ok := smithy.SchemaTrait[*traits.XMLNamespace](s); ok {
		return xmlSpace{n.Prefix, n.URI}
	}
	return xmlSpace{}
}

func directSpaceOf(s *smithy.Schema) xmlSpace {
	if n, ok := smithy.SchemaDirectTrait[*traits.XMLNamespace](s); ok {
		return xmlSpace{n.Prefix, n.URI}
	}
	return xmlSpace{}
}
