package message_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/message"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

func TestLife(t *testing.T) {
	n := start(t)
	q := n.queue(t, message.Settings{})
	n.gets(t, q, 10)
	n.send(t, q, "one", "two", "three")
	n.counts(t, q, 3, 0, 0)
	first := n.gets(t, q, 2, "one", "two")
	n.counts(t, q, 1, 2, 0)
	n.deleted(t, nil, first[0])
	n.deleted(t, message.ErrGone, first[0])
	n.gets(t, q, 10, "three")
	n.gets(t, q, 10)
	n.clock.Advance(time.Minute)
	again := n.gets(t, q, 10, "two 2", "three 2")
	n.deleted(t, message.ErrGone, first[1]) // somebody has it now
	n.deleted(t, nil, again...)
	if d := cmp.Diff(map[string]int{}, leftovers(t, n.store)); d != "" {
		t.Errorf("left behind:\n%s", d)
	}
}

func TestDeleteAfterVisibility(t *testing.T) {
	n := start(t)
	q := n.queue(t, message.Settings{})
	n.send(t, q, "one")
	list := n.receive(t, q, 1)
	n.clock.Advance(time.Hour)
	n.deleted(t, nil, list...) // nobody else had received it
	n.gets(t, q, 1)
}

func TestHide(t *testing.T) {
	n := start(t)
	q := n.queue(t, message.Settings{})
	n.send(t, q, "one")
	r := n.receive(t, q, 1)[0].Receipt
	hide := func(d time.Duration, want error) {
		t.Helper()
		if err := n.Hide(t.Context(), r, d); err != want {
			t.Errorf("hide for %v: %v, want %v", d, err, want)
		}
	}
	hide(time.Hour, nil)
	n.clock.Advance(59 * time.Minute)
	n.gets(t, q, 1)
	hide(time.Hour, nil)
	hide(12*time.Hour, message.ErrTooLong)
	n.clock.Advance(time.Hour)
	hide(time.Hour, message.ErrExpired)
	m := n.gets(t, q, 1, "one 2")
	hide(time.Hour, message.ErrGone)
	r = m[0].Receipt
	hide(time.Hour, nil)
	hide(0, nil)
	n.gets(t, q, 1, "one 3")
	r = n.receiveAfter(t, q, time.Minute).Receipt
	hide(time.Hour, nil)
	if errs, err := n.Delete(t.Context(), r); err != nil || errs[0] != nil {
		t.Error(errs, err)
	}
	if d := cmp.Diff(map[string]int{}, leftovers(t, n.store)); d != "" {
		t.Errorf("left behind:\n%s", d)
	}
}

func (n *node) receiveAfter(t testing.TB, q message.QueueID, d time.Duration) *message.Message {
	t.Helper()
	n.clock.Advance(d)
	list := n.receive(t, q, 1)
	if len(list) != 1 {
		t.Fatalf("%d messages", len(list))
	}
	return list[0]
}

func TestDelay(t *testing.T) {
	n := start(t)
	q := n.queue(t, message.Settings{})
	if _, err := n.Send(t.Context(), q, message.Draft{Body: []byte("later"), Delay: time.Minute}); err != nil {
		t.Fatal(err)
	}
	n.send(t, q, "now")
	n.counts(t, q, 1, 0, 1)
	n.gets(t, q, 10, "now")
	n.clock.Advance(59 * time.Second)
	n.gets(t, q, 10)
	n.clock.Advance(time.Second)
	n.gets(t, q, 10, "later", "now 2")
}

func TestRetention(t *testing.T) {
	n := start(t)
	set := message.Settings{Retention: time.Hour}
	q, kept := n.queue(t, set), n.queue(t, message.Settings{})
	n.send(t, q, "old", "older")
	n.send(t, kept, "old")
	n.clock.Advance(30 * time.Minute)
	n.send(t, q, "young")
	n.gets(t, q, 1, "old")
	n.clock.Advance(30 * time.Minute)
	n.gets(t, q, 10, "young")
	n.gets(t, kept, 10, "old")
	n.clock.Advance(2 * time.Hour)
	if err := n.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.gets(t, kept, 10, "old 2")
	if got := leftovers(t, n.store)["body"]; got != 1 {
		t.Errorf("%d bodies are left", got)
	}
}

