package wire_test

import (
	"go/ast"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// filler fills the SDK's structs with random values that survive their way: the
// members of a top struct may travel in headers and paths, so they are plain;
// those below hold anything text can.
type filler struct {
	rand   *rand.Rand
	unions map[reflect.Type][]any
	sparse bool // leave members below the top out now and then
	plain  bool // no text that XML cannot hold
	single bool // lists of the top have one item: the SDK sorts those of a query string
}

func (f *filler) fill(v any) { f.value(reflect.ValueOf(v).Elem(), 0) }

func (f *filler) value(v reflect.Value, depth int) {
	switch v.Interface().(type) {
	case time.Time:
		t := time.UnixMilli(f.rand.Int64N(4e12)).UTC()
		if depth <= 2 {
			t = t.Truncate(time.Second)
		}
		v.Set(reflect.ValueOf(t))
		return
	case []byte:
		v.SetBytes([]byte(f.text(depth) + "\x00\xff"))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.value(v.Elem(), depth)
	case reflect.String:
		v.SetString(f.str(v.Type(), depth))
	case reflect.Bool:
		v.SetBool(f.rand.IntN(2) == 0)
	case reflect.Int32, reflect.Int64:
		v.SetInt(f.rand.Int64N(1<<31) - 1<<30)
	case reflect.Float64:
		v.SetFloat(f.rand.NormFloat64() * 1e5)
	case reflect.Slice:
		f.slice(v, depth)
	case reflect.Map:
		f.mapping(v, depth)
	case reflect.Struct:
		f.structure(v, depth)
	case reflect.Interface:
		f.union(v, depth)
	}
}

func (f *filler) structure(v reflect.Value, depth int) {
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if !ast.IsExported(name) || name == "ResultMetadata" {
			continue
		}
		if depth > 12 || f.sparse && depth > 0 && f.rand.IntN(4) == 0 {
			continue
		}
		f.value(v.Field(i), depth+1)
		if depth == 0 && (name == "StatusCode" || name == "Status") && v.Field(i).Kind() == reflect.Int32 {
			v.Field(i).SetInt(200)
		}
	}
}

func (f *filler) slice(v reflect.Value, depth int) {
	n := 1 + f.rand.IntN(2)
	if depth > 8 {
		n = 0
	} else if f.single && depth == 1 {
		n = 1
	}
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := range n {
		f.value(v.Index(i), depth+1)
	}
}

func (f *filler) mapping(v reflect.Value, depth int) {
	v.Set(reflect.MakeMap(v.Type()))
	if depth > 8 {
		return
	}
	for range 1 + f.rand.IntN(2) {
		key, item := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		f.value(key, depth+1)
		f.value(item, depth+1)
		v.SetMapIndex(key, item)
	}
}

func (f *filler) union(v reflect.Value, depth int) {
	if v.Type() == reflect.TypeFor[io.Reader]() {
		v.Set(reflect.ValueOf(strings.NewReader(f.text(depth))))
		return
	}
	all := f.unions[v.Type()]
	if len(all) == 0 {
		return
	}
	p := reflect.New(reflect.TypeOf(all[f.rand.IntN(len(all))]).Elem())
	f.value(p.Elem().FieldByName("Value"), depth)
	v.Set(p)
}

// str fills a plain string, or picks an enum's value.
func (f *filler) str(t reflect.Type, depth int) string {
	if m, ok := t.MethodByName("Values"); ok {
		all := m.Func.Call([]reflect.Value{reflect.Zero(t)})[0]
		return all.Index(f.rand.IntN(all.Len())).String()
	}
	return f.text(depth)
}

const (
	plainLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/._-"
	wildLetters  = "ab \"\\/<>&'=+%;,é世\U0001F600\n\t\u2028\x7f"
)

func (f *filler) text(depth int) string {
	letters := []rune(plainLetters)
	if depth > 2 {
		letters = []rune(wildLetters)
		if !f.plain {
			letters = append(letters, '\x01', '\b', '\x1f')
		}
	}
	b := []rune{'x'} // never empty, nor the name of a step of a path
	for range f.rand.IntN(12) {
		b = append(b, letters[f.rand.IntN(len(letters))])
	}
	return string(append(b, 'x'))
}

// same compares what the SDK's users see of its structs.
var same = cmp.Options{
	cmp.FilterPath(func(p cmp.Path) bool {
		f, ok := p.Last().(cmp.StructField)
		return ok && (!ast.IsExported(f.Name()) || f.Name() == "ResultMetadata")
	}, cmp.Ignore()),
	cmpopts.EquateEmpty(),
	cmpopts.EquateNaNs(),
	cmpopts.EquateApproxTime(time.Millisecond), // the SDK's clients round down what a float says
	cmp.FilterValues(func(a, b io.Reader) bool { return true }, cmp.Comparer(sameBytes)),
}

func sameBytes(a, b io.Reader) bool {
	if a == nil || b == nil {
		return a == b
	}
	return allOf(a) == allOf(b)
}

// allOf reads r from its start, if it has one to go back to.
func allOf(r io.Reader) string {
	if s, ok := r.(io.Seeker); ok {
		_, _ = s.Seek(0, io.SeekStart)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
