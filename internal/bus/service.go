package bus

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/arn"
	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Queue carries deliveries.
type Queue interface {
	// Enqueue keeps deliveries with the transaction: they are there if and only if it
	// commits. They are carried out afterwards, each by Service.Deliver.
	Enqueue(ctx context.Context, tx store.Tx, deliveries []Delivery) error
}

// Targets are what events are delivered to on this node.
type Targets interface {
	// Check says why nothing can be delivered to a resource, nil if something can. The
	// text of its error is for whoever sets the target.
	Check(resourceARN string) error
	// Deliver hands a payload to a function, queue, topic or log group and returns once
	// it is durable there. Errors are tried again, unless Permanent says otherwise.
	Deliver(ctx context.Context, c Call) error
	// DeadLetter puts a message into a queue.
	DeadLetter(ctx context.Context, queueARN string, body []byte, attributes map[string]string) error
}

// Call is a payload on its way to a target.
type Call struct {
	ARN     string
	Payload []byte
	RoleARN string // whose permissions count, "" for the target's own policy
	RuleARN string // aws:SourceArn
	// MessageGroupID is for a FIFO queue or topic.
	MessageGroupID string
	// EventID tells repeated attempts of a delivery from others.
	EventID string
	// Trace is the X-Ray header the event was put with.
	Trace string
}

// Doer sends HTTP requests to addresses that users choose; *http.Client is one.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// Vault seals what is stored under the node's key.
type Vault interface {
	// Seal encrypts plain; only Unseal with the same label opens it.
	Seal(label string, plain []byte) ([]byte, error)
	// Unseal decrypts what Seal made, and refuses what was changed.
	Unseal(label string, sealed []byte) ([]byte, error)
}

// Policies knows what a policy is.
type Policies interface {
	// Check says what is wrong with a policy that is to stand at the resource, nil
	// for nothing. The text of its error is for whoever wrote the policy.
	Check(document []byte, resourceARN string) error
}

// Config is what a Service is built from. All but Clock and Log must be set.
type Config struct {
	Store    store.Store
	Queue    Queue
	Targets  Targets
	HTTP     Doer
	Vault    Vault // seals the parameters of connections
	Policies Policies
	// Account and Region are those of every bus.
	Account, Region string
	Clock           clock.Clock  // default clock.System
	Log             *slog.Logger // default slog.Default()
}

// Service serves EventBridge. Its methods are safe for concurrent use.
type Service struct {
	cfg     Config
	changes sync.Mutex // held while a rule or archive changes, so that indexes follow in order
	indexes indexes
	tokens  tokens
	pace    pace
	wake    chan struct{} // a replay has begun
}

// New makes a Service. Replays go on, archives forget, and changes of other nodes are
// seen, while Run runs.
func New(cfg Config) *Service {
	if cfg.Clock == nil {
		cfg.Clock = clock.System
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Service{cfg: cfg, wake: make(chan struct{}, 1)}
}

// sweepEvery is how often archives are swept.
const sweepEvery = 10 * time.Minute

// Run replays, sweeps and follows other nodes' changes until ctx ends; then it returns nil.
func (s *Service) Run(ctx context.Context) error {
	changed, stop := s.cfg.Store.Watch(below("generation").Start)
	defer stop()
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	s.log(ctx, "sweep archives", s.Sweep(ctx))
	for {
		more, err := s.Replay(ctx)
		s.log(ctx, "replay events", err)
		var next <-chan struct{} // ready if there is more to replay
		if more && err == nil {
			next = ready
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
			s.log(ctx, "follow changes", s.refresh(ctx))
		case <-tick.C:
			s.log(ctx, "sweep archives", s.Sweep(ctx))
		case <-s.wake:
		case <-next:
		}
	}
}

// ready is a channel that can always be received from.
var ready = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

func (s *Service) log(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		s.cfg.Log.ErrorContext(ctx, what, "error", err)
	}
}

func (s *Service) now() time.Time { return s.cfg.Clock.Now().UTC().Truncate(time.Millisecond) }

func (s *Service) arn(resource string) string {
	return arn.New("events", s.cfg.Region, s.cfg.Account, resource).String()
}