func TestDeadLetter(t *testing.T) {
	n := start(t)
	dlq := n.queue(t, message.Settings{Retention: 4 * time.Hour})
	q := n.queue(t, message.Settings{DeadLetter: dlq, After: 3, Source: "src", Retention: time.Hour * 24})
	n.send(t, q, "bad", "good")
	for i, want := range []string{"bad", "bad 2", "bad 3"} {
		list := n.receive(t, q, 10)
		if i == 0 {
			n.deleted(t, nil, list[1])
		}
		if len(list) == 0 || string(list[0].Body) != "bad" || list[0].Receives != i+1 {
			t.Errorf("round %d: %d messages, want %s", i, len(list), want)
		}
		n.clock.Advance(time.Minute)
	}
	n.gets(t, dlq, 10)
	n.gets(t, q, 10)
	m := n.gets(t, dlq, 10, "bad")
	if len(m) == 1 && (m[0].Source != "src" || !m[0].Sent.Truncate(time.Second).Equal(noon)) {
		t.Errorf("source %q, sent %v", m[0].Source, m[0].Sent)
	}
	// Moved back it starts anew.
	n.clock.Advance(time.Minute)
	moved, err := n.Move(t.Context(), dlq, 10, func(m *message.Message) (message.QueueID, bool) { return q, m.Source == "src" })
	if moved != 1 || err != nil {
		t.Errorf("%d moved, %v", moved, err)
	}
	n.counts(t, dlq, 0, 0, 0)
	n.gets(t, q, 10, "bad")
}

// A dead-letter queue that is gone keeps messages where they are.
func TestDeadLetterGone(t *testing.T) {
	n := start(t)
	dlq := n.queue(t, message.Settings{})
	q := n.queue(t, message.Settings{DeadLetter: dlq, After: 1})
	n.send(t, q, "bad")
	n.gets(t, q, 1, "bad")
	if err := n.Update(t.Context(), func(tx *message.Tx) error { return tx.Drop(dlq) }); err != nil {
		t.Fatal(err)
	}
	n.clock.Advance(time.Minute)
	n.gets(t, q, 1, "bad 2")
}

func TestPurgeAndDrop(t *testing.T) {
	n := start(t)
	q, other := n.queue(t, message.Settings{}), n.queue(t, message.Settings{FIFO: true})
	n.send(t, q, "one", "two")
	n.send(t, other, "a:1", "b:2")
	list := n.gets(t, q, 1, "one")
	n.gets(t, other, 1, "a:1")
	for _, id := range []message.QueueID{q, other} {
		if err := n.Update(t.Context(), func(tx *message.Tx) error { return tx.Purge(id) }); err != nil {
			t.Fatal(err)
		}
		n.counts(t, id, 0, 0, 0)
		n.gets(t, id, 10)
	}
	n.deleted(t, message.ErrGone, list...)
	n.send(t, q, "three")
	n.gets(t, q, 10, "three")
	if err := n.Update(t.Context(), func(tx *message.Tx) error { return tx.Drop(q) }); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Send(t.Context(), q, message.Draft{}); err != message.ErrNoQueue {
		t.Errorf("send to a queue that is gone: %v", err)
	}
	if _, err := n.Receive(t.Context(), q, message.Ask{}); err != message.ErrNoQueue {
		t.Errorf("receive from a queue that is gone: %v", err)
	}
	if _, err := n.Count(t.Context(), q); err != message.ErrNoQueue {
		t.Errorf("count a queue that is gone: %v", err)
	}
}

func TestInFlightLimit(t *testing.T) {
	n := start(t)
	q := n.queue(t, message.Settings{MaxInFlight: 2})
	n.send(t, q, "one", "two", "three")
	list := n.gets(t, q, 2, "one", "two")
	if _, err := n.Receive(t.Context(), q, message.Ask{Max: 1}); err != message.ErrInFlight {
		t.Errorf("over the limit: %v", err)
	}
	n.deleted(t, nil, list[0])
	for deadline := time.Now().Add(5 * time.Second); ; { // a count is good for a moment
		list, err := n.Receive(t.Context(), q, message.Ask{Max: 1})
		if err == nil && len(list) == 1 {
			return
		}
		if err != message.ErrInFlight || time.Now().After(deadline) {
			t.Fatal(len(list), err)
		}
	}
}

// What a caller does in its own transaction is there with the rest of it, or not at all.
func TestInTheCallersTransaction(t *testing.T) {
	n := start(t)
	from, to := n.queue(t, message.Settings{}), n.queue(t, message.Settings{})
	n.send(t, from, "event")
	m := n.receive(t, from, 1)[0]
	failed := errors.New("no")
	step := func(end error) error {
		return n.store.Update(t.Context(), func(raw store.Tx) error {
			tx := n.Join(raw)
			if err := tx.DeleteMessage(m.Receipt); err != nil {
				return err
			}
			if _, err := tx.Send(to, message.Draft{Body: m.Body}); err != nil {
				return err
			}
			return errors.Join(raw.Set(store.Key("other"), []byte("x")), end)
		})
	}
	if err := step(failed); !errors.Is(err, failed) {
		t.Error(err)
	}
	n.counts(t, from, 0, 1, 0)
	n.gets(t, to, 1)
	if err := step(nil); err != nil {
		t.Error(err)
	}
	n.counts(t, from, 0, 0, 0)
	if list, err := n.Receive(t.Context(), to, message.Ask{Max: 1, Wait: 5 * time.Second}); err != nil || len(list) != 1 || string(list[0].Body) != "event" {
		t.Errorf("received %v, %v", list, err)
	}
	if err := step(nil); !errors.Is(err, message.ErrGone) {
		t.Errorf("twice: %v", err)
	}
}

