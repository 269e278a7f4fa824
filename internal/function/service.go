package function

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/blob"
	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/code"
	"github.com/mayfly-cloud/mayfly/internal/invoke"
	"github.com/mayfly-cloud/mayfly/internal/recall"
	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/worker"
)

// Runtimes knows what can run here.
type Runtimes interface {
	// Check returns nil for a runtime's identifier ("nodejs22.x") that can run,
	// else a *fault.Error: which ones there are, or what has to be installed.
	Check(runtime string) error
}

// Roles knows execution roles.
type Roles interface {
	// CheckRole returns nil for a role that the function with this ARN may run
	// under, else a *fault.Error. The role's ARN is well-formed.
	CheckRole(ctx context.Context, roleARN, functionARN string) error
}

// Objects reads code packages from buckets.
type Objects interface {
	// Open gives an object's bytes; version is empty for the current one. The
	// caller closes it. Its faults are answered to the caller.
	Open(ctx context.Context, bucket, key, version string) (io.ReadCloser, error)
}

// Invoker runs calls. It is handed to what makes calls, API and URLs, and not
// to New, because it resolves its targets here. See the invoke package for what
// each method does.
type Invoker interface {
	Invoke(ctx context.Context, r invoke.Request) (*invoke.Response, error)
	InvokeStream(ctx context.Context, r invoke.Request, s invoke.Stream) (*invoke.Response, error)
	InvokeAsync(ctx context.Context, r invoke.Request) error
}

// Authenticator tells who has signed a request.
type Authenticator interface {
	// Authenticate checks the signature over a request to a service and its body.
	// A refusal is an *auth.Refusal or a *fault.Error.
	Authenticate(r *http.Request, service string, body []byte) (auth.Principal, error)
}

// Permissions decides what callers may do.
type Permissions interface {
	// May returns nil if p may do all of needs. A refusal is a *fault.Error with the
	// code AccessDeniedException, or an *auth.Refusal; any other error is a fault of
	// ours.
	May(ctx context.Context, p auth.Principal, needs ...access.Need) error
}

// Provisioner keeps environments initialised ahead of calls.
type Provisioner interface {
	// Prime makes ready for a first call of what was just deployed. It is a hint,
	// and returns at once.
	Prime(v *worker.Version) error
	// Retire ends the environments of a deleted function once they are idle.
	Retire(functionARN string)
	// Provision keeps n environments of a version, 0 for none any longer. It
	// returns before they have started.
	Provision(v *worker.Version, n int) error
	// Provisioned tells how far the version with this key has come.
	Provisioned(key string) worker.ProvisionStatus
}

// Config is what a Service is built from. Fields without a word on what their
// zero value means must be set.
type Config struct {
	Store    store.Store
	Blobs    blob.Store
	Runtimes Runtimes
	// Provisioner may be nil: provisioned concurrency is then refused.
	Provisioner Provisioner
	// Roles may be nil: any well-formed ARN of a role is then taken.
	Roles Roles
	// Objects may be nil: code from S3 is then refused.
	Objects Objects
	// Limits of one package; the zero value is code.Default.
	Limits code.Limits
	// Account and Region are those of every function.
	Account, Region string
	// Endpoint is how callers reach this node ("http://localhost:4566"): the
	// links to code begin with it.
	Endpoint string
	// Domain is what the hosts of function URLs end in; empty is "localhost".
	Domain string
	// Concurrency is the account's limit of concurrent executions; 0 is 1000.
	Concurrency int
	// Clock may be nil, for the machine's.
	Clock clock.Clock
	Log   *slog.Logger
}

// Service is the API and the state behind it. Its methods are safe for
// concurrent use.
type Service struct {
	cfg    Config
	usage  usage
	held   held
	secret atomic.Pointer[[]byte] // of links

	// What is remembered of the store, each until the next generation.
	generation   recall.Generation
	targets      recall.Cache[Name, *target]  // by function and qualifier as callers spell them
	reservations recall.Cache[string, int]    // by account
	sites        recall.Cache[string, *URL]   // by the id in a URL's host
	policies     recall.Cache[string, []byte] // documents, by the ARN of what they protect
	tags         recall.Cache[string, map[string]string]
}

// New makes a service over what the store holds. It reads nothing yet.
func New(c Config) *Service {
	if c.Limits == (code.Limits{}) {
		c.Limits = code.Default
	}
	if c.Domain == "" {
		c.Domain = "localhost"
	}
	if c.Concurrency == 0 {
		c.Concurrency = 1000
	}
	if c.Clock == nil {
		c.Clock = clock.System
	}
	return &Service{cfg: c}
}

// sweepEvery is how often unused packages are looked for.
const sweepEvery = 10 * time.Minute

// Run does what has to be done beside the API until ctx ends: it keeps
// provisioned environments as configured, forgets cached targets when another
// node changed their function, and sweeps unused packages.
func (s *Service) Run(ctx context.Context) error {
	changed, stop := s.cfg.Store.Watch(store.Key(room))
	defer stop()
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	s.provision(ctx)
	for {
		if err := s.Sweep(ctx); err != nil {
			s.report(ctx, "sweep packages", err)
		}
	wait:
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-changed:
				s.generation.Forget()
			case <-tick.C:
				break wait
			}
		}
	}
}

// report logs what nobody is there to be told.
func (s *Service) report(ctx context.Context, what string, err error) {
	if ctx.Err() == nil && !errors.Is(err, store.ErrClosed) {
		s.cfg.Log.ErrorContext(ctx, what, "err", err)
	}
}

// change runs a transaction that changes what calls resolve to, and forgets
// what was cached before it is acknowledged.
func (s *Service) change(ctx context.Context, fn func(store.Tx) error) error {
	err := s.cfg.Store.Update(ctx, fn)
	s.generation.Forget() // on errors too: a commit may have happened all the same
	return err
}
