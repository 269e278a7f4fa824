// Package wire speaks AWS's protocols: awsJson 1.0 and 1.1, awsQuery, restJson1,
// restXml and rpc-v2-cbor. It turns an HTTP request into the SDK's own input
// struct and an output struct or a fault into an HTTP response.
//
// One codec engine works on a small description of a shape (Shape), made once
// per type by one of two loaders: from the SDK's smithy schemas where a service
// has them, else by reflection over the SDK's Go types. Services list their
// operations with Op and Stream; nothing is generated and no model is copied.
package wire
