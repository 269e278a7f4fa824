package cloud

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/audit"
	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/bill"
	blobfile "github.com/mayfly-cloud/mayfly/internal/blob/file"
	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/function"
	"github.com/mayfly-cloud/mayfly/internal/gateway"
	"github.com/mayfly-cloud/mayfly/internal/iam"
	"github.com/mayfly-cloud/mayfly/internal/iam/sts"
	"github.com/mayfly-cloud/mayfly/internal/invoke"
	"github.com/mayfly-cloud/mayfly/internal/key"
	"github.com/mayfly-cloud/mayfly/internal/logs"
	"github.com/mayfly-cloud/mayfly/internal/parameter"
	"github.com/mayfly-cloud/mayfly/internal/placement"
	"github.com/mayfly-cloud/mayfly/internal/queue"
	"github.com/mayfly-cloud/mayfly/internal/runtime"
	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/network"
	"github.com/mayfly-cloud/mayfly/internal/secret"
	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/store/postgres"
	"github.com/mayfly-cloud/mayfly/internal/trace"
	"github.com/mayfly-cloud/mayfly/internal/worker"
)

// shutdownGrace is how long calls under way may take to end when the node does.
const shutdownGrace = 5 * time.Second

// Node is a running Mayfly.
type Node struct {
	cfg Config

	tracing    *trace.Tracing
	store      store.Store
	name       string // in the store
	blobs      *blobfile.Store
	root       *auth.Root
	sessions   *auth.Sessions
	iam        *iam.Service
	sts        *sts.Service
	may        *gateway.Permissions
	nodeKey    auth.NodeKey
	encryption *key.Service
	parameters *parameter.Service
	secrets    *secret.Service
	driver     sandbox.Driver
	noGVisor   error            // why it is not gVisor's, where that was tried
	network    *network.Network // nil where sandboxes have none,
	ports      *ports           // and these instead
	runtimes   *runtime.Set
	worker     *worker.Worker
	logs       *logs.Service
	queues     *queue.Service
	bill       *bill.Meter
	audit      *audit.Trail
	functions  *function.Service
	invoker    *invoke.Invoker

	listeners []net.Listener
	server    *http.Server
	failed    chan struct{} // closed when something beside the requests ended with an error
	failOnce  sync.Once
	closers   []func() error
	closeOnce sync.Once
	closeErr  error
}

// Info says what a node is, for people.
type Info struct {
	Endpoint string       `json:"endpoint"`
	Account  string       `json:"account"`
	Region   string       `json:"region"`
	Data     string       `json:"data"`
	Store    string       `json:"store,omitempty"` // the database, if it is in one
	Version  string       `json:"version"`
	Sandbox  sandbox.Info `json:"sandbox"`
	// Reach is what functions can reach; all else is refused.
	Reach    []string `json:"reach"`
	Runtimes []string `json:"runtimes"`
}

// Start opens a node's parts from the ground up and returns once it answers
// requests. ctx bounds the start; the node lives until Close.
func Start(ctx context.Context, cfg Config) (*Node, error) {
	n := &Node{cfg: cfg, failed: make(chan struct{})}
	for _, open := range []func(context.Context) error{
		n.openFront, n.openGround, n.openIdentity, n.openSecrets, n.openQueues, n.openServices, n.openAudit, n.openCompute, n.openFunctions, n.openDoor,
	} {
		if err := open(ctx); err != nil {
			return nil, errors.Join(err, n.Close())
		}
	}
	return n, nil
}

// onClose has f called at Close, before what was opened earlier is closed.
func (n *Node) onClose(f func() error) { n.closers = append(n.closers, f) }

// run has f run beside the requests; Close ends it in its turn and waits. An
// error of f's own fails the node.
func (n *Node) run(what string, f func(context.Context) error) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		err := f(ctx)
		if err != nil {
			err = fmt.Errorf("%s: %w", what, err)
			n.failOnce.Do(func() { close(n.failed) })
		}
		done <- err
	}()
	n.onClose(func() error {
		stop()
		return <-done
	})
}

