package invoke

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// event is an asynchronous call that waits for its turn or its retry.
type event struct {
	ID, Function, Qualifier string
	TraceHeader             string
	ClientContext           string
	Accepted                time.Time
	// Runs counts executions, Failures those that ended in a function error.
	Runs, Failures int
	// Refusals counts attempts in a row that did not run: throttled, or no
	// environment could be made.
	Refusals int
}

// InvokeAsync accepts an event for a function. When it returns nil the event is
// durable: it will run at least once, or go to the function's dead-letter queue
// or destination, whatever happens to this node.
func (i *Invoker) InvokeAsync(ctx context.Context, req Request) error {
	if i.queue == nil {
		return fmt.Errorf("invoke %s: this node takes no asynchronous calls", req.Function)
	}
	if n := len(req.Payload); n > MaxEventPayload {
		return fault.New(http.StatusRequestEntityTooLarge, "RequestTooLargeException",
			"%d byte payload is too large for the Event invocation type (limit %d bytes)", n, MaxEventPayload)
	}
	if err := checkJSON(req.Payload); err != nil {
		return err
	}
	t, err := i.cfg.Functions.Resolve(ctx, req.Function, req.Qualifier)
	if err != nil {
		return err
	}
	if len(req.ID) != requestIDLen {
		req.ID = id.UUID()
	}
	return i.queue.accept(ctx, event{
		ID: req.ID, Function: req.Function, Qualifier: req.Qualifier, TraceHeader: i.traceOf(ctx, &req, &t),
		ClientContext: req.ClientContext, Accepted: i.cfg.Clock.Now(),
	}, payload(req.Payload))
}

// accept writes an event, and claims it at once when this node has room for it.
func (q *queue) accept(ctx context.Context, e event, payload []byte) error {
	local := q.reserve(e.ID, e.Function)
	b, err := record.Marshal(&e)
	if err != nil {
		return err
	}
	err = q.claiming(ctx, func(tx store.Tx) error {
		if err := tx.Set(payloadKey(e.ID), payload); err != nil {
			return err
		}
		if err := tx.Set(eventKey(e.ID), b); err != nil {
			return err
		}
		if local {
			return q.claim(tx, e.ID, e.Function)
		}
		return tx.Set(dueKey(e.Accepted, e.ID), []byte(e.Function))
	})
	if err != nil {
		if local {
			q.unreserve(e.ID, e.Function)
		}
		return fmt.Errorf("keep event: %w", err)
	}
	if local {
		q.work(e, payload)
	}
	return nil
}

// load reads an event and its payload.
func load(r store.Reader, id string) (e event, payload []byte, err error) {
	b, err := r.Get(eventKey(id))
	if err != nil {
		return e, nil, err
	}
	if err := record.Unmarshal(b, &e); err != nil {
		return e, nil, err
	}
	p, err := r.Get(payloadKey(id))
	return e, append([]byte(nil), p...), err
}

// forget deletes an event that is done.
func (q *queue) forget(tx store.Tx, id string) error {
	for _, key := range [][]byte{eventKey(id), payloadKey(id), claimedKey(q.incarnation, id)} {
		if err := tx.Delete(key); err != nil {
			return err
		}
	}
	return nil
}

// postpone makes an event due again at a later time.
func (q *queue) postpone(tx store.Tx, e *event, at time.Time) error {
	b, err := record.Marshal(e)
	if err != nil {
		return err
	}
	if err := tx.Set(eventKey(e.ID), b); err != nil {
		return err
	}
	if err := tx.Delete(claimedKey(q.incarnation, e.ID)); err != nil {
		return err
	}
	return tx.Set(dueKey(at, e.ID), []byte(e.Function))
}
