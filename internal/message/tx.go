package message

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Tx is a transaction of the store with the operations on messages in it: what they
// do is committed with everything else, or not at all. An error of an operation that
// is not one of this package's own ends the transaction.
type Tx struct {
	store.Tx
	e       *Engine
	known   map[QueueID]*Settings // as read in this transaction
	changed []change
}

// change is what others on this node may want to know of once it is committed: from
// when on a candidate is due.
type change struct {
	q QueueID
	c candidate
}

// Join gives the operations within a transaction of the caller's own. Receivers that
// wait are told of its commit by the store, which takes a little longer than Update.
func (e *Engine) Join(tx store.Tx) *Tx {
	return &Tx{Tx: tx, e: e, known: map[QueueID]*Settings{}}
}

// Update runs fn in a transaction of the store, as store.Update does, and tells
// receivers that wait.
func (e *Engine) Update(ctx context.Context, fn func(*Tx) error) error {
	var last *Tx
	err := e.store.Update(ctx, func(tx store.Tx) error {
		last = e.Join(tx)
		return fn(last)
	})
	if err == nil {
		e.tell(last)
	}
	return err
}

// together runs fn in a transaction that others' share. What fn returns is the
// store's errors alone.
func (e *Engine) together(ctx context.Context, size int, fn func(*Tx) error) error {
	tx, err := e.combiner.do(ctx, size, fn)
	if err == nil {
		e.tell(tx)
	}
	return err
}

func (tx *Tx) due(q QueueID, c candidate) { tx.changed = append(tx.changed, change{q, c}) }

// Create makes a queue.
func (tx *Tx) Create(s Settings) (QueueID, error) {
	for {
		q := QueueID(rand.Uint64())
		_, err := tx.Get(queueKey(q))
		if errors.Is(err, store.ErrNotFound) {
			return q, save(tx, queueKey(q), &s)
		}
		if err != nil {
			return 0, fmt.Errorf("make a queue: %w", err)
		}
	}
}

// Settings gives what a queue has been told, or ErrNoQueue. They must not be changed.
func (tx *Tx) Settings(q QueueID) (*Settings, error) {
	if s := tx.known[q]; s != nil {
		return s, nil
	}
	b, err := tx.Get(queueKey(q))
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrNoQueue
	}
	if err != nil {
		return nil, fmt.Errorf("load a queue's settings: %w", err)
	}
	s, err := tx.e.settings(q, b)
	if err == nil {
		tx.known[q] = s
	}
	return s, err
}

// Configure changes a queue's settings. What is kept of FIFO stays as it is.
func (tx *Tx) Configure(q QueueID, s Settings) error {
	old, err := tx.Settings(q)
	if err != nil {
		return err
	}
	s.FIFO = old.FIFO
	delete(tx.known, q)
	return save(tx, queueKey(q), &s)
}

// Purge deletes all messages of a queue, those in flight too.
func (tx *Tx) Purge(q QueueID) error {
	return tx.clear(q, "due", "body", "moved", "line", "group")
}

// Drop deletes a queue and its messages.
func (tx *Tx) Drop(q QueueID) error {
	if err := tx.Purge(q); err != nil {
		return err
	}
	delete(tx.known, q)
	if err := tx.clear(q, "dedup", "attempt"); err != nil {
		return err
	}
	return tx.Delete(queueKey(q))
}

func (tx *Tx) clear(q QueueID, kinds ...string) error {
	for _, kind := range kinds {
		p := of(kind, q)
		if err := tx.DeleteRange(p, store.PrefixEnd(p)); err != nil {
			return err
		}
	}
	return nil
}

// settings decodes a queue's settings, or gives what the same bytes meant before.
func (e *Engine) settings(q QueueID, b []byte) (*Settings, error) {
	if k, ok := e.decoded.Load(q); ok && k.(*decoded).from == string(b) {
		return &k.(*decoded).Settings, nil
	}
	k := &decoded{from: string(b)}
	if err := record.Unmarshal(b, &k.Settings); err != nil {
		return nil, err
	}
	if e.decodedCount.Add(1) > maxDecoded {
		e.decoded.Clear()
		e.decodedCount.Store(1)
	}
	e.decoded.Store(q, k)
	return &k.Settings, nil
}

// decoded are settings beside what they were read from. At most maxDecoded are kept.
type decoded struct {
	from string
	Settings
}

const maxDecoded = 4096
