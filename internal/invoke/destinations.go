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
	// arn. A dead letter has attributes (RequestID, ErrorCode, ErrorMessage), a
	// record none. It may be called again with the same body after a crash. What
	// it refuses is tried again for about an hour, and then kept as undelivered.
	Deliver(ctx context.Context, arn string, body []byte, attributes map[string]string) error
}

// discard ends an event that failed for good: its payload goes to the
// dead-letter target, the record of the failure to the destination.
func (q *queue) discard(tx store.Tx, e *event, payload []byte, t *Target, resp *Response, condition string) error {
	if err := q.forget(tx, e.ID); err != nil {
		return err
	}
	if t.Async.DeadLetter != "" {
		d := delivery{Target: t.Async.DeadLetter, Body: payload, Attributes: deadLetter(e, resp, condition)}
		if err := q.send(tx, 0, d, e.ID); err != nil {
			return err
		}
	}
	if t.Async.OnFailure != "" {
		return q.send(tx, 1, delivery{Target: t.Async.OnFailure, Body: q.invocation(e, payload, t, resp, condition)}, e.ID)
	}
	return nil
}

// deadLetter gives the attributes of a dead letter. Source:
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
func deadLetter(e *event, resp *Response, condition string) map[string]string {
	code, message := "429", condition
	if resp != nil {
		var body struct {
			Message string `json:"errorMessage"`
		}
		code, message = "200", ""
		if json.Unmarshal(resp.Payload, &body) == nil {
			message = body.Message
		}
	}
	return map[string]string{"RequestID": e.ID, "ErrorCode": code, "ErrorMessage": message[:min(len(message), 1024)]}
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
func (q *queue) invocation(e *event, payload []byte, t *Target, resp *Response, condition string) []byte {
	r := invocationRecord{Version: "1.0", Timestamp: q.clock.Now().UTC().Format(worker.LogTime), RequestPayload: payload}
	r.RequestContext.RequestID = e.ID
	r.RequestContext.FunctionARN = t.Version.FunctionARN + ":" + t.Version.Number
	r.RequestContext.Condition = condition
	r.RequestContext.InvokeCount = e.Runs
	if resp != nil {
		r.ResponseContext = &responseContext{StatusCode: 200, ExecutedVersion: resp.Version, FunctionError: resp.FunctionError}
		if len(resp.Payload) <= max(maxRecordAnswer, MaxEventPayload-len(payload)) && json.Valid(resp.Payload) {
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
