package placement

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/worker"
)

// Reasons of a TooManyRequestsException, as in
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
const (
	ReasonReserved = "ReservedFunctionConcurrentInvocationLimitExceeded"
	ReasonAccount  = "ConcurrentInvocationLimitExceeded"
)

// DefaultAccountLimit is how many calls of an account may run at once.
const DefaultAccountLimit = 1000

// Config is what placement is made of.
type Config struct {
	Node *worker.Worker
	// AccountLimit is how many calls of one account may run at once; zero means
	// DefaultAccountLimit.
	AccountLimit int
	// Reserved is the sum of the concurrency that the account's functions have
	// reserved; what is left is shared by the others. It is asked for every call
	// of a function without a reservation, so it must answer from memory. Nil
	// means none.
	Reserved func(account string) int
}

// Placement admits calls and finds them environments. Its methods are safe for
// concurrent use.
type Placement struct {
	cfg Config

	mu     sync.Mutex
	byFunc map[string]int // running calls, by function ARN
	shared map[string]int // running calls of functions without a reservation, by account
}

// New makes a Placement.
func New(cfg Config) *Placement {
	if cfg.AccountLimit == 0 {
		cfg.AccountLimit = DefaultAccountLimit
	}
	if cfg.Reserved == nil {
		cfg.Reserved = func(string) int { return 0 }
	}
	return &Placement{cfg: cfg, byFunc: map[string]int{}, shared: map[string]int{}}
}

// Acquire gives an environment of v for one call, or TooManyRequestsException
// with its Reason when the function's or the account's limit is reached.
// reserved is the function's reserved concurrency; -1 for none, 0 throttles all.
// It waits until ctx ends for an environment. Give it back with Release.
func (p *Placement) Acquire(ctx context.Context, v *worker.Version, reserved int) (*worker.Environment, error) {
	if err := p.enter(v, reserved); err != nil {
		return nil, err
	}
	e, err := p.cfg.Node.Acquire(ctx, v)
	if err != nil {
		p.leave(v, reserved)
		if errors.Is(err, worker.ErrNoRoom) {
			return nil, throttled(ReasonAccount)
		}
		return nil, err
	}
	return e, nil
}

// Release gives back what Acquire gave, with the same arguments.
func (p *Placement) Release(e *worker.Environment, v *worker.Version, reserved int) {
	e.Release()
	p.leave(v, reserved)
}

// Running is how many calls of a function run now.
func (p *Placement) Running(functionARN string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.byFunc[functionARN]
}

func (p *Placement) enter(v *worker.Version, reserved int) error {
	left := 0
	if reserved < 0 {
		left = p.cfg.AccountLimit - p.cfg.Reserved(v.Account)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case reserved >= 0 && p.byFunc[v.FunctionARN] >= reserved:
		return throttled(ReasonReserved)
	case reserved < 0 && p.shared[v.Account] >= left:
		return throttled(ReasonAccount)
	}
	p.byFunc[v.FunctionARN]++
	if reserved < 0 {
		p.shared[v.Account]++
	}
	return nil
}

func (p *Placement) leave(v *worker.Version, reserved int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	decrement(p.byFunc, v.FunctionARN)
	if reserved < 0 {
		decrement(p.shared, v.Account)
	}
}

func decrement(m map[string]int, key string) {
	if m[key]--; m[key] <= 0 {
		delete(m, key)
	}
}

func throttled(reason string) error {
	e := fault.New(http.StatusTooManyRequests, "TooManyRequestsException", "Rate Exceeded.").With("Reason", reason)
	e.Type, e.RetryAfter = "User", 1
	return e
}
