package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/sandbox"
)

// ErrClosed is what a worker returns once it is closing.
var ErrClosed = errors.New("worker is closing")

// ErrNoRoom is what Acquire returns when the node's memory stayed full for as
// long as a call may wait.
var ErrNoRoom = errors.New("no memory left on this node for another environment")

// Config is what a worker is made of. Driver, Runtimes, Code, Credentials and
// Logs are required; zero elsewhere means the default named.
type Config struct {
	Driver      sandbox.Driver
	Runtimes    Runtimes
	Code        Code
	Credentials Credentials
	Logs        Logs
	// Endpoint is AWS_ENDPOINT_URL as functions see it; empty sets none.
	Endpoint string
	// Agent is the host path of the program that serves the Runtime API inside
	// a sandbox. Without it, runtimes and layers that need it can't start.
	Agent string
	// Ports are the node's where the driver gives sandboxes no network: they are
	// led to it by the agent. Zero where they have one.
	Ports Ports
	// MemoryMiB bounds what all environments and pool members of the node take,
	// as measured; default 16 GiB.
	MemoryMiB int
	// Starts bounds how many sandboxes boot at once; default: cores + 1.
	Starts int
	// MinCPUs is the CPU that an environment may have, whatever its memory size, as
	// long as nobody else wants it; default 0.5. What it is owed is one CPU for
	// every 1769 MiB.
	MinCPUs float64
	// FreezeAfter is how long an environment idles before it is frozen; default
	// 250 ms: stopping and continuing a guest costs milliseconds, which calls that
	// follow each other closely should not pay. IdleTimeout is how long before it is removed; default 5 min.
	FreezeAfter, IdleTimeout time.Duration
	// InitTimeout bounds the init phase of an on-demand start; default 10 s, as
	// in AWS.
	InitTimeout time.Duration
	Pool        PoolConfig
	Clock       clock.Clock  // default clock.System
	Log         *slog.Logger // default slog.Default()
}

// Ports are ports of the node as unix sockets, for package agent/forward.
type Ports struct {
	// Dir is the folder of the sockets, each named for its port.
	Dir string
	// Open are the ports that sandboxes have at their own 127.0.0.1.
	Open []uint16
}

// Worker runs one node's environments. Its methods are safe for concurrent use.
type Worker struct {
	cfg  Config
	gate *gate
	pool *pool
	ship *shipper
	room *room

	// mu guards sets, current, provisions and every set's and environment's
	// place among them. It is held for a few instructions, never over a system
	// call; the pool's lock may be taken under it.
	mu      sync.Mutex
	sets    map[string]*set
	current map[string]string // function ARN and version number to Key

	life context.Context // ends when the worker closes
	stop context.CancelFunc
	wg   sync.WaitGroup // every goroutine but the shipper's
}

// New makes a worker. Nothing is started before the first Acquire, Prime or
// Provision. Close it.
func New(cfg Config) (*Worker, error) {
	if cfg.Driver == nil || cfg.Runtimes == nil || cfg.Code == nil || cfg.Credentials == nil || cfg.Logs == nil {
		return nil, fmt.Errorf("new worker: Driver, Runtimes, Code, Credentials and Logs are required")
	}
	if len(cfg.Ports.Open) > 0 && cfg.Agent == "" {
		return nil, fmt.Errorf("new worker: Ports need the agent")
	}
	cfg = withDefaults(cfg)
	w := &Worker{
		cfg:     cfg,
		gate:    newGate(cfg.Starts),
		sets:    map[string]*set{},
		current: map[string]string{},
		ship:    newShipper(cfg.Logs),
	}
	w.life, w.stop = context.WithCancel(context.Background())
	w.room = newRoom(int64(cfg.MemoryMiB)<<20, w.evict)
	w.pool = newPool(w)
	w.spawn(w.reap)
	return w, nil
}

func withDefaults(cfg Config) Config {
	setDefault(&cfg.MemoryMiB, 16<<10)
	setDefault(&cfg.Starts, runtime.NumCPU()+1)
	setDefault(&cfg.MinCPUs, 0.5)
	setDefault(&cfg.FreezeAfter, 250*time.Millisecond)
	setDefault(&cfg.IdleTimeout, 5*time.Minute)
	setDefault(&cfg.InitTimeout, 10*time.Second)
	setDefault(&cfg.Clock, clock.System)
	setDefault(&cfg.Log, slog.Default())
	cfg.Pool = cfg.Pool.withDefaults()
	return cfg
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Info describes the isolation driver in use.
func (w *Worker) Info() sandbox.Info { return w.cfg.Driver.Info() }

// Stats counts a node's environments.
type Stats struct{ Idle, Busy, Starting, Waiting int }

// Stats counts the environments that are idle, that run a call, and that are
// being started, and the calls that wait for one.
func (w *Worker) Stats() Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	var st Stats
	for _, s := range w.sets {
		st.Idle += len(s.idle)
		st.Busy += len(s.all) - len(s.idle)
		st.Starting += s.starting + s.holding
		st.Waiting += len(s.waiters)
	}
	return st
}

// Close refuses new work, lets environments with extensions say goodbye for up
// to two seconds, ends every sandbox the worker started, ships the last log
// lines and waits for its goroutines. The driver is the caller's to close.
func (w *Worker) Close() error {
	w.mu.Lock()
	w.stop()
	for _, s := range w.sets {
		for _, wt := range s.waiters {
			wt.grant <- grant{err: ErrClosed}
		}
		s.waiters = nil
		for e := range s.all {
			w.drop(e)
		}
	}
	w.pool.close()
	w.mu.Unlock()
	w.wg.Wait()
	w.ship.close()
	return nil
}

// spawn runs f in a goroutine that Close waits for. It is called from such a
// goroutine, or under mu while the worker is open.
func (w *Worker) spawn(f func()) { w.wg.Go(f) }

// spawnIfOpen is spawn for everyone else; false means that the worker closes.
func (w *Worker) spawnIfOpen(f func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.life.Err() != nil {
		return false
	}
	w.spawn(f)
	return true
}

// sleep waits for d; false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
