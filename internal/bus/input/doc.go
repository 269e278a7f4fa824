// Package input makes what a target is sent out of an event: a part of it, by a path, or
// a template filled with parts of it.
//
//	t, err := input.ParseTemplate(`{"who":<name>,"text":"<name> did it"}`, map[string]string{"name": "$.detail.name"})
//	t.Fill(event, input.Variables{RuleName: "audit"})
//
// A path is the part of JSONPath that EventBridge documents: names after dots, which may
// have dashes, underscores and slashes, indices of arrays, names in brackets and quotes,
// and * for all elements or values. A path with * gives an array.
//
// In a template, <name> stands for what the path of that name leads to, and <aws.events.…>
// for what is known about the event without one. Outside of quotes a value is put there as
// JSON; within quotes a string is put there as it is, unescaped, as EventBridge documents,
// and an object or array as its JSON without quotes. What is not in the event is an empty
// string. The characters < and > can't be escaped; where they are not around a name they
// are themselves.
//
// The result is one or more strings, as they are in the template, or other JSON, which is
// minified. What is no JSON once it is filled, because a value with quotes was put
// within quotes, is left as it is.
//
// Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
// and https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_InputTransformer.html
package input
