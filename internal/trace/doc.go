// Package trace follows one request through every hop as OpenTelemetry spans:
// the door, authorisation, placement, each phase of a cold start, the execution.
//
// The provider travels in the context: Root opens a request's first span, Start
// and Record add children to whatever span the context carries, and both cost
// next to nothing where nobody collects. Ids are made in X-Ray's form (the first
// four bytes are the time), so that X-Amzn-Trace-Id and traceparent name the
// same trace. Whether a trace is sampled is the word of its caller, or of the
// function's tracing mode (package invoke), and not of the node's own collector,
// which gets every span.
package trace
