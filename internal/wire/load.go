package wire

import (
	"reflect"
	"strings"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/prelude"
	"github.com/aws/smithy-go/traits"
)

// Traits says what a Go type alone cannot about the shapes of a service whose SDK
// module has no schemas yet (S3, STS): HTTP bindings, XML names. The key is a Go
// type's name for its traits as a root ("ListObjectsV2Output"), or the type and
// its field ("PutObjectInput.Bucket"), and ".member", ".key" or ".value" behind a
// field for the items of its list or map ("Tagging.TagSet.member"). Entries for
// types that no operation reaches do no harm.
type Traits map[string][]smithy.Trait

// typeLoader makes schemas by reflection over the SDK's Go types: a shape is named
// for its type, a member for its field.
type typeLoader struct {
	traits Traits
	unions map[reflect.Type]map[string]reflect.Type
	done   map[reflect.Type]*smithy.Schema
}

// load makes, or finds, the schema of a struct.
func (l *typeLoader) load(t reflect.Type) *smithy.Schema {
	if s, ok := l.done[t]; ok {
		return s
	}
	s := l.schema(t.Name(), smithy.ShapeTypeStructure, t.NumField(), t.Name())
	l.done[t] = s
	for f := range t.Fields() {
		if f.IsExported() && f.Name != "ResultMetadata" {
			l.add(s, f.Name, f.Type, t.Name()+"."+f.Name)
		}
	}
	return s
}

// add makes a member. A Go field has lost the case of its member's first letter, which
// a JSONName gives back.
func (l *typeLoader) add(parent *smithy.Schema, name string, t reflect.Type, key string) {
	for _, trait := range l.traits[key] {
		if n, ok := trait.(*traits.JSONName); ok && fieldName(n.Name) == name {
			name = n.Name
		}
	}
	parent.AddMember(name, l.of(t, key), l.traits[key]...)
}

// of makes the schema of any Go type the SDK uses in its shapes.
func (l *typeLoader) of(t reflect.Type, key string) *smithy.Schema {
	switch t {
	case timeType:
		return prelude.Timestamp
	case bytesType, readerType, readCloserType:
		return prelude.Blob
	}
	switch t.Kind() {
	case reflect.Pointer:
		return l.of(t.Elem(), key)
	case reflect.Bool:
		return prelude.Boolean
	case reflect.Int32:
		return prelude.Integer
	case reflect.Int64:
		return prelude.Long
	case reflect.Float32:
		return prelude.Float
	case reflect.Float64:
		return prelude.Double
	case reflect.Slice:
		s := l.schema(strings.ReplaceAll(key, ".", "_"), smithy.ShapeTypeList, 1, "")
		l.add(s, "member", t.Elem(), key+".member")
		return s
	case reflect.Map:
		s := l.schema(strings.ReplaceAll(key, ".", "_"), smithy.ShapeTypeMap, 2, "")
		l.add(s, "key", t.Key(), key+".key")
		l.add(s, "value", t.Elem(), key+".value")
		return s
	case reflect.Struct:
		return l.load(t)
	case reflect.Interface:
		return l.union(t)
	}
	return prelude.String // enums too
}

func (l *typeLoader) union(t reflect.Type) *smithy.Schema {
	if s, ok := l.done[t]; ok {
		return s
	}
	s := l.schema(t.Name(), smithy.ShapeTypeUnion, len(l.unions[t]), t.Name())
	l.done[t] = s
	for name, variant := range l.unions[t] {
		if f, ok := variant.FieldByName("Value"); ok {
			l.add(s, name, f.Type, t.Name()+"."+name)
		}
	}
	return s
}

func (l *typeLoader) schema(name string, typ smithy.ShapeType, members int, key string) *smithy.Schema {
	return smithy.NewSchema(smithy.ShapeID{Namespace: "mayfly", Name: name}, typ, members, l.traits[key]...)
}

// Named makes the schema of an operation for a service whose SDK module has none.
func Named(operation string) *smithy.Schema {
	return smithy.NewSchema(smithy.ShapeID{Namespace: "mayfly", Name: operation}, smithy.ShapeTypeOperation, 0)
}

// Routed is Named for the REST protocols: the uri is a template of Smithy's form,
// "/{Bucket}/{Key+}?uploads", and code the status of success.
func Routed(operation, method, uri string, code int) *smithy.Schema {
	return smithy.NewSchema(smithy.ShapeID{Namespace: "mayfly", Name: operation}, smithy.ShapeTypeOperation, 0,
		&traits.HTTP{Method: method, URI: uri, Code: code})
}
