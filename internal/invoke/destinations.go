package invoke

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/worker"
)

// Destinations delivers what asynchronous calls leave behind.
type Destinations interface {
	// Deliver hands body to the queue, topic, bus, bucket or function named by
	// arn, if the sender's role may. A dead letter has attributes (RequestID, ErrorCode, ErrorMessage), a
	// record none. It may be called again with the same body after a crash. What
	// it refuses is tried again for about an hour, and then kept as undelivered.
	Deliver(ctx context.Context, from Sender, arn string, body []byte, attributes map[string]string) error
}

// Sender is the function that something is delivered for, and the role that it ran
// under.
type Sender struct{ Function, Role string }

// finish is an event that is done, well or not, and how. The response is nil for
// one that never ran.
type finish struct {
	event     *event
	payload   []byte
	target    *Target
	response  *Response
	condition string
}

// discard ends an event that failed for good: its payload goes to the
// dead-letter target, the record of the failure to the destination.
func (q *queue) discard(tx store.Tx, f *finish) error {
	e, t := f.event, f.target
	if err := q.forget(tx, e.ID); err != nil {
		return err
	}
	if t.Async.DeadLetter != "" {
		d := delivery{From: sender(t), Target: t.Async.DeadLetter, Body: f.payload, Attributes: f.deadLetter()}
		if err := q.send(tx, 0, d, e.ID); err != nil {
			return err
		}
	}
	if t.Async.OnFailure != "" {
		return q.send(tx, 1, delivery{From: sender(t), Target: t.Async.OnFailure, Body: q.invocation(f)}, e.ID)
	}
	return nil
}

func sender(t *Target) Sender { return Sender{t.Version.FunctionARN, t.Version.Role} }

// deadLetter gives the attributes of a dead letter. Source:
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
func (f *finish) deadLetter() map[string]string {
	code, message := "429", f.condition
	if resp := f.response; resp != nil {
		var body struct {
			Message string `json:"errorMessage"`
		}
		code, message = "200", ""
		if json.Unmarshal(resp.Payload, &body) == nil {
			message = body.Message
		}
	}
	return map[string]string{"RequestID": f.event.ID, "ErrorCode": code, "ErrorMessage": message[:min(len(message), 1024)]}
}

// invocationRecord is what a destination gets, as in
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
type invocationRecord struct {
	Version        string `json:"version"`
	Timestamp      string `json:"timestamp"`
	RequestContext struct {
		RequestID   string `json:"requestId"`
		FunctionARN string `json:"functionArn"`
		Condition   string `json:"condition"`
		InvokeCount int    `json:"approximateInvokeCount"`
	} `json:"requestContext"`
	RequestPayload  json.RawMessage  `json:"requestPayload"`
	ResponseContext *responseContext `json:"responseContext,omitempty"`
	ResponsePayload json.RawMessage  `json:"responsePayload,omitempty"`
}

type responseContext struct {
	StatusCode      int    `json:"statusCode"`
	ExecutedVersion string `json:"executedVersion"`
	FunctionError   string `json:"functionError,omitempty"`
}

// maxRecordAnswer is the largest answer that goes into a record: with a payload
// of 1 MiB beside it the record still has its place in the store.
const maxRecordAnswer = 8 << 10

// invocation makes the record of an event that is done. An answer that is too
// large beside its payload is left out of it.
func (q *queue) invocation(f *finish) []byte {
	e, v := f.event, &f.target.Version
	r := invocationRecord{Version: "1.0", Timestamp: q.clock.Now().UTC().Format(worker.LogTime), RequestPayload: f.payload}
	r.RequestContext.RequestID = e.ID
	r.RequestContext.FunctionARN = v.FunctionARN + ":" + v.Number
	r.RequestContext.Condition = f.condition
	r.RequestContext.InvokeCount = e.Runs
	if resp := f.response; resp != nil {
		r.ResponseContext = &responseContext{StatusCode: 200, ExecutedVersion: resp.Version, FunctionError: resp.FunctionError}
		if len(resp.Payload) <= max(maxRecordAnswer, MaxEventPayload-len(f.payload)) && json.Valid(resp.Payload) {
			r.ResponsePayload = resp.Payload
		}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // the payloads stay as they are
	if err := enc.Encode(&r); err != nil {
		q.i.cfg.Log.Error("an invocation record has no encoding", "requestId", e.ID, "error", err)
	}
	return bytes.TrimSpace(b.Bytes())
}