// openGround opens what keeps state and knows who calls.
func (n *Node) openGround(ctx context.Context) error {
	if err := os.MkdirAll(n.cfg.Data, 0o711); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	var err error
	if n.tracing, err = trace.New(ctx, trace.Config{OTLP: n.cfg.OTLP, Version: n.cfg.Version}); err != nil {
		return fmt.Errorf("start tracing: %w", err)
	}
	n.onClose(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), shutdownGrace)
		defer cancel()
		return n.tracing.Close(ctx)
	})
	if err := n.openStore(ctx); err != nil {
		return err
	}
	if n.blobs, err = blobfile.Open(n.blobsDir()); err != nil {
		return fmt.Errorf("open blobs: %w", err)
	}
	if n.root, err = auth.OpenRoot(n.cfg.Data, n.cfg.Account); err != nil {
		return fmt.Errorf("open root credentials: %w", err)
	}
	if n.nodeKey, err = auth.OpenNodeKey(n.cfg.Data); err != nil {
		return err
	}
	if n.sessions, err = auth.OpenSessions(n.cfg.Data, clock.System); err != nil {
		return fmt.Errorf("open sessions: %w", err)
	}
	return n.openOwner(ctx)
}

// openServices opens the services that functions stand on.
func (n *Node) openServices(context.Context) error {
	n.logs = logs.New(logs.Config{Store: n.store, Account: n.root.Account(), Region: n.cfg.Region, Clock: clock.System, Log: n.cfg.Log})
	n.run("logs", n.logs.Run)
	n.bill = bill.New(bill.Config{Store: n.store, Clock: clock.System, Log: n.cfg.Log})
	n.run("bill", n.bill.Run)
	return nil
}

// openFunctions joins the function service, placement and invocation.
func (n *Node) openFunctions(context.Context) error {
	n.functions = function.New(function.Config{
		Store: n.store, Blobs: n.blobs, Runtimes: runtimesForFunction{n.runtimes}, Provisioner: n.worker, Roles: roles{n},
		Account: n.root.Account(), Region: n.cfg.Region, Endpoint: "http://" + n.cfg.Listen, Domain: n.cfg.Domain,
		Concurrency: n.cfg.Concurrency, Clock: clock.System, Log: n.cfg.Log,
	})
	n.openPermissions()
	place := placement.New(placement.Config{Node: n.worker, AccountLimit: n.cfg.Concurrency, Reserved: n.functions.ReservedTotal})
	var err error
	n.invoker, err = invoke.New(invoke.Config{
		Functions: n.functions, Placement: place, Meter: meter{n.bill}, Store: n.store, Node: n.name,
		Destinations: destinations{n}, Clock: clock.System, Log: n.cfg.Log,
	})
	if err != nil {
		return fmt.Errorf("start invocation: %w", err)
	}
	n.run("functions", n.functions.Run)
	n.run("asynchronous calls", n.invoker.Run)
	return nil
}

// Info describes the node.
func (n *Node) Info() Info {
	i := Info{Endpoint: "http://" + n.cfg.Listen, Account: n.root.Account(), Region: n.cfg.Region,
		Data: n.cfg.Data, Store: postgres.PlaceOf(n.cfg.Store), Version: n.cfg.Version, Sandbox: n.driver.Info(), Reach: n.reach()}
	for _, r := range n.runtimes.List() {
		if r.Found {
			i.Runtimes = append(i.Runtimes, r.Name)
		}
	}
	return i
}

// Failed is closed when the node can't go on; Close then says why.
func (n *Node) Failed() <-chan struct{} { return n.failed }

// Close stops taking requests, lets those under way end for a while, ends every
// sandbox and closes all parts, the last opened first.
func (n *Node) Close() error {
	n.closeOnce.Do(func() {
		var errs []error
		for _, f := range slices.Backward(n.closers) {
			errs = append(errs, f())
		}
		n.closeErr = errors.Join(errs...)
	})
	return n.closeErr
}
