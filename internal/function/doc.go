// Package function is AWS Lambda's control API: functions, their versions and
// aliases, layers, concurrency settings, function URLs, resource policies and
// settings of asynchronous calls, kept in the store; and the calls themselves
// handed on to an Invoker.
//
//	api*.go        operations: the SDK's input -> domain -> the SDK's output
//	function.go    a function and its life; settings.go, validate.go what is set
//	version.go     what a call runs; alias.go a name for it, or for two
//	layer.go       packages shared by functions
//	package.go     uploads; use.go who uses which blob, and what nobody uses
//	resolve.go     from a name to what a call runs, on the way of every call
//	url*.go        functions as web servers
//	api_access.go  what each operation asks of its caller; policy.go who else may do
//	               what with a function or layer, protect.go for whoever decides
//	keys.go        everything in the store
//
// Not here, and refused by name: container images, VPCs, file systems, customer
// keys, SnapStart, code signing, durable functions, tenants, capacity providers.
// Event source mappings are a service of their own.
//
// Source: https://docs.aws.amazon.com/lambda/latest/api/
package function
