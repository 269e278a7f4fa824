package cloud

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/mayfly-cloud/mayfly/internal/arn"
	"github.com/mayfly-cloud/mayfly/internal/bill"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/invoke"
	"github.com/mayfly-cloud/mayfly/internal/logs"
	"github.com/mayfly-cloud/mayfly/internal/runtime"
	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/worker"
)

// The rooms know each other by interfaces of their own; these are the joints.

// runtimesForWorker is runtime.Set as the worker sees it.
type runtimesForWorker struct{ *runtime.Set }

func (r runtimesForWorker) Lookup(name string) (worker.Runtime, error) {
	found, err := r.Set.Lookup(name)
	if err != nil {
		return nil, err
	}
	return runtimeForWorker{found}, nil
}

type runtimeForWorker struct{ runtime.Runtime }

func (r runtimeForWorker) Boot(memoryMiB int) worker.Boot {
	return worker.Boot(r.Runtime.Boot(memoryMiB))
}

// runtimesForFunction is runtime.Set as the function service sees it.
type runtimesForFunction struct{ *runtime.Set }

func (r runtimesForFunction) Check(name string) error {
	_, err := r.Set.Lookup(name)
	var missing *runtime.MissingError
	var unknown *runtime.UnknownError
	switch {
	case errors.As(err, &missing), errors.As(err, &unknown):
		return fault.New(http.StatusBadRequest, "InvalidParameterValueException", "%w", err)
	case err != nil:
		return fmt.Errorf("look up runtime: %w", err)
	}
	return nil
}

// logSink is the log service as the worker sees it.
type logSink struct{ *logs.Service }

func (l logSink) Append(group, stream string, events []worker.LogEvent) {
	out := make([]logs.Event, len(events))
	for i, e := range events {
		out[i] = logs.Event(e)
	}
	l.Service.Append(group, stream, out)
}

// meter is the bill as invoke sees it.
type meter struct{ *bill.Meter }

func (m meter) Record(u invoke.Usage) { m.Meter.Record(usage(u)) }

func (m meter) RecordTx(tx store.Tx, u invoke.Usage) error { return m.Meter.RecordTx(tx, usage(u)) }

func usage(u invoke.Usage) bill.Usage {
	return bill.Usage{
		RequestID: u.RequestID, Attempt: u.Attempt,
		Account: u.Account, FunctionARN: u.FunctionARN, Version: u.Version, Architecture: u.Architecture,
		At: u.At, Billed: u.Billed, MemoryMiB: u.MemoryMiB, TmpMiB: u.TmpMiB,
		Cold: u.Start != worker.Warm && u.Start != worker.Provisioned, Failed: u.Status != "success",
	}
}

// destinations delivers what asynchronous calls leave behind, as far as the function
// that left it may: it is its role that invokes what it names.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
type destinations struct{ node *Node }

func (d destinations) Deliver(ctx context.Context, from invoke.Sender, to string, body []byte, attributes map[string]string) error {
	name, err := arn.Parse(to)
	if err != nil {
		return err
	}
	switch name.Service {
	case "lambda":
		if err := d.node.mayInvoke(ctx, from, to); err != nil {
			return err
		}
		return d.node.invoker.InvokeAsync(ctx, invoke.Request{ID: id.UUID(), Function: to, Payload: body})
	case "sqs":
		if err := d.node.maySend(ctx, from, "sqs:SendMessage", to); err != nil {
			return err
		}
		return d.node.sendTo(ctx, to, body, attributes)
	}
	return fmt.Errorf("deliver to %s: this node does not serve %s", to, name.Service)
}
