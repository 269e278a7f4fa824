package message

import (
	"context"
	"sync"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

const (
	// streams is how many joined transactions run at once: one reads and writes
	// while others wait for the disk.
	streams = 8
	// maxJoined and maxJoinedBytes bound one of them.
	maxJoined      = 256
	maxJoinedBytes = 4 << 20
)

// combiner joins the transactions of many callers into few. It has no goroutine: the
// callers run them, one for itself and those that gathered meanwhile.
//
// One caller's function sees what those before it in the same transaction have done,
// which is a serial order like any other. If a transaction fails, each is tried alone.
type combiner struct {
	run func(ctx context.Context, jobs []*job) error

	mu      sync.Mutex
	running int
	waiting []*job
}

// job is one caller's part.
type job struct {
	fn   func(*Tx) error
	size int
	tx   *Tx // of the run that was committed
	turn chan turn
}

// turn is what a caller that waited is to do.
type turn struct {
	jobs  []*job // to run for all, nil if it was done
	alone bool   // to run by itself
	err   error
}

// do runs fn in a transaction, perhaps with those of others. fn returns an error of
// the store only: it undoes the others' work too.
func (c *combiner) do(ctx context.Context, size int, fn func(*Tx) error) (*Tx, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	j := &job{fn: fn, size: size, turn: make(chan turn, 1)}
	c.mu.Lock()
	if c.running == streams {
		c.waiting = append(c.waiting, j)
		c.mu.Unlock()
		t := <-j.turn // in bounded time: each turn is one transaction
		switch {
		case t.alone:
			err := c.run(ctx, []*job{j})
			return j.tx, err
		case t.jobs == nil:
			return j.tx, t.err
		}
		return c.lead(ctx, j, t.jobs)
	}
	c.running++
	jobs := c.gather(j)
	c.mu.Unlock()
	return c.lead(ctx, j, jobs)
}

// gather takes waiting jobs to run with j. It needs mu.
func (c *combiner) gather(j *job) []*job {
	jobs, size, n := []*job{j}, j.size, 0
	for _, w := range c.waiting {
		if len(jobs) == maxJoined || size+w.size > maxJoinedBytes {
			break
		}
		jobs, size, n = append(jobs, w), size+w.size, n+1
	}
	clear(c.waiting[:n])
	if c.waiting = c.waiting[n:]; len(c.waiting) == 0 {
		c.waiting = nil
	}
	return jobs
}

// lead runs jobs, the first of them its own, and hands the stream on.
func (c *combiner) lead(ctx context.Context, own *job, jobs []*job) (*Tx, error) {
	if len(jobs) > 1 { // others' work must not end with this caller's patience
		ctx = context.WithoutCancel(ctx)
	}
	err := c.run(ctx, jobs)
	c.pass()
	alone := err != nil && len(jobs) > 1
	for _, j := range jobs[1:] {
		j.turn <- turn{alone: alone, err: err}
	}
	if alone {
		err = c.run(ctx, jobs[:1])
	}
	return own.tx, err
}

// pass gives the stream to the first that waits.
func (c *combiner) pass() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		c.running--
		return
	}
	next := c.waiting[0]
	c.waiting = c.waiting[1:]
	next.turn <- turn{jobs: c.gather(next)}
}

// runJobs is how an engine runs joined jobs.
func (e *Engine) runJobs(ctx context.Context, jobs []*job) error {
	var mark int64
	err := e.store.Update(ctx, func(tx store.Tx) error {
		known := map[QueueID]*Settings{}
		for _, j := range jobs {
			j.tx = &Tx{Tx: tx, e: e, known: known}
			if err := j.fn(j.tx); err != nil {
				return err
			}
		}
		var err error
		mark, err = e.time.mark(tx)
		return err
	})
	if err == nil {
		e.time.marked(mark)
	}
	return err
}
