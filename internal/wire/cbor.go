package wire

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// newCBORReader decodes a document with smithy-go's decoder, which bounds its
// depth and believes no length it has not seen the bytes of.
func newCBORReader(body []byte) (*cborReader, error) {
	v, err := cbor.Decode(body)
	if err != nil {
		return nil, malformedf("the document is not well-formed CBOR: %v", err)
	}
	return &cborReader{cur: v}, nil
}

// cborReader reads a decoded document.
type cborReader struct {
	cur   cbor.Value
	stack []cborLevel
}

// cborLevel is a container being read: a list, or a map and the keys left of it.
type cborLevel struct {
	list cbor.List
	m    cbor.Map
	keys []string
}

func (r *cborReader) skip() error { return nil }

func (r *cborReader) null() bool {
	switch r.cur.(type) {
	case *cbor.Nil, *cbor.Undefined, nil:
		return true
	}
	return false
}

func (r *cborReader) enterStruct() error { return r.enter("a structure") }

func (r *cborReader) enter(want string) error {
	m, ok := r.cur.(cbor.Map)
	if !ok {
		return r.mismatch(want)
	}
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	r.stack = append(r.stack, cborLevel{m: m, keys: keys})
	return nil
}

func (r *cborReader) nextMember(s *shape) (*member, error) {
	for {
		key, ok, _ := r.nextKey()
		if !ok {
			return nil, nil
		}
		if m := s.byName[key]; m != nil {
			return m, nil
		}
	}
}

func (r *cborReader) enterMap(*member) error { return r.enter("a map") }

func (r *cborReader) nextKey() (string, bool, error) {
	l := &r.stack[len(r.stack)-1]
	if len(l.keys) == 0 {
		r.stack = r.stack[:len(r.stack)-1]
		return "", false, nil
	}
	key := l.keys[0]
	l.keys = l.keys[1:]
	r.cur = l.m[key]
	return key, true, nil
}

func (r *cborReader) enterList(*member) error {
	list, ok := r.cur.(cbor.List)
	if !ok {
		return r.mismatch("a list")
	}
	r.stack = append(r.stack, cborLevel{list: list})
	return nil
}

func (r *cborReader) nextItem() (bool, error) {
	l := &r.stack[len(r.stack)-1]
	if len(l.list) == 0 {
		r.stack = r.stack[:len(r.stack)-1]
		return false, nil
	}
	r.cur, l.list = l.list[0], l.list[1:]
	return true, nil
}

func (r *cborReader) str() (string, error) {
	s, ok := r.cur.(cbor.String)
	if !ok {
		return "", r.mismatch("a String")
	}
	return string(s), nil
}

func (r *cborReader) boolean() (bool, error) {
	b, ok := r.cur.(cbor.Bool)
	if !ok {
		return false, r.mismatch("a Boolean")
	}
	return bool(b), nil
}

func (r *cborReader) integer(bits int) (int64, error) {
	n, err := cbor.AsInt64(r.cur)
	if err != nil || bits < 64 && (n >= 1<<(bits-1) || n < -1<<(bits-1)) {
		return 0, r.mismatch("an Integer")
	}
	return n, nil
}

func (r *cborReader) float(bits int) (float64, error) {
	var f float64
	switch v := r.cur.(type) {
	case cbor.Float32:
		return float64(v), nil
	case cbor.Float64:
		f = float64(v)
	case cbor.Uint:
		f = float64(v)
	case cbor.NegInt:
		f = -float64(v)
	default:
		return 0, r.mismatch("a Double")
	}
	if bits == 32 && math.Abs(f) > math.MaxFloat32 && !math.IsInf(f, 0) {
		return 0, r.mismatch("a Float")
	}
	return f, nil
}

func (r *cborReader) blob() ([]byte, error) {
	b, ok := r.cur.(cbor.Slice)
	if !ok {
		return nil, r.mismatch("a Blob")
	}
	return b, nil
}

// time reads tag 1, seconds since 1970; CBOR knows no other form.
func (r *cborReader) time(timeFormat) (time.Time, error) {
	tag, ok := r.cur.(*cbor.Tag)
	if !ok || tag.ID != 1 {
		return time.Time{}, r.mismatch("a Timestamp")
	}
	r.cur = tag.Value
	f, err := r.float(64)
	if err != nil {
		return time.Time{}, err
	}
	t, err := epochTime(f)
	if err != nil {
		return time.Time{}, malformedf("%v", err)
	}
	return t, nil
}

