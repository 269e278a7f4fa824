package queue

import (
	"context"
	"log/slog"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/arn"
	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/message"
	"github.com/mayfly-cloud/mayfly/internal/recall"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Policies knows what a policy is.
type Policies interface {
	// Check says what is wrong with a policy that is to stand at the resource, nil
	// for nothing. The text of its error is for whoever wrote the policy.
	Check(document []byte, resourceARN string) error
}

// Config is what a Service is built from. All but Clock and Log must be set.
type Config struct {
	Store    store.Store
	Messages *message.Engine
	Policies Policies
	// Endpoint begins the URLs of queues, "http://127.0.0.1:4566": where whoever asks
	// reaches the node. SDKs send to a URL's host, and a function's way to the node is
	// not the way of its caller.
	Endpoint func(ctx context.Context) string
	// Account and Region are those of every queue.
	Account, Region string
	Clock           clock.Clock  // default clock.System
	Log             *slog.Logger // default slog.Default()
}

// Service serves SQS. Its methods are safe for concurrent use.
type Service struct {
	cfg     Config
	changed <-chan struct{} // some queue was, perhaps by another node
	known   recall.Generation
	queues  recall.Cache[string, *Queue]
}

// New makes a Service. Messages are moved between queues while Run runs.
func New(cfg Config) *Service {
	if cfg.Clock == nil {
		cfg.Clock = clock.System
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	s := &Service{cfg: cfg}
	s.changed, _ = cfg.Store.Watch(store.Key(room, "queue")) // until the store is closed
	return s
}

func (s *Service) now() time.Time { return s.cfg.Clock.Now().UTC().Truncate(time.Millisecond) }

func (s *Service) arn(name string) string {
	return arn.New("sqs", s.cfg.Region, s.cfg.Account, name).String()
}

// URL gives the address of a queue, for whoever asks in ctx.
func (s *Service) URL(ctx context.Context, name string) string {
	return s.cfg.Endpoint(ctx) + "/" + s.cfg.Account + "/" + name
}

// ResourcePolicy gives the policy of the queue whose ARN it is, to whoever decides what
// callers may do; nil for none.
func (s *Service) ResourcePolicy(ctx context.Context, queueARN string) ([]byte, error) {
	q, err := s.ByARN(ctx, queueARN)
	if err == errNotFound || err == nil && q.Attributes[attrPolicy] == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []byte(q.Attributes[attrPolicy]), nil
}
