package invoke

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/placement"
	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/trace"
	"github.com/mayfly-cloud/mayfly/internal/worker"
	"go.opentelemetry.io/otel/attribute"
)

// Payload limits in bytes, as in
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	MaxPayload      = 6 << 20 // synchronous
	MaxEventPayload = 1 << 20 // asynchronous
)

// Functions finds what a call means.
type Functions interface {
	// Resolve gives the target of a function's name, partial ARN or ARN and a
	// qualifier, or the *fault.Error the caller gets. It is on the path of every
	// call, so it answers from memory when it can.
	Resolve(ctx context.Context, function, qualifier string) (Target, error)
}

// Meter counts what is billed.
type Meter interface {
	// Record counts a synchronous call. It returns at once; the record is
	// durable a little later.
	Record(Usage)
	// RecordTx counts a call in the transaction that completes it.
	RecordTx(tx store.Tx, u Usage) error
}

// Usage is one metered execution.
type Usage struct {
	RequestID, Account, Region, FunctionARN, Version, Architecture string
	MemoryMiB, TmpMiB                                              int
	// Billed is whole milliseconds; Duration and Init are what it is made of.
	Billed, Duration, Init time.Duration
	At                     time.Time // when the execution ended
	Start                  StartKind
	Status                 string
	// Attempt of an asynchronous event, from 1; 0 for a synchronous call.
	Attempt int
}

// Config is what an Invoker is made of. Functions, Placement and Meter are
// required, Store and Destinations for asynchronous calls.
type Config struct {
	Functions    Functions
	Placement    *placement.Placement
	Meter        Meter
	Store        store.Store
	Destinations Destinations
	// Workers bounds how many asynchronous events run at once; default 200. One
	// function gets a quarter of them at most.
	Workers int
	// Node names this node in the store, the same after a restart; default
	// "local".
	Node string
	// Look is how long asynchronous events go without a look at the clock, which
	// may jump; default 10 s.
	Look time.Duration
	// Drain is what running events get to finish when the node stops; default
	// 5 s.
	Drain time.Duration
	Clock clock.Clock  // default clock.System
	Log   *slog.Logger // default slog.Default()
}

// Invoker runs calls. Its methods are safe for concurrent use.
type Invoker struct {
	cfg     Config
	queue   *queue // nil without a store
	sampler sampler
}

