package invoke

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/retry"
	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/worker"
)

// failureWaits are the waits before the first and the second retry after a
// function error, and refusals those of events that could not run. Source:
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
var (
	failureWaits = []time.Duration{time.Minute, 2 * time.Minute}
	refusals     = retry.Policy{Base: time.Second, Max: 5 * time.Minute}
)

// settleTime bounds the transaction that settles an attempt.
const settleTime = 30 * time.Second

// Conditions of an invocation record.
const (
	conditionSuccess   = "Success"
	conditionExhausted = "RetriesExhausted"
	conditionTooOld    = "EventAgeExceeded"
	conditionThrottled = "ZeroReservedConcurrency"
)

// attempt runs an event once and settles it: done, to be retried, or given up.
func (q *queue) attempt(ctx context.Context, e event, payload []byte) {
	t, err := q.i.cfg.Functions.Resolve(ctx, e.Function, e.Qualifier)
	now := q.clock.Now()
	switch {
	case fault.Is(err, "ResourceNotFoundException"):
		q.i.cfg.Log.Warn("an event was discarded: its function is gone", "function", e.Function, "requestId", e.ID)
		q.settle(&e, func(tx store.Tx) error { return q.forget(tx, e.ID) })
	case err != nil:
		q.refused(&e, payload, &t, err)
	case now.Sub(e.Accepted) > maxAge(&t):
		q.giveUp(&finish{&e, payload, &t, nil, conditionTooOld})
	case t.Reserved == 0:
		q.giveUp(&finish{&e, payload, &t, nil, conditionThrottled})
	default:
		q.execute(ctx, &e, payload, &t)
	}
}

func (q *queue) execute(ctx context.Context, e *event, payload []byte, t *Target) {
	resp, err := q.i.run(ctx, &Request{
		ID: e.ID, Function: e.Function, Qualifier: e.Qualifier, Payload: payload,
		ClientContext: e.ClientContext, TraceHeader: e.TraceHeader, cut: true,
	}, t, nil)
	switch {
	case errors.Is(err, worker.ErrClosed), ctx.Err() != nil && (err != nil || resp.FunctionError != ""):
		return // cut short by the node's end: the claim stays, and is taken over
	case err != nil:
		q.refused(e, payload, t, err)
		return
	}
	e.Runs++
	e.Refusals = 0
	u := usage(t, &resp.Report, q.clock.Now())
	u.Attempt = e.Runs
	switch {
	case resp.FunctionError == "":
		q.succeed(&finish{e, payload, t, resp, conditionSuccess}, u)
	case e.Failures >= min(t.Async.MaxRetries, len(failureWaits)):
		q.fail(&finish{e, payload, t, resp, conditionExhausted}, u)
	default:
		at := q.clock.Now().Add(failureWaits[e.Failures])
		e.Failures++
		q.settle(e, func(tx store.Tx) error {
			return errors.Join(q.i.cfg.Meter.RecordTx(tx, u), q.postpone(tx, e, at))
		})
	}
}

func (q *queue) succeed(f *finish, u Usage) {
	e, to := f.event, f.target.Async.OnSuccess
	q.settle(e, func(tx store.Tx) error {
		if err := errors.Join(q.i.cfg.Meter.RecordTx(tx, u), q.forget(tx, e.ID)); err != nil || to == "" {
			return err
		}
		return q.send(tx, 0, delivery{From: sender(f.target), Target: to, Body: q.invocation(f)}, e.ID)
	})
}

func (q *queue) fail(f *finish, u Usage) {
	q.settle(f.event, func(tx store.Tx) error {
		return errors.Join(q.i.cfg.Meter.RecordTx(tx, u), q.discard(tx, f))
	})
}

// giveUp ends an event that did not run any more.
func (q *queue) giveUp(f *finish) {
	q.settle(f.event, func(tx store.Tx) error { return q.discard(tx, f) })
}

// refused postpones an event that could not run, unless it would be too old.
func (q *queue) refused(e *event, payload []byte, t *Target, cause error) {
	e.Refusals++
	wait := refusals.Wait(e.Refusals)
	wait = wait/2 + rand.N(wait/2) // so that those refused together don't return together
	at := q.clock.Now().Add(wait)
	if at.Sub(e.Accepted) > maxAge(t) {
		q.giveUp(&finish{e, payload, t, nil, conditionTooOld})
		return
	}
	if !fault.Is(cause, "TooManyRequestsException") {
		q.i.cfg.Log.Warn("an event could not run and waits", "function", e.Function, "requestId", e.ID, "refusals", e.Refusals, "error", cause)
	}
	q.settle(e, func(tx store.Tx) error { return q.postpone(tx, e, at) })
}

// settle ends an attempt in one transaction, if the event is still this node's.
// When the store fails, the event stays claimed, and runs again some day.
func (q *queue) settle(e *event, fn func(store.Tx) error) {
	ctx, cancel := context.WithTimeout(context.Background(), settleTime)
	defer cancel()
	err := q.store.Update(ctx, func(tx store.Tx) error {
		if err := q.held(tx, e.ID); err != nil {
			return err
		}
		return fn(tx)
	})
	if err != nil {
		q.i.cfg.Log.Warn("an event's attempt could not be settled", "function", e.Function, "requestId", e.ID, "error", err)
	}
}

func maxAge(t *Target) time.Duration {
	if t.Async.MaxAge == 0 {
		return 6 * time.Hour
	}
	return t.Async.MaxAge
}
