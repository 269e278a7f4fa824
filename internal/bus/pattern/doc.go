// Package pattern is EventBridge's event pattern language: which events a rule means.
//
//	p, err := pattern.Parse([]byte(`{"source":["shop"],"detail":{"total":[{"numeric":[">",100]}]}}`), pattern.EventBridge)
//	e, err := pattern.ReadEvent(event)
//	p.Match(e)
//
// All fields of a pattern must match, and of a field's list any: values of every JSON
// type, prefix, suffix, equals-ignore-case, wildcard, numeric, cidr, exists and
// anything-but; "$or" makes alternatives. An array in an event matches where any
// element does, but fields inside objects of one array must match in the same object.
// A field whose value is null is there; one that is an empty object or array is not,
// since only leaves count. A dot in a name is as good as nesting: "detail.id" is the id
// in detail.
//
// Numbers are compared as EventBridge does it: exactly, between minus and plus five
// billion, with at most six decimals. Others in an event are only equal to the same text.
// A string that looks like an IP address equals every spelling of that address.
//
// An [Index] holds many patterns and finds those that match an event at a cost that
// grows with the event and with what matches, or begins to match, in it. Only the
// anything-but conditions of a field, and wildcards without any text, are tried one by
// one; nearly all of those match nearly every event.
//
// Matching a wildcard takes time linear in the value, whatever the wildcard, so that
// there is no limit on a pattern's complexity like EventBridge's ("Rule is too complex").
// How a JSON syntax error is worded differs from AWS; reasons of all other errors are
// AWS's, with their place in the text.
//
// Topics' filter policies and the filters of event source mappings are this language
// with limits of their own: [Dialect] says whose limits count, [AttributesEvent] and
// [RecordEvent] make what they match into events. Operators that the documentation of
// one of them does not list are taken there too.
//
// Sources:
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
// https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
// and the behaviour of EventBridge's own engine, https://github.com/aws/event-ruler
package pattern
