package message

import (
	"context"
	"errors"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

const (
	forgetEvery = 10 * time.Second
	expireEvery = 5 * time.Minute
	sweepBatch  = 128
	// longestDelay is how much later than its sending a message is due that nobody has
	// received. Those received are found when that time comes for when they were due.
	longestDelay = 15 * time.Minute
)

// Run forgets what is remembered for long enough, and deletes messages whose retention
// is over, until ctx ends; then it returns nil. Whoever receives is given none of
// these in any case. Any number of nodes may do it.
func (e *Engine) Run(ctx context.Context) error {
	forget, expire := time.NewTicker(forgetEvery), time.NewTicker(expireEvery)
	defer forget.Stop()
	defer expire.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-forget.C:
			err = e.Forget(ctx)
		case <-expire.C:
			err = e.Expire(ctx)
		}
		if errors.Is(err, store.ErrClosed) {
			return err
		}
		if err != nil && ctx.Err() == nil {
			e.log.WarnContext(ctx, "sweep messages", "error", err)
		}
	}
}

// Forget forgets the ids of sends and receives that are long ago, and groups without
// messages. A crash within leaves some for the next time.
func (e *Engine) Forget(ctx context.Context) error {
	for {
		n, now := 0, e.time.now()
		err := e.store.Update(ctx, func(tx store.Tx) error {
			n = 0
			r := store.Range{Start: store.Key(room, "forget"), End: store.Key(room, "forget", uint64(now)), Limit: sweepBatch}
			for p, err := range tx.Scan(r) {
				if err != nil {
					return err
				}
				if err := forgetOne(tx, p, now); err != nil {
					return err
				}
				n++
			}
			return nil
		})
		if err != nil || n < sweepBatch {
			return err
		}
	}
}

func forgetOne(tx store.Tx, p store.Pair, now int64) error {
	parts, err := store.Split(p.Key)
	if err != nil {
		return err
	}
	if len(parts) != 6 {
		return errKey
	}
	queue, ok1 := parts[3].(uint64)
	name, ok2 := parts[4].(string)
	if !ok1 || !ok2 {
		return errKey
	}
	q := QueueID(queue)
	var what remembered
	if err := record.Unmarshal(p.Value, &what); err != nil {
		return err
	}
	if err := tx.Delete(append([]byte(nil), p.Key...)); err != nil {
		return err
	}
	switch {
	case what.Attempt != "":
		var a attempt
		if ok, err := load(tx, attemptKey(q, what.Attempt), &a); err != nil || !ok || a.Until > now {
			return err
		}
		return tx.Delete(attemptKey(q, what.Attempt))
	case what.Dedup != "":
		var o original
		ok, err := load(tx, dedupKey(q, what.Scope, what.Dedup), &o)
		if err != nil {
			return err
		}
		if ok && o.Until <= now {
			if err := tx.Delete(dedupKey(q, what.Scope, what.Dedup)); err != nil {
				return err
			}
		}
	}
	var g group
	ok, err := load(tx, groupKey(q, name), &g)
	if err != nil || !ok || g.Count > 0 || now-int64(g.Last) <= int64(Remembered) {
		return err
	}
	return tx.Delete(groupKey(q, name))
}

// Expire deletes messages whose retention is over.
func (e *Engine) Expire(ctx context.Context) error {
	type kept struct {
		q   QueueID
		set Settings
	}
	var queues []kept
	err := e.store.View(ctx, func(r store.Reader) error {
		queues = queues[:0]
		for p, err := range r.Scan(store.Prefix(store.Key(room, "queue"))) {
			if err != nil {
				return err
			}
			parts, err := store.Split(p.Key)
			if err != nil {
				return err
			}
			var set Settings
			if err := record.Unmarshal(p.Value, &set); err != nil {
				return err
			}
			if q, ok := parts[len(parts)-1].(uint64); ok && set.Retention > 0 {
				queues = append(queues, kept{QueueID(q), set})
			}
		}
		return nil
	})
	for _, k := range queues {
		if err == nil {
			err = e.expire(ctx, k.q, &k.set)
		}
	}
	return err
}

// expire has a queue's oldest messages go whose retention is over.
func (e *Engine) expire(ctx context.Context, q QueueID, set *Settings) error {
	from := int64(0)
	for {
		var list []candidate
		last, seen := from, 0
		now := e.time.now()
		until := min(now, now-int64(set.Retention)+int64(longestDelay))
		err := e.store.View(ctx, func(r store.Reader) error {
			list, seen = list[:0], 0
			within := dueFrom(q, from)
			within.Limit = sweepBatch
			for p, err := range r.Scan(within) {
				if err != nil {
					return err
				}
				c, err := parseDue(p.Key)
				if err != nil {
					return err
				}
				if c.at > until {
					return nil
				}
				last, seen = c.at, seen+1
				if c.group != "" || c.id.time()+int64(set.Retention) <= now {
					list = append(list, c)
				}
			}
			return nil
		})
		if err == nil && len(list) > 0 {
			err = e.Update(ctx, func(tx *Tx) error { return tx.expireAll(q, list) })
		}
		if err != nil || seen < sweepBatch {
			return err
		}
		from = last + 1
	}
}

// expireAll takes candidates only to drop those that are too old.
func (tx *Tx) expireAll(q QueueID, list []candidate) error {
	set, err := tx.Settings(q)
	if err != nil {
		return storeError(err)
	}
	c := &claim{Tx: tx, q: q, set: set, want: MaxReceive, now: tx.e.time.now()}
	c.move = func(*Message) (QueueID, bool) { return 0, false }
	return c.take(list)
}