// New makes an Invoker. Asynchronous events are worked on while Run runs.
func New(cfg Config) (*Invoker, error) {
	if cfg.Functions == nil || cfg.Placement == nil || cfg.Meter == nil {
		return nil, errors.New("new invoker: Functions, Placement and Meter are required")
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.System
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Workers == 0 {
		cfg.Workers = 200
	}
	if cfg.Look == 0 {
		cfg.Look = 10 * time.Second
	}
	if cfg.Drain == 0 {
		cfg.Drain = 5 * time.Second
	}
	if cfg.Node == "" {
		cfg.Node = "local"
	}
	i := &Invoker{cfg: cfg}
	if cfg.Store != nil {
		i.queue = newQueue(i)
	}
	return i, nil
}

// Invoke runs a function and waits for its answer. A function's own failure is
// a Response with FunctionError; an error means that it did not run: the
// *fault.Error is the caller's.
func (i *Invoker) Invoke(ctx context.Context, req Request) (*Response, error) {
	return i.invoke(ctx, &req, nil)
}

// InvokeStream is Invoke with the answer passed on as it comes. The Response
// then has no payload, unless the function failed: before its first byte or
// midway, which the caller tells by whether Begin was called.
func (i *Invoker) InvokeStream(ctx context.Context, req Request, s Stream) (*Response, error) {
	return i.invoke(ctx, &req, s)
}

func (i *Invoker) invoke(ctx context.Context, req *Request, s Stream) (*Response, error) {
	if err := checkPayload(req.Payload); err != nil {
		return nil, err
	}
	if len(req.ID) != requestIDLen {
		req.ID = id.UUID()
	}
	t, err := i.cfg.Functions.Resolve(ctx, req.Function, req.Qualifier)
	if err != nil {
		return nil, err
	}
	resp, err := i.run(ctx, req, &t, s)
	if err != nil {
		return nil, err
	}
	i.cfg.Meter.Record(usage(&t, &resp.Report, i.cfg.Clock.Now()))
	return resp, nil
}

const requestIDLen = 36

func checkPayload(p []byte) error {
	if len(p) > MaxPayload {
		return fault.New(http.StatusRequestEntityTooLarge, "RequestTooLargeException",
			"Request must be smaller than %d bytes for the InvokeFunction operation", MaxPayload)
	}
	return checkJSON(p)
}

func checkJSON(p []byte) error {
	if len(p) == 0 || json.Valid(p) {
		return nil
	}
	var v json.RawMessage
	return fault.New(http.StatusBadRequest, "InvalidRequestContentException",
		"Could not parse request body into json: %v", json.Unmarshal(p, &v))
}

// run finds an environment, runs one call in it and writes its log. It does not
// meter.
func (i *Invoker) run(ctx context.Context, req *Request, t *Target, s Stream) (*Response, error) {
	v := &t.Version
	asked := time.Now()
	env, err := i.cfg.Placement.Acquire(ctx, v, t.Reserved)
	if err != nil {
		return nil, fmt.Errorf("place a call of %s: %w", v.Name, err)
	}
	placed := time.Now()
	phases := env.Phases()
	resp := &Response{Version: v.Number, Report: Report{
		RequestID:   req.ID,
		Start:       env.Kind(),
		Queue:       max(0, placed.Sub(asked)-phases.Total()),
		Download:    phases.Download,
		Sandbox:     phases.Sandbox,
		RuntimeInit: phases.RuntimeInit,
		UserInit:    phases.UserInit,
		MemoryMiB:   v.MemoryMiB,
	}}
	header := i.traceOf(ctx, req, t)
	l := &callLog{report: &resp.Report, target: t, env: env, traceID: header}
	var tail func() []byte
	if req.Tail {
		tail = env.Tail()
	}
	l.start(placed)
	if req.cut {
		defer context.AfterFunc(ctx, env.Kill)()
	}
	out := env.Call(&worker.Call{
		ID: req.ID, InvokedARN: t.InvokedARN, Payload: payload(req.Payload), TraceID: header,
		ClientContext: req.ClientContext, Identity: req.Identity, Stream: s,
	})
	if out.Aborted {
		i.cfg.Placement.Release(env, v, t.Reserved)
		return nil, fmt.Errorf("call %s: %w", v.Name, worker.ErrClosed)
	}
	resp.settle(&out, env)
	l.end(out.Began.Add(out.Duration), tail != nil)
	if tail != nil {
		resp.LogTail = tail()
	}
	i.cfg.Placement.Release(env, v, t.Reserved)
	spans(ctx, &resp.Report, asked, phases.Began, out.Began)
	return resp, nil
}

// payload is what the handler gets: AWS gives it {} when the call had nothing.
func payload(p []byte) []byte {
	if len(p) == 0 {
		return []byte("{}")
	}
	return p
}

func (r *Response) settle(out *worker.Outcome, env *worker.Environment) {
	r.Payload = out.Payload
	rep := &r.Report
	rep.Status, rep.ErrorType = out.Status, out.ErrorType
	if out.Status != "success" {
		r.FunctionError = "Unhandled"
	}
	rep.Duration = out.Duration
	rep.BilledDuration = billed(out.Duration + rep.RuntimeInit + rep.UserInit)
	rep.MaxMemoryBytes = env.MemoryPeak()
}

// billed rounds up to a whole millisecond. The init phase counts since August
// 2025: https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/
func billed(d time.Duration) time.Duration {
	return (d + time.Millisecond - 1).Truncate(time.Millisecond)
}

func usage(t *Target, r *Report, at time.Time) Usage {
	v := &t.Version
	return Usage{
		RequestID: r.RequestID, Account: v.Account, Region: v.Region, FunctionARN: v.FunctionARN,
		Version: v.Number, Architecture: v.Architecture, MemoryMiB: v.MemoryMiB, TmpMiB: v.TmpMiB,
		Billed: r.BilledDuration, Duration: r.Duration, Init: r.RuntimeInit + r.UserInit,
		At: at, Start: r.Start, Status: r.Status,
	}
}

// spans adds the call's phases to its trace.
func spans(ctx context.Context, r *Report, asked, began, called time.Time) {
	trace.Record(ctx, "placement", asked, called, attribute.String("mayfly.start", string(r.Start)))
	at := began
	for _, p := range []struct {
		name string
		took time.Duration
	}{{"download", r.Download}, {"sandbox", r.Sandbox}, {"runtime init", r.RuntimeInit}, {"user init", r.UserInit}} {
		if p.took > 0 {
			trace.Record(ctx, p.name, at, at.Add(p.took))
			at = at.Add(p.took)
		}
	}
	trace.Record(ctx, "execution", called, called.Add(r.Duration), attribute.String("mayfly.status", r.Status))
}
