package message_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/message"
	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/store/pebble"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// node is an engine on a store in memory, with a clock that stands still.
type node struct {
	*message.Engine
	store store.Store
	clock *clock.Manual
}

func start(t testing.TB) *node {
	t.Helper()
	ignore := goleak.IgnoreCurrent()
	s, err := pebble.Open(t.Context(), pebble.Config{Dir: "data", FS: vfs.NewMem(), Reserve: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		goleak.VerifyNone(t, ignore)
	})
	n := &node{store: s, clock: clock.NewManual(noon)}
	n.Engine = open(t, s, n.clock)
	return n
}

func open(t testing.TB, s store.Store, c clock.Clock) *message.Engine {
	t.Helper()
	e, err := message.Open(t.Context(), message.Config{Store: s, Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (n *node) queue(t testing.TB, set message.Settings) message.QueueID {
	return queue(t, n.Engine, set)
}

func queue(t testing.TB, e *message.Engine, set message.Settings) (q message.QueueID) {
	t.Helper()
	err := e.Update(t.Context(), func(tx *message.Tx) (err error) {
		q, err = tx.Create(set)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// send sends bodies, each with its group where it has one: "group:body".
func (n *node) send(t testing.TB, q message.QueueID, bodies ...string) {
	t.Helper()
	for _, b := range bodies {
		d := message.Draft{Body: []byte(b)}
		if len(b) > 1 && b[1] == ':' {
			d.Group = b[:1]
		}
		if _, err := n.Send(t.Context(), q, d); err != nil {
			t.Fatal(err)
		}
	}
}

func (n *node) receive(t testing.TB, q message.QueueID, most int) []*message.Message {
	t.Helper()
	list, err := n.Receive(t.Context(), q, message.Ask{Max: most, Hide: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// gets checks the bodies, with their receive counts, that a receive gives.
func (n *node) gets(t testing.TB, q message.QueueID, most int, want ...string) []*message.Message {
	t.Helper()
	list := n.receive(t, q, most)
	var got []string
	for _, m := range list {
		s := string(m.Body)
		if m.Receives > 1 {
			s += fmt.Sprint(" ", m.Receives)
		}
		got = append(got, s)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("received (-want +got)\n%s", d)
	}
	return list
}

func (n *node) deleted(t testing.TB, want error, list ...*message.Message) {
	t.Helper()
	for _, m := range list {
		errs, err := n.Delete(t.Context(), m.Receipt)
		if err != nil || errs[0] != want {
			t.Errorf("delete %s: %v, want %v; %v", m.Body, errs, want, err)
		}
	}
}

func (n *node) counts(t testing.TB, q message.QueueID, visible, flight, delayed int) {
	t.Helper()
	got, err := n.Count(t.Context(), q)
	if want := (message.Counts{Visible: visible, InFlight: flight, Delayed: delayed}); err != nil || got != want {
		t.Errorf("counts %+v, want %+v, %v", got, want, err)
	}
}

// leftovers counts the keys of a store, by what begins them.
func leftovers(t testing.TB, s store.Store) map[string]int {
	t.Helper()
	m := map[string]int{}
	err := s.View(context.Background(), func(r store.Reader) error {
		for p, err := range r.Scan(store.Range{}) {
			if err != nil {
				return err
			}
			parts, err := store.Split(p.Key)
			if err != nil {
				return err
			}
			if kind := parts[1].(string); kind != "queue" && kind != "clock" {
				m[kind]++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}
