package invoke

import "context"

// Destinations delivers the records of asynchronous calls.
type Destinations interface {
	// Deliver hands body to the queue, topic, bus or function named by arn.
	Deliver(ctx context.Context, arn string, body []byte) error
}
