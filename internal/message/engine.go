package message

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Config is what an Engine is built from. Store must be set.
type Config struct {
	Store store.Store
	Clock clock.Clock  // default clock.System
	Log   *slog.Logger // default slog.Default()
	// Look is how long a receiver waits at most before it looks again, whatever it was
	// told: a word of another node may have been lost. Default 5 s.
	Look time.Duration
}

// Engine sends and receives messages. Its methods are safe for concurrent use. There
// may be one in each of many processes on one store.
type Engine struct {
	store    store.Store
	log      *slog.Logger
	look     time.Duration
	time     *timeline
	combiner combiner

	decoded      sync.Map // QueueID -> *decoded
	decodedCount atomic.Int64

	mu      sync.Mutex
	lines   map[QueueID]*line
	counts  map[QueueID]*census
	flights map[QueueID]*census // of which only those in flight were counted
}

// Open makes an Engine. What is to be forgotten is while Run runs; everything else
// works without.
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	if cfg.Clock == nil {
		cfg.Clock = clock.System
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Look == 0 {
		cfg.Look = 5 * time.Second
	}
	e := &Engine{store: cfg.Store, log: cfg.Log, look: cfg.Look, lines: map[QueueID]*line{}, counts: map[QueueID]*census{}, flights: map[QueueID]*census{}}
	e.combiner.run = e.runJobs
	err := cfg.Store.View(ctx, func(r store.Reader) (err error) {
		e.time, err = newTimeline(r, cfg.Clock)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open the message engine: %w", err)
	}
	return e, nil
}

// Now is the engine's time, which no setting of a clock moves.
func (e *Engine) Now() time.Time { return time.Unix(0, e.time.now()).UTC() }

// maxLines is how many lines are kept that nobody uses: they cost some kilobytes.
const maxLines = 1024

// enter gives the line of a queue to a receiver, which leaves it when it is done.
func (e *Engine) enter(q QueueID) *line {
	e.mu.Lock()
	defer e.mu.Unlock()
	ln := e.lines[q]
	if ln == nil {
		if len(e.lines) >= maxLines {
			e.trim()
		}
		ln = newLine(e, q)
		e.lines[q] = ln
	}
	ln.users++
	return ln
}

func (e *Engine) leave(ln *line) {
	e.mu.Lock()
	defer e.mu.Unlock()
	ln.users--
}

// trim drops some line that nobody uses, and with it what it knows, which scans find
// again. It needs mu.
func (e *Engine) trim() {
	for q, ln := range e.lines {
		if ln.users == 0 {
			delete(e.lines, q)
			return
		}
	}
}

// tell has the lines on this node know of what a transaction has changed.
func (e *Engine) tell(tx *Tx) {
	if tx == nil {
		return
	}
	for i := 0; i < len(tx.changed); {
		q, n := tx.changed[i].q, i+1
		for n < len(tx.changed) && tx.changed[n].q == q {
			n++
		}
		e.mu.Lock()
		ln := e.lines[q]
		e.mu.Unlock()
		if ln != nil {
			ln.hear(tx.changed[i:n])
		}
		i = n
	}
}
