package wire

import (
	"context"
	"reflect"

	"github.com/aws/smithy-go"
)

// OpOf is Op for types that are only known when the test runs.
func OpOf(schema *smithy.Schema, in, out reflect.Type, serve func(ctx context.Context, in any) (any, error)) Operation {
	return Operation{schema: schema, in: in, out: out, serve: serve}
}
