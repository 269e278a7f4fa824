// Package record turns the plain structs of a domain into bytes for the store
// and back, as CBOR (RFC 8949) with field names. Fields may be added to a
// struct at any time: what an old record lacks is zero, and what a newer record
// has beyond the struct is passed over. Fields are never renamed or retyped.
// Times come back in UTC, rounded to the microsecond.
package record

import (
	"bytes"
	"fmt"
	"reflect"

	"github.com/ugorji/go/codec"
)

// handle is shared and read-only, as the library asks.
var handle = func() *codec.CborHandle {
	h := &codec.CborHandle{}
	h.Canonical = true // equal values, equal bytes: compare-and-set and tests rely on it
	h.TimeRFC3339 = true
	h.MapType = reflect.TypeFor[map[string]any]()
	return h
}()

// Marshal encodes v. It fails only for a type that has no encoding, which is
// a fault of the program.
func Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	if err := codec.NewEncoder(&b, handle).Encode(v); err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return b.Bytes(), nil
}

// Unmarshal decodes b into v, a pointer.
func Unmarshal(b []byte, v any) error {
	if err := codec.NewDecoderBytes(b, handle).Decode(v); err != nil {
		return fmt.Errorf("decode %T: %w", v, err)
	}
	return nil
}
