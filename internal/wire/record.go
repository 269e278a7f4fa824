package wire

import (
	"math/big"
	"reflect"
	"time"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/document"
)

// schemaOf asks a struct of the SDK for its schema: the generated Serialize
// method opens its struct with it. Nil for a type without one (services the SDK
// has not moved to schemas yet, and structs nested in their shapes).
func schemaOf(t reflect.Type) *smithy.Schema {
	v, ok := reflect.New(t).Interface().(smithy.Serializable)
	if !ok {
		return nil
	}
	var r schemaRecorder
	v.Serialize(&r)
	return r.schema
}

// schemaRecorder is a serializer that keeps the first schema it is shown and
// nothing else.
type schemaRecorder struct{ schema *smithy.Schema }

func (r *schemaRecorder) WriteStruct(s *smithy.Schema) {
	if r.schema == nil {
		r.schema = s
	}
}

func (r *schemaRecorder) Bytes() []byte                                { return nil }
func (r *schemaRecorder) WriteInt8(*smithy.Schema, int8)               {}
func (r *schemaRecorder) WriteInt16(*smithy.Schema, int16)             {}
func (r *schemaRecorder) WriteInt32(*smithy.Schema, int32)             {}
func (r *schemaRecorder) WriteInt64(*smithy.Schema, int64)             {}
func (r *schemaRecorder) WriteFloat32(*smithy.Schema, float32)         {}
func (r *schemaRecorder) WriteFloat64(*smithy.Schema, float64)         {}
func (r *schemaRecorder) WriteBool(*smithy.Schema, bool)               {}
func (r *schemaRecorder) WriteString(*smithy.Schema, string)           {}
func (r *schemaRecorder) WriteBigInt(*smithy.Schema, *big.Int)         {}
func (r *schemaRecorder) WriteBigFloat(*smithy.Schema, *big.Float)     {}
func (r *schemaRecorder) WriteBlob(*smithy.Schema, []byte)             {}
func (r *schemaRecorder) WriteTime(*smithy.Schema, time.Time)          {}
func (r *schemaRecorder) WriteUnion(_, _ *smithy.Schema)               {}
func (r *schemaRecorder) CloseUnion()                                  {}
func (r *schemaRecorder) WriteDocument(*smithy.Schema, document.Value) {}
func (r *schemaRecorder) WriteNil(*smithy.Schema)                      {}
func (r *schemaRecorder) CloseStruct()                                 {}
func (r *schemaRecorder) WriteList(*smithy.Schema)                     {}
func (r *schemaRecorder) CloseList()                                   {}
func (r *schemaRecorder) WriteMap(*smithy.Schema)                      {}
func (r *schemaRecorder) WriteKey(*smithy.Schema, string)              {}
func (r *schemaRecorder) CloseMap()                                    {}
