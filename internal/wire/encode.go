package wire

import (
	"reflect"
	"time"
)

// writer appends the values of one body. The encoder opens and closes what holds
// a value (field, item, entry) and writes the value in between.
type writer interface {
	beginStruct()
	endStruct()
	field(m *member)
	endField(m *member)

	beginList()
	endList()
	item(list *member)
	endItem(list *member)

	beginMap()
	endMap()
	entry(mapping *member, key string)
	endEntry(mapping *member)

	null()
	str(s string)
	boolean(b bool)
	integer(n int64)
	float(f float64, bits int)
	blob(b []byte)
	time(t time.Time, f timeFormat)
}

// encoder walks Go values by their shapes.
type encoder struct {
	w     writer
	bound bool // the top struct writes only its members in the body
}

// structure writes the members of v that are set. Numbers and booleans that are
// no pointers are always set: AWS answers them when they are zero.
func (e encoder) structure(s *shape, v reflect.Value) {
	top := e.bound
	e.bound = false
	e.w.beginStruct()
	for _, m := range s.members {
		if top && m.in != inBody {
			continue
		}
		if f := v.Field(m.field); isSet(m, f) {
			e.w.field(m)
			e.value(m, f)
			e.w.endField(m)
		}
	}
	e.w.endStruct()
}

// isSet says whether a struct's member has a value to send.
func isSet(m *member, v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return !v.IsNil()
	case reflect.String: // an enum; a plain string is a pointer
		return v.Len() > 0
	}
	return true
}

func (e encoder) value(m *member, v reflect.Value) {
	if m.ptr {
		if v.IsNil() {
			e.w.null()
			return
		}
		v = v.Elem()
	}
	switch m.shape.kind {
	case kindString:
		e.w.str(v.String())
	case kindBool:
		e.w.boolean(v.Bool())
	case kindInt:
		e.w.integer(v.Int())
	case kindFloat:
		e.w.float(v.Float(), v.Type().Bits())
	case kindBlob:
		e.w.blob(v.Bytes())
	case kindTime:
		e.w.time(timeOf(v), m.format)
	case kindStruct:
		e.structure(m.shape, v)
	case kindUnion:
		e.union(m.shape, v)
	case kindList:
		e.list(m, v)
	case kindMap:
		e.mapping(m, v)
	default:
		e.w.null()
	}
}

func (e encoder) union(s *shape, v reflect.Value) {
	e.w.beginStruct()
	if !v.IsNil() {
		if p := v.Elem(); p.Kind() == reflect.Pointer && !p.IsNil() {
			if m := s.variants[p.Type().Elem()]; m != nil {
				e.w.field(m)
				e.value(m, p.Elem().Field(m.field))
				e.w.endField(m)
			}
		}
	}
	e.w.endStruct()
}

func (e encoder) list(m *member, v reflect.Value) {
	e.w.beginList()
	for i := range v.Len() {
		e.w.item(m)
		e.value(m.shape.elem, v.Index(i))
		e.w.endItem(m)
	}
	e.w.endList()
}

func (e encoder) mapping(m *member, v reflect.Value) {
	e.w.beginMap()
	if strs, ok := v.Interface().(map[string]string); ok {
		for k, s := range strs {
			e.w.entry(m, k)
			e.w.str(s)
			e.w.endEntry(m)
		}
	} else {
		for it := v.MapRange(); it.Next(); {
			e.w.entry(m, it.Key().String())
			e.value(m.shape.elem, it.Value())
			e.w.endEntry(m)
		}
	}
	e.w.endMap()
}

// timeOf gives the time that v holds.
func timeOf(v reflect.Value) time.Time {
	if v.CanAddr() {
		return *v.Addr().Interface().(*time.Time)
	}
	return v.Interface().(time.Time)
}
