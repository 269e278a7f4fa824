// Package wire speaks AWS's protocols: awsJson 1.0 and 1.1, awsQuery, restJson1,
// restXml and rpc-v2-cbor. It turns an HTTP request into the SDK's own input
// struct and an output struct or a fault into an HTTP response.
//
// A service lists its operations in an [API], made of functions over the SDK's
// types, and [New] compiles it:
//
//	router, err := wire.New(wire.API{
//		Service:    "lambda",
//		Protocols:  []wire.Protocol{wire.RestJSON},
//		Operations: []wire.Operation{wire.Op(schemas.CreateFunction, s.createFunction)},
//		Errors:     lambda.TypeRegistry,
//	})
//
// A request then goes through [Router.Match] (which operation, in which protocol),
// [Call.Decode] (the SDK's input struct) and [Call.Serve] (the function, and its
// answer or fault). Between Decode and Serve the gateway asks whether the caller
// may. [Router.WriteError], [Call.WriteError] and [WriteError] answer what ends
// before that.
//
// Nothing is generated and no model is copied. At start-up every Go type is
// compiled to a shape, a plan of its members: their fields, their names in each
// protocol, where in an HTTP message they travel. The SDK's types give their
// smithy schema away when they serialise themselves; for services whose SDK
// module has none yet (S3, STS), schemas are made by reflection, and a table of
// [Traits] adds what a Go type cannot say. One decoder and one encoder walk the
// plan; readers and writers of JSON, CBOR, XML and forms do the rest.
//
// Bodies come from strangers. Depth is bounded, memory for elements grows with
// the bytes that were sent and no further, and what is malformed is a
// SerializationException that names the member. Unknown members are passed over,
// as AWS does. Whether members are present and sensible is the service's to say:
// the SDK's schemas carry neither required members nor lengths. How large a body
// may be is the gateway's.
//
// Documents and big numbers are not supported, since no API here has any, nor are
// event streams from the client; [New] refuses shapes that have them.
package wire
