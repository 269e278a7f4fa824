package invoke

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

const (
	// leaseTime is how long a node's claims are good without a word from it.
	leaseTime = time.Minute
	// leaseRenewal is how often a node that has claims says that it lives.
	leaseRenewal = 15 * time.Second
	// reclaimBatch is how many claims of a dead node one transaction returns.
	reclaimBatch = 256
)

// lease says until when the claims of an incarnation are good.
type lease struct {
	Node  string
	Until time.Time
}

// errTaken says that another node has taken an event over.
var errTaken = errors.New("event was taken over by another node")

// claim marks an event as run by this node.
func (q *queue) claim(tx store.Tx, id, function string) error {
	return tx.Set(claimedKey(q.incarnation, id), []byte(function))
}

// claiming runs a transaction that claims events, and sees to it that the lease
// covers them for long enough.
func (q *queue) claiming(ctx context.Context, fn func(store.Tx) error) error {
	now := q.clock.Now()
	covered := time.Duration(q.leased.Load()-now.UnixNano()) > leaseTime/2
	err := q.store.Update(ctx, func(tx store.Tx) error {
		if !covered {
			if err := q.extend(tx, now); err != nil {
				return err
			}
		}
		return fn(tx)
	})
	if err == nil && !covered {
		q.leased.Store(now.Add(leaseTime).UnixNano())
	}
	return err
}

func (q *queue) extend(tx store.Tx, now time.Time) error {
	b, err := record.Marshal(&lease{Node: q.node, Until: now.Add(leaseTime)})
	if err != nil {
		return err
	}
	return tx.Set(nodeKey(q.incarnation), b)
}

// renew extends the lease while there are claims.
func (q *queue) renew(ctx context.Context) error {
	q.leased.Store(0)
	if err := q.claiming(ctx, func(store.Tx) error { return nil }); err != nil {
		return fmt.Errorf("renew lease: %w", err)
	}
	return nil
}

// held fails when an event is no longer this node's.
func (q *queue) held(tx store.Reader, id string) error {
	_, err := tx.Get(claimedKey(q.incarnation, id))
	if errors.Is(err, store.ErrNotFound) {
		return errTaken
	}
	return err
}

// reclaim makes what dead incarnations had claimed due again: those whose lease
// has run out, and the earlier ones of this node.
func (q *queue) reclaim(ctx context.Context) error {
	now := q.clock.Now()
	var dead []string
	err := q.store.View(ctx, func(r store.Reader) error {
		for p, err := range r.Scan(store.Prefix(nodePrefix())) {
			if err != nil {
				return err
			}
			var l lease
			if err := record.Unmarshal(p.Value, &l); err != nil {
				return err
			}
			parts, err := store.Split(p.Key)
			if err != nil {
				return err
			}
			if inc, ok := parts[len(parts)-1].(string); ok && inc != q.incarnation && (l.Node == q.node || now.After(l.Until)) {
				dead = append(dead, inc)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look for dead nodes: %w", err)
	}
	for _, inc := range dead {
		for more := true; more; {
			if more, err = q.reclaimSome(ctx, inc, now); err != nil {
				return fmt.Errorf("take over from a dead node: %w", err)
			}
		}
	}
	return nil
}

// reclaimSome returns one batch, and says whether there may be more.
func (q *queue) reclaimSome(ctx context.Context, inc string, now time.Time) (more bool, err error) {
	err = q.store.Update(ctx, func(tx store.Tx) error {
		list, err := claims(tx, inc)
		if err != nil {
			return err
		}
		for _, c := range list {
			if err := release(tx, c, now); err != nil {
				return err
			}
		}
		if more = len(list) == reclaimBatch; more {
			return nil
		}
		return tx.Delete(nodeKey(inc))
	})
	return more, err
}

// orphans makes events due again that this node claimed and does not run: their
// claim or their end met an error of the store whose outcome was not known.
func (q *queue) orphans(ctx context.Context) error {
	var mine []candidate
	err := q.store.View(ctx, func(r store.Reader) (err error) {
		mine, err = claims(r, q.incarnation)
		return err
	})
	for _, c := range mine {
		if err != nil {
			break
		}
		if q.runs(c.id) {
			continue
		}
		err = q.store.Update(ctx, func(tx store.Tx) error {
			if err := q.held(tx, c.id); err != nil {
				return err
			}
			return release(tx, c, q.clock.Now())
		})
		if errors.Is(err, errTaken) { // it ended after all
			err = nil
		}
	}
	if err != nil {
		return fmt.Errorf("return orphaned claims: %w", err)
	}
	return nil
}

// claims lists some claims of an incarnation.
func claims(r store.Reader, inc string) ([]candidate, error) {
	rg := store.Prefix(claimedPrefix(inc))
	rg.Limit = reclaimBatch
	var list []candidate
	for p, err := range r.Scan(rg) {
		if err != nil {
			return nil, err
		}
		parts, err := store.Split(p.Key)
		if err != nil {
			return nil, err
		}
		id, _ := parts[len(parts)-1].(string)
		list = append(list, candidate{append([]byte(nil), p.Key...), id, string(p.Value)})
	}
	return list, nil
}

// release makes a claimed event due.
func release(tx store.Tx, c candidate, now time.Time) error {
	if err := tx.Delete(c.key); err != nil {
		return err
	}
	return tx.Set(dueKey(now, c.id), []byte(c.function))
}
