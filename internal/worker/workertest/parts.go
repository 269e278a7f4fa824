package workertest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/blob"
	"github.com/mayfly-cloud/mayfly/internal/worker"
)

// Runtimes knows the runtime "fake", and others that Unknown refuses.
type Runtimes struct{}

// Lookup finds "fake" and "agent", which needs the agent.
func (Runtimes) Lookup(name string) (worker.Runtime, error) {
	if name != "fake" && name != "agent" {
		return nil, fmt.Errorf("no runtime %q", name)
	}
	return runtime(name), nil
}

type runtime string

func (r runtime) Boot(int) worker.Boot {
	return worker.Boot{Args: []string{string(r)}, Env: []string{"LANG=C"}, Dir: "/", PoolKey: string(r), Agent: r == "agent"}
}
func (r runtime) Command(int) []string                  { return []string{string(r)} }
func (r runtime) Env() map[string]string                { return map[string]string{"LANG": "C"} }
func (r runtime) NeedsStart(env map[string]string) bool { return env["START"] != "" }

// Code gives made-up directories and counts those in use.
type Code struct{ Held atomic.Int64 }

// Dir gives /code/DIGEST.
func (c *Code) Dir(_ context.Context, d blob.Digest) (string, func(), error) {
	return c.hold("/code/" + string(d))
}

// Layers gives /layers.
func (c *Code) Layers(context.Context, []blob.Digest) (string, func(), error) {
	return c.hold("/layers")
}

func (c *Code) hold(dir string) (string, func(), error) {
	c.Held.Add(1)
	return dir, sync.OnceFunc(func() { c.Held.Add(-1) }), nil
}

// Credentials gives the same keys to every role.
type Credentials struct {
	Expires time.Time
	// Groups are the log groups that every role may write to, besides functions' own.
	Groups []string
	// Revoked, if not nil, is told of keys that are worthless from now on.
	Revoked func(worker.Keys)
}

// ForRole gives keys named after the role.
func (c Credentials) ForRole(_ context.Context, role, _, _ string) (worker.Keys, error) {
	return worker.Keys{AccessKeyID: "ASIATEST", SecretAccessKey: "secret of " + role, SessionToken: "token", Expires: c.Expires}, nil
}

// MayLog says whether a group is among Groups.
func (c Credentials) MayLog(_ context.Context, _, _, group, _ string) bool {
	return slices.Contains(c.Groups, group)
}

// Revoke tells Revoked, if there is one.
func (c Credentials) Revoke(k worker.Keys) {
	if c.Revoked != nil {
		c.Revoked(k)
	}
}

// Logs keeps log events by stream.
type Logs struct {
	mu     sync.Mutex
	events []worker.LogEvent
	stream map[string][]worker.LogEvent
}

// Append keeps events.
func (l *Logs) Append(group, stream string, events []worker.LogEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stream == nil {
		l.stream = map[string][]worker.LogEvent{}
	}
	l.events = append(l.events, events...)
	l.stream[group+" "+stream] = append(l.stream[group+" "+stream], events...)
}

// Lines are the messages of all streams, in the order they came.
func (l *Logs) Lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := make([]string, len(l.events))
	for i, e := range l.events {
		lines[i] = e.Message
	}
	return lines
}

// Take gives all events so far and forgets them.
func (l *Logs) Take() []worker.LogEvent {
	l.mu.Lock()
	defer l.mu.Unlock()
	events := l.events
	l.events, l.stream = nil, nil
	return events
}

// Streams counts the log streams.
func (l *Logs) Streams() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.stream)
}
