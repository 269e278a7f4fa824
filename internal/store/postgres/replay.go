package postgres

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"

	"github.com/mayfly-cloud/mayfly/internal/retry"
)

// replay lets a View, whose function is called once, outlive its transaction:
// when the database can't put that into a serial order with others, or goes away,
// another is begun, all reads are repeated in it, and if they give what they gave
// before, the View goes on as if it had begun there.
type replay struct {
	seed maphash.Seed
	seen []answered
}

// answered is a read and a digest of its answer.
type answered struct {
	query
	digest uint64
}

// errChanged says that a View's earlier reads are no longer true, so that there is
// no one snapshot for them and the next.
var errChanged = errors.New("what was read has changed since")

// note remembers a read.
func (p *replay) note(q query, rows []row) {
	if p.seen == nil {
		p.seed = maphash.MakeSeed()
	}
	p.seen = append(p.seen, answered{q, p.digest(rows)})
}

func (p *replay) digest(rows []row) uint64 {
	var h maphash.Hash
	h.SetSeed(p.seed)
	for _, r := range rows {
		maphash.WriteComparable(&h, len(r.key))
		h.Write(r.key)
		maphash.WriteComparable(&h, len(r.value))
		h.Write(r.value)
	}
	return h.Sum64()
}

// resume begins a transaction anew after err and runs q in it.
func (p *replay) resume(x *session, q query, err error) ([]row, error) {
	if !isConflict(err) && !isLost(err) {
		return nil, err
	}
	policy := losses
	if isConflict(err) {
		policy = retry.Policy{Attempts: patience * 4, Base: conflicts.Base, Max: conflicts.Max}
	}
	var rows []row
	err = retry.Do(x.ctx, policy, func(context.Context) (err error) {
		x.drop()
		for _, a := range p.seen {
			again, err := x.attempt(a.query)
			if err != nil {
				return p.stop(err)
			}
			if p.digest(again) != a.digest {
				return retry.Stop(conflict{errChanged})
			}
		}
		rows, err = x.attempt(q)
		return p.stop(err)
	})
	if x.ctx.Err() != nil && err != nil {
		return nil, fmt.Errorf("%w: %w", x.ctx.Err(), err)
	}
	return rows, err
}

func (p *replay) stop(err error) error {
	if isConflict(err) || isLost(err) {
		return err
	}
	return stop(err)
}