func (r *cborReader) mismatch(want string) error {
	found := "a value"
	switch r.cur.(type) {
	case cbor.String:
		found = "STRING_VALUE"
	case cbor.Uint, cbor.NegInt, cbor.Float32, cbor.Float64:
		found = "NUMBER_VALUE"
	case cbor.Bool:
		found = "BOOLEAN_VALUE"
	case cbor.Slice:
		found = "BLOB_VALUE"
	case cbor.Map:
		return malformedf("Start of structure or map found where not expected: the member is %s", want)
	case cbor.List:
		return malformedf("Start of list found where not expected: the member is %s", want)
	}
	return malformedf("%s can not be converted to %s", found, want)
}

// Major types of RFC 8949, and the initial bytes that need no argument.
const (
	cborUint   = 0 << 5
	cborNegInt = 1 << 5
	cborBytes  = 2 << 5
	cborText   = 3 << 5
	cborTag    = 6 << 5

	cborListStart = 0x9f // of indefinite length
	cborMapStart  = 0xbf // of indefinite length
	cborBreak     = 0xff
	cborFalse     = 0xf4
	cborTrue      = 0xf5
	cborNull      = 0xf6
	cborFloat32   = 0xfa
	cborFloat64   = 0xfb
)

// cborWriter appends a CBOR document. Containers have indefinite length, so that
// nothing needs counting before it is written.
type cborWriter struct{ b []byte }

func (w *cborWriter) head(major byte, n uint64) {
	switch {
	case n < 24:
		w.b = append(w.b, major|byte(n))
	case n <= math.MaxUint8:
		w.b = append(w.b, major|24, byte(n))
	case n <= math.MaxUint16:
		w.b = binary.BigEndian.AppendUint16(append(w.b, major|25), uint16(n))
	case n <= math.MaxUint32:
		w.b = binary.BigEndian.AppendUint32(append(w.b, major|26), uint32(n))
	default:
		w.b = binary.BigEndian.AppendUint64(append(w.b, major|27), n)
	}
}

func (w *cborWriter) beginStruct() { w.b = append(w.b, cborMapStart) }
func (w *cborWriter) endStruct()   { w.b = append(w.b, cborBreak) }
func (w *cborWriter) beginList()   { w.b = append(w.b, cborListStart) }
func (w *cborWriter) endList()     { w.b = append(w.b, cborBreak) }
func (w *cborWriter) beginMap()    { w.b = append(w.b, cborMapStart) }
func (w *cborWriter) endMap()      { w.b = append(w.b, cborBreak) }

func (w *cborWriter) field(m *member)             { w.str(m.name) }
func (w *cborWriter) entry(_ *member, key string) { w.str(key) }
func (w *cborWriter) item(*member)                {}
func (w *cborWriter) endField(*member)            {}
func (w *cborWriter) endItem(*member)             {}
func (w *cborWriter) endEntry(*member)            {}

func (w *cborWriter) null() { w.b = append(w.b, cborNull) }

func (w *cborWriter) str(s string) {
	w.head(cborText, uint64(len(s)))
	w.b = append(w.b, s...)
}

func (w *cborWriter) boolean(v bool) {
	if v {
		w.b = append(w.b, cborTrue)
		return
	}
	w.b = append(w.b, cborFalse)
}

func (w *cborWriter) integer(n int64) {
	if n < 0 {
		w.head(cborNegInt, uint64(-(n + 1)))
		return
	}
	w.head(cborUint, uint64(n))
}

func (w *cborWriter) float(f float64, bits int) {
	if bits == 32 {
		w.b = binary.BigEndian.AppendUint32(append(w.b, cborFloat32), math.Float32bits(float32(f)))
		return
	}
	w.b = binary.BigEndian.AppendUint64(append(w.b, cborFloat64), math.Float64bits(f))
}

func (w *cborWriter) blob(b []byte) {
	w.head(cborBytes, uint64(len(b)))
	w.b = append(w.b, b...)
}

func (w *cborWriter) time(t time.Time, _ timeFormat) {
	w.head(cborTag, 1)
	w.float(float64(t.UnixMilli())/1000, 64)
}
