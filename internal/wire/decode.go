package wire

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/fault"
)

// reader pulls the values of one body, guided by shapes. After enterStruct the
// caller takes members until a nil one, after enterList items and after enterMap
// keys until false, and reads or skips each value before it asks for the next.
// A reader never recurses, so that only the decoder's depth counts.
type reader interface {
	null() bool // consumes the value if it is a null
	skip() error

	enterStruct() error
	nextMember(s *shape) (*member, error) // passes over members the shape lacks
	enterList(m *member) error
	nextItem() (bool, error)
	enterMap(m *member) error
	nextKey() (string, bool, error)

	str() (string, error)
	boolean() (bool, error)
	integer(bits int) (int64, error)
	float(bits int) (float64, error)
	blob() ([]byte, error)
	time(f timeFormat) (time.Time, error)
}

// maxDepth bounds how deep structs, lists and maps nest. DynamoDB's 32 levels of
// attribute values take three of these each.
const maxDepth = 128

// decoder fills Go values from a reader.
type decoder struct {
	r      reader
	bound  bool // members of the top struct outside the body are not read from it
	depth  int
	budget int // bytes of Go memory that elements of lists and maps may still take
}

// newDecoder makes a decoder for a body of size bytes. A list of empty structs costs
// a client three bytes apiece and us three hundred, so elements may take 32 times the
// body's memory and a mebibyte, but 64 MiB at most: twice what the largest batch of
// DynamoDB needs.
func newDecoder(r reader, size int) *decoder {
	return &decoder{r: r, budget: min(1<<20+32*size, 64<<20)}
}

// malformed is what is wrong with a body, and where.
type malformed struct {
	path []string // from the innermost member outwards
	text string
}

func (e *malformed) Error() string {
	if len(e.path) == 0 {
		return e.text
	}
	var b strings.Builder
	b.WriteString(e.text)
	b.WriteString(" (at ")
	for i := len(e.path) - 1; i >= 0; i-- {
		b.WriteString(e.path[i])
		if i > 0 {
			b.WriteByte('.')
		}
	}
	b.WriteByte(')')
	return b.String()
}

func malformedf(format string, args ...any) error {
	return &malformed{text: fmt.Sprintf(format, args...)}
}

// at adds a step to the place an error names.
func at(err error, step string) error {
	var e *malformed
	if errors.As(err, &e) {
		e.path = append(e.path, step)
	}
	return err
}

// serializationFault is AWS's answer to a request that cannot be decoded.
func serializationFault(err error) *fault.Error {
	return fault.New(http.StatusBadRequest, "SerializationException", "%w", err)
}

// value decodes into v, the Go place of the member.
func (d *decoder) value(m *member, v reflect.Value) error {
	if !m.ptr {
		return d.into(m, v)
	}
	p := reflect.New(m.shape.goType)
	if err := d.into(m, p.Elem()); err != nil {
		return err
	}
	v.Set(p)
	return nil
}

func (d *decoder) into(m *member, v reflect.Value) error {
	switch m.shape.kind {
	case kindString:
		s, err := d.r.str()
		v.SetString(s)
		return err
	case kindBool:
		b, err := d.r.boolean()
		v.SetBool(b)
		return err
	case kindInt:
		n, err := d.r.integer(v.Type().Bits())
		v.SetInt(n)
		return err
	case kindFloat:
		f, err := d.r.float(v.Type().Bits())
		v.SetFloat(f)
		return err
	case kindBlob:
		b, err := d.r.blob()
		v.SetBytes(b)
		return err
	case kindTime:
		t, err := d.r.time(m.format)
		v.Set(reflect.ValueOf(t))
		return err
	}
	if d.depth++; d.depth > maxDepth {
		return malformedf("the value is nested more than %d levels deep", maxDepth)
	}
	defer func() { d.depth-- }()
	switch m.shape.kind {
	case kindStruct:
		return d.structure(m.shape, v)
	case kindUnion:
		return d.union(m.shape, v)
	case kindList:
		return d.list(m, v)
	case kindMap:
		return d.mapping(m, v)
	}
	return d.r.skip() // event streams are no part of a body
}

func (d *decoder) structure(s *shape, v reflect.Value) error {
	if err := d.r.enterStruct(); err != nil {
		return err
	}
	if s.unsent.IsValid() && d.depth > 1 { // the outermost is set by Decode
		v.Set(s.unsent)
	}
	top := d.bound && d.depth == 1
	for {
		m, err := d.r.nextMember(s)
		if m == nil || err != nil {
			return err
		}
		if d.r.null() {
			continue
		}
		if top && m.in != inBody {
			err = d.r.skip()
		} else {
			err = d.value(m, v.Field(m.field))
		}
		if err != nil {
			return at(err, m.name)
		}
	}
}

func (d *decoder) union(s *shape, v reflect.Value) error {
	if err := d.r.enterStruct(); err != nil {
		return err
	}
	for {
		m, err := d.r.nextMember(s)
		if m == nil || err != nil {
			return err
		}
		if d.r.null() {
			continue
		}
		if !v.IsNil() {
			return at(malformedf("more than one member of the union %s is set", s.name), m.name)
		}
		p := reflect.New(m.variant)
		if err := d.value(m, p.Elem().Field(m.field)); err != nil {
			return at(err, m.name)
		}
		v.Set(p)
	}
}

func (d *decoder) list(m *member, v reflect.Value) error {
	if err := d.r.enterList(m); err != nil {
		return err
	}
	elem := m.shape.elem
	size := int(v.Type().Elem().Size())
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	for {
		ok, err := d.r.nextItem()
		if !ok || err != nil {
			return err
		}
		if err := d.spend(size); err != nil {
			return err
		}
		null := d.r.null()
		if null && !elem.ptr { // only a list of pointers can be sparse
			continue
		}
		n := v.Len()
		v.Grow(1)
		v.SetLen(n + 1)
		if null {
			continue
		}
		if err := d.value(elem, v.Index(n)); err != nil {
			return at(err, fmt.Sprint(n))
		}
	}
}

func (d *decoder) mapping(m *member, v reflect.Value) error {
	if err := d.r.enterMap(m); err != nil {
		return err
	}
	t, elem := v.Type(), m.shape.elem
	v.Set(reflect.MakeMap(t))
	strs, plain := v.Interface().(map[string]string)
	for {
		k, ok, err := d.r.nextKey()
		if !ok || err != nil {
			return err
		}
		if err := d.spend(int(t.Elem().Size()) + 16); err != nil {
			return err
		}
		if d.r.null() {
			if elem.ptr { // as with lists
				v.SetMapIndex(reflect.ValueOf(k).Convert(t.Key()), reflect.Zero(t.Elem()))
			}
			continue
		}
		if plain {
			if strs[k], err = d.r.str(); err != nil {
				return at(err, k)
			}
			continue
		}
		item := reflect.New(t.Elem()).Elem()
		if err := d.value(elem, item); err != nil {
			return at(err, k)
		}
		v.SetMapIndex(reflect.ValueOf(k).Convert(t.Key()), item)
	}
}

// spend pays for one element.
func (d *decoder) spend(size int) error {
	if d.budget -= size; d.budget < 0 {
		return malformedf("the request has too many elements")
	}
	return nil
}

// readBody reads the rest of a body that its transport has already limited.
func readBody(r io.Reader) ([]byte, error) {
	if r == nil {
		return nil, nil
	}
	return io.ReadAll(r)
}
