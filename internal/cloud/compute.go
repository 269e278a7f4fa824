package cloud

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/code"
	"github.com/mayfly-cloud/mayfly/internal/program"
	"github.com/mayfly-cloud/mayfly/internal/runtime"
	"github.com/mayfly-cloud/mayfly/internal/worker"
)

// codeCacheBytes bounds the unpacked packages a node keeps beyond those in use.
const codeCacheBytes = 10 << 30

// sessionLife is how long the credentials of an environment are good for; they
// end with the environment in any case.
const sessionLife = 12 * time.Hour

// openCompute builds what runs functions: isolation, runtimes, code, the pool.
func (n *Node) openCompute(ctx context.Context) error {
	var err error
	if n.runtimes, err = runtime.Find(ctx, runtime.Config{Dir: n.path("runtimes"), Log: n.cfg.Log}); err != nil {
		return fmt.Errorf("find runtimes: %w", err)
	}
	cache, err := code.NewCache(n.path("code"), n.blobs, codeCacheBytes)
	if err != nil {
		return fmt.Errorf("open code cache: %w", err)
	}
	n.onClose(cache.Close)
	if err := n.openIsolation(ctx); err != nil {
		return err
	}
	agent, err := program.Install(n.path("programs"), program.Agent)
	if errors.Is(err, program.ErrNotBuilt) {
		n.cfg.Log.Warn("custom runtimes and extensions will not start", "reason", err)
	} else if err != nil {
		return err
	} else if n.network == nil {
		if err := n.openPorts(); err != nil {
			return err
		}
	}
	n.worker, err = worker.New(worker.Config{
		Driver:      n.driver,
		Runtimes:    runtimesForWorker{n.runtimes},
		Code:        cache,
		Credentials: credentials{n},
		Logs:        logSink{n.logs},
		Endpoint:    n.insideEndpoint(),
		Agent:       agent,
		Ports:       n.ports.forWorker(),
		MemoryMiB:   n.memoryBudget(),
		IdleTimeout: n.cfg.IdleTimeout,
		Pool:        n.poolConfig(),
		Log:         n.cfg.Log,
	})
	if err != nil {
		return fmt.Errorf("start worker: %w", err)
	}
	n.onClose(n.worker.Close)
	return nil
}

func (n *Node) poolConfig() worker.PoolConfig {
	if n.cfg.Pool == 0 {
		return worker.PoolConfig{Max: -1}
	}
	return worker.PoolConfig{Max: n.cfg.Pool}
}

// memoryBudget is MiB for sandboxes: what is configured, or three quarters of
// the machine's.
func (n *Node) memoryBudget() int {
	if n.cfg.MemoryMiB > 0 {
		return n.cfg.MemoryMiB
	}
	info, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0 // the worker's default
	}
	for line := range strings.Lines(string(info)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "MemTotal:" {
			if kib, err := strconv.Atoi(f[1]); err == nil {
				return kib / 1024 * 3 / 4
			}
		}
	}
	return 0
}

func (n *Node) path(name string) string { return filepath.Join(n.cfg.Data, name) }