// What was received before and is due again is not forgotten over what is sent all the
// time, nor what does not fit in line.
func TestNothingStarves(t *testing.T) {
	n := start(t)
	n.Engine = open(t, n.store, clock.System)
	q := n.queue(t, message.Settings{})
	n.send(t, q, "old")
	if list, err := n.Receive(t.Context(), q, message.Ask{Hide: 20 * time.Millisecond}); err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	for range 3 {
		if _, err := n.Send(t.Context(), q, make([]message.Draft, 400)...); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if _, err := n.Send(t.Context(), q, make([]message.Draft, 2)...); err != nil {
			t.Fatal(err)
		}
		list, err := n.Receive(t.Context(), q, message.Ask{Max: 1, Hide: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 1 && string(list[0].Body) == "old" {
			return
		}
	}
	t.Error("a message that is due was not received in ten seconds")
}

// A clock that is set back while the node is away hides nothing.
func TestClockSetBack(t *testing.T) {
	n := start(t)
	q := n.queue(t, message.Settings{})
	n.send(t, q, "one")
	late := &node{Engine: open(t, n.store, clock.NewManual(noon.Add(-24*time.Hour))), store: n.store}
	late.gets(t, q, 1, "one")
}

func TestWaits(t *testing.T) {
	n := start(t)
	n.Engine = open(t, n.store, clock.System)
	q := n.queue(t, message.Settings{})
	got := make(chan time.Time)
	for range 3 {
		go func() {
			list, err := n.Receive(context.Background(), q, message.Ask{Max: 1, Hide: time.Minute, Wait: 10 * time.Second})
			if err != nil || len(list) != 1 {
				t.Error(len(list), err)
			}
			got <- time.Now()
		}()
	}
	for _, wait := range []func(){
		func() { n.send(t, q, "one") },
		func() { // in a transaction of the caller's, which only the store tells of
			err := n.store.Update(t.Context(), func(tx store.Tx) error { _, err := n.Join(tx).Send(q, message.Draft{}); return err })
			if err != nil {
				t.Error(err)
			}
		},
		func() { // by another node
			other := open(t, n.store, clock.System)
			if _, err := other.Send(t.Context(), q, message.Draft{Delay: 50 * time.Millisecond}); err != nil {
				t.Error(err)
			}
		},
	} {
		begin := time.Now()
		wait()
		if d := (<-got).Sub(begin); d > 2*time.Second {
			t.Errorf("woken after %v", d)
		}
	}
	if list, err := n.Receive(t.Context(), q, message.Ask{Wait: 20 * time.Millisecond}); len(list) > 0 || err != nil {
		t.Error(len(list), err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := n.Receive(ctx, q, message.Ask{Wait: time.Minute}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// A message whose visibility ends wakes a receiver that waits.
func TestWaitsForVisibility(t *testing.T) {
	n := start(t)
	n.Engine = open(t, n.store, clock.System)
	q := n.queue(t, message.Settings{})
	n.send(t, q, "one")
	if _, err := n.Receive(t.Context(), q, message.Ask{Hide: 50 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	list, err := n.Receive(t.Context(), q, message.Ask{Hide: time.Minute, Wait: 10 * time.Second})
	if d := time.Since(begin); err != nil || len(list) != 1 || d > 2*time.Second {
		t.Errorf("%d messages after %v, %v", len(list), d, err)
	}
}

func TestReceipts(t *testing.T) {
	n := start(t)
	q := n.queue(t, message.Settings{FIFO: true})
	n.send(t, q, "a:1")
	r := n.receive(t, q, 1)[0].Receipt
	if got, err := message.ParseReceipt(r.String()); err != nil || got != r {
		t.Errorf("%v became %v, %v", r, got, err)
	}
	for _, bad := range []string{"", "x", "AQ==", r.String()[1:], r.String() + "=", "!" + r.String()} {
		if _, err := message.ParseReceipt(bad); err != message.ErrReceipt {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzReceipt(f *testing.F) {
	f.Add("")
	f.Add("AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := message.ParseReceipt(s); err == nil && r.String() != s {
			t.Errorf("%q is printed as %q", s, r)
		}
	})
}

// FuzzStored: any bytes are decoded or refused, and what is decoded is encoded the same.
func FuzzStored(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(message.Stored("body", "group", "dedup", "source"))
	f.Add(message.Stored("", "", "", ""))
	f.Add(append([]byte{3, 1}, make([]byte, 24)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, _, same := message.Decoders(b); !same {
			t.Errorf("%x is encoded as something else", b)
		}
	})
}
