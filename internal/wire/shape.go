package wire

import "reflect"

// kind is what a shape is, as far as a codec cares.
type kind uint8

const (
	kindString kind = iota // enums too
	kindBool
	kindInt // 8 to 64 bits, by the Go type
	kindFloat
	kindBlob
	kindTime
	kindStream // a blob handed over as io.Reader or io.ReadCloser
	kindList
	kindMap
	kindStruct
	kindUnion
)

// shape is the plan for one Go type of one API: what a codec walks. It is made
// once, at start-up, and never changes, so it is safe for concurrent use. Shapes
// may be cyclic (DynamoDB's AttributeValue).
type shape struct {
	kind   kind
	name   string // the model's name: "FunctionCode"
	goType reflect.Type
	unsent reflect.Value // of a struct, what it is before it is read; zero for nothing

	members []*member // of a struct, in the order of the Go fields; of a union, its variants
	elem    *member   // of a list its items, of a map its values
	key     *member   // of a map

	byName map[string]*member // by the model's name: awsJson, CBOR
	byJSON map[string]*member // by jsonName: restJson1
	byXML  map[string]*member // by xmlName: restXml, awsQuery

	variants map[reflect.Type]*member // of a union, by its Go struct

	bound   []*member // of a struct, the members outside the body
	payload *member   // of a struct, the member that is the whole body
	body    bool      // of a struct: some member is in the body
}

// member is a place that holds a value: a struct's member, a union's variant, a
// list's item, a map's key or value.
type member struct {
	name   string // as the model has it: "nextToken"
	json   string // restJson1's name
	xml    string // restXml's and awsQuery's name
	shape  *shape
	field  int  // index of the Go field; -1 outside structs
	ptr    bool // the Go type is a pointer to the shape's
	space  xmlSpace
	attr   bool // XML attribute
	flat   bool // XML list or map without an element of its own
	format timeFormat

	in      location
	binding string // header, query key or header prefix
	encoded bool   // a header that carries base64 (mediaType)

	variant      reflect.Type // of a union's variant: the Go struct with its Value
	eventPayload bool         // of an event: the member that is its whole message
}

// xmlSpace is an XML namespace declared on an element.
type xmlSpace struct{ prefix, uri string }

// location is where in an HTTP message a member travels.
type location uint8

const (
	inBody location = iota
	inLabel
	inQuery
	inQueryParams
	inHeader
	inPrefixHeaders
	inPayload
	inStatus
)
