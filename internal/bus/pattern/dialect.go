package pattern

// Dialect says whose limits a pattern has to keep.
type Dialect struct {
	name         string
	maxText      int  // characters
	maxFields    int  // leaves; 0: any number
	maxCombined  int  // lengths of all lists multiplied; 0: any number
	weighNesting bool // each list counts as often as it is deep
	flat         bool // no nesting
}

var (
	// EventBridge is the language of rules and archives.
	// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
	EventBridge = Dialect{name: "EventBridge", maxText: 4096}

	// TopicAttributes is a topic's filter policy on message attributes, which
	// AttributesEvent makes into events: at most five keys and 150 combinations,
	// no nesting.
	// https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
	TopicAttributes = Dialect{name: "TopicAttributes", maxText: 256 << 10, maxFields: 5, maxCombined: 150, flat: true}

	// TopicBody is a topic's filter policy on the message's body, which is the event.
	// Each list counts as often as it is deep in the 150 combinations.
	TopicBody = Dialect{name: "TopicBody", maxText: 256 << 10, maxFields: 5, maxCombined: 150, weighNesting: true}

	// Mapping is a filter of an event source mapping, which matches records made into
	// events by RecordEvent.
	// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
	Mapping = Dialect{name: "Mapping", maxText: 4096}
)

// String names the dialect.
func (d Dialect) String() string { return d.name }

// tally counts what a dialect limits.
type tally struct{ fields, combined int }

// add counts a list of n values, depth names deep.
func (t *tally) add(d Dialect, n, depth int) *Error {
	t.fields++
	if t.combined == 0 {
		t.combined = 1
	}
	if d.weighNesting {
		n *= depth
	}
	t.combined = min(t.combined*n, 1<<30)
	switch {
	case d.flat && depth > 1:
		return &Error{Reason: "Filter policy scope MessageAttributes does not support nested filter policy"}
	case d.maxFields > 0 && t.fields > d.maxFields:
		return &Error{Reason: "Filter policy can not have more than 5 keys"}
	case d.maxCombined > 0 && t.combined > d.maxCombined:
		return &Error{Reason: "Filter policy is too complex"}
	}
	return nil
}
