package message_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/message"
)

func TestGroupsKeepOrder(t *testing.T) {
	n := start(t)
	q := n.queue(t, message.Settings{FIFO: true})
	n.send(t, q, "a:1", "b:1", "a:2", "a:3", "b:2")
	first := n.gets(t, q, 2, "a:1", "a:2")
	n.counts(t, q, 3, 2, 0)
	other := n.gets(t, q, 10, "b:1", "b:2") // a is blocked
	n.gets(t, q, 10)
	n.deleted(t, nil, first[1])
	n.gets(t, q, 10) // still blocked by the first
	if err := n.Hide(t.Context(), first[0].Receipt, 0); err != nil {
		t.Fatal(err)
	}
	again := n.gets(t, q, 10, "a:1 2", "a:3")
	n.deleted(t, message.ErrGone, first[0])
	n.deleted(t, nil, again...)
	n.deleted(t, nil, other[0])
	n.clock.Advance(time.Minute)
	n.deleted(t, message.ErrExpired, other[1])
	last := n.gets(t, q, 10, "b:2 2")
	n.deleted(t, nil, last...)
	n.counts(t, q, 0, 0, 0)
	n.clock.Advance(message.Remembered + time.Second)
	if err := n.Forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]int{}, leftovers(t, n.store)); d != "" {
		t.Errorf("left behind:\n%s", d)
	}
}

// Numbers rise within a group, also after it was empty.
func TestNumbers(t *testing.T) {
	n := start(t)
	q := n.queue(t, message.Settings{FIFO: true})
	last := uint64(0)
	for i := range 20 {
		s, err := n.Send(t.Context(), q, message.Draft{Group: "a"}, message.Draft{Group: "a"})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range s {
			if m.Number <= last {
				t.Errorf("number %d after %d", m.Number, last)
			}
			last = m.Number
		}
		if i%3 == 0 {
			n.deleted(t, nil, n.receive(t, q, 100)...)
		}
	}
}

func TestDeduplication(t *testing.T) {
	n := start(t)
	q, byGroup := n.queue(t, message.Settings{FIFO: true}), n.queue(t, message.Settings{FIFO: true, ByGroup: true})
	send := func(q message.QueueID, group, dedup string) message.Sent {
		t.Helper()
		s, err := n.Send(t.Context(), q, message.Draft{Group: group, Dedup: dedup, Body: []byte(group + dedup)})
		if err != nil {
			t.Fatal(err)
		}
		return s[0]
	}
	first := send(q, "a", "x")
	want := first
	want.Duplicate = true
	for _, group := range []string{"a", "b"} {
		if got := send(q, group, "x"); got != want {
			t.Errorf("again in group %s: %+v, want %+v", group, got, want)
		}
	}
	n.deleted(t, nil, n.gets(t, q, 10, "ax")...)
	n.clock.Advance(message.Remembered - time.Second)
	if got := send(q, "a", "x"); !got.Duplicate {
		t.Error("forgotten once it is deleted")
	}
	n.clock.Advance(2 * time.Second)
	if got := send(q, "a", "x"); got.Duplicate {
		t.Error("remembered for too long")
	}
	send(byGroup, "a", "x")
	if send(byGroup, "b", "x").Duplicate || !send(byGroup, "b", "x").Duplicate {
		t.Error("ids must count within their group")
	}
	s, err := n.Send(t.Context(), q, message.Draft{Group: "c", Dedup: "y"}, message.Draft{Group: "c", Dedup: "y"})
	if err != nil || s[0].Duplicate || !s[1].Duplicate {
		t.Errorf("twice in one batch: %+v, %v", s, err)
	}
}

func TestGroupDelay(t *testing.T) {
	n := start(t)
	q := n.queue(t, message.Settings{FIFO: true})
	for _, d := range []time.Duration{0, time.Minute} {
		if _, err := n.Send(t.Context(), q, message.Draft{Body: []byte(d.String()), Group: "a", Delay: d}); err != nil {
			t.Fatal(err)
		}
	}
	n.deleted(t, nil, n.gets(t, q, 10, "0s")...)
	n.gets(t, q, 10)
	n.counts(t, q, 0, 0, 1)
	n.clock.Advance(time.Minute)
	n.gets(t, q, 10, "1m0s")
}

func TestGroupDeadLetter(t *testing.T) {
	n := start(t)
	dlq := n.queue(t, message.Settings{FIFO: true})
	q := n.queue(t, message.Settings{FIFO: true, DeadLetter: dlq, After: 2})
	n.send(t, q, "a:1", "a:2")
	n.gets(t, q, 1, "a:1")
	n.clock.Advance(time.Minute)
	n.gets(t, q, 1, "a:1 2")
	n.clock.Advance(time.Minute)
	n.gets(t, q, 1, "a:2")
	n.gets(t, dlq, 10, "a:1")
	n.clock.Advance(time.Minute)
	if moved, err := n.Move(t.Context(), dlq, 10, func(*message.Message) (message.QueueID, bool) { return q, true }); moved != 1 || err != nil {
		t.Errorf("%d moved, %v", moved, err)
	}
	n.gets(t, q, 10, "a:2 2", "a:1")
}

func TestGroupRetention(t *testing.T) {
	n := start(t)
	q := n.queue(t, message.Settings{FIFO: true, Retention: time.Hour})
	n.send(t, q, "a:1", "b:1")
	n.clock.Advance(50 * time.Minute)
	n.send(t, q, "a:2")
	n.clock.Advance(20 * time.Minute)
	n.gets(t, q, 10, "a:2")
	n.clock.Advance(time.Hour)
	if err := n.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.counts(t, q, 0, 0, 0)
}

func TestSameAttempt(t *testing.T) {
	n := start(t)
	q := n.queue(t, message.Settings{FIFO: true})
	n.send(t, q, "a:1", "b:1", "c:1")
	try := func(id string, most int) (bodies []string, list []*message.Message) {
		t.Helper()
		list, err := n.Receive(t.Context(), q, message.Ask{Max: most, Hide: time.Minute, Attempt: id})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range list {
			bodies = append(bodies, string(m.Body))
		}
		return bodies, list
	}
	_, first := try("x", 2)
	n.clock.Advance(50 * time.Second)
	same, second := try("x", 2)
	if d := cmp.Diff([]string{"a:1", "b:1"}, same); d != "" || second[0].Receipt != first[0].Receipt || second[0].Receives != 1 {
		t.Errorf("again:\n%s", d)
	}
	if other, _ := try("y", 2); len(other) != 1 {
		t.Errorf("another attempt got %q", other)
	}
	n.clock.Advance(50 * time.Second) // hidden anew
	n.deleted(t, nil, second[0])
	if got, _ := try("x", 2); len(got) != 0 {
		t.Errorf("after a delete: %q", got)
	}
	n.clock.Advance(10 * time.Minute)
	if err := n.Forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := leftovers(t, n.store)["attempt"]; got != 0 {
		t.Errorf("%d attempts are remembered", got)
	}
}
