package message_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/message"
)

// event is what a caller did: sent a message of a group, or received and deleted it.
type event struct {
	group string
	take  bool
	id    message.ID
}

// line is what a group is to its callers: a queue.
var line = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		byGroup := map[string][]porcupine.Operation{}
		for _, o := range history {
			g := o.Input.(event).group
			byGroup[g] = append(byGroup[g], o)
		}
		var parts [][]porcupine.Operation
		for _, p := range byGroup {
			parts = append(parts, p)
		}
		return parts
	},
	Init: func() any { return "" },
	Step: func(state, input, _ any) (bool, any) {
		s, in := state.(string), input.(event)
		if !in.take {
			return true, s + in.id.String()
		}
		n := len(in.id.String())
		return len(s) >= n && s[:n] == in.id.String(), s[min(n, len(s)):]
	},
}

// Two nodes on one store: groups are queues to those who send and receive, whoever of
// them does it where.
func TestGroupsAreQueues(t *testing.T) {
	n := start(t)
	nodes := []*message.Engine{open(t, n.store, clock.System), open(t, n.store, clock.System)}
	q := queue(t, nodes[0], message.Settings{FIFO: true})
	const workers, each, groups = 6, 24, 8
	var mu sync.Mutex
	var history []porcupine.Operation
	begin := time.Now()
	note := func(client int, in event, call time.Time) {
		mu.Lock()
		defer mu.Unlock()
		history = append(history, porcupine.Operation{ClientId: client, Input: in, Call: int64(call.Sub(begin)), Return: int64(time.Since(begin))})
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				group, call := fmt.Sprint((w+i)%groups), time.Now()
				s, err := nodes[w%2].Send(t.Context(), q, message.Draft{Group: group, Body: []byte("x")})
				if err != nil {
					t.Error(err)
					return
				}
				note(w, event{group, false, s[0].ID}, call)
			}
		})
		wg.Go(func() {
			for range each {
				call, list, err := takeOne(t.Context(), nodes[(w+1)%2], q)
				if err != nil {
					t.Error(err)
					return
				}
				if errs, err := nodes[w%2].Delete(t.Context(), list[0].Receipt); err != nil || errs[0] != nil {
					t.Error(errs, err)
					return
				}
				note(workers+w, event{list[0].Group, true, list[0].ID}, call)
			}
		})
	}
	wg.Wait()
	if got := porcupine.CheckOperationsTimeout(line, history, 10*time.Second); got != porcupine.Ok {
		t.Errorf("that an order of sends and receives explains what was received is %s", got)
	}
	if c, err := nodes[0].Count(t.Context(), q); err != nil || c != (message.Counts{}) {
		t.Errorf("left behind: %+v, %v", c, err)
	}
}

// takeOne receives one message, and says when the call began that got it: each is short,
// so that few overlap and the history can be searched.
func takeOne(ctx context.Context, e *message.Engine, q message.QueueID) (call time.Time, list []*message.Message, err error) {
	for err == nil && len(list) == 0 {
		call = time.Now()
		list, err = e.Receive(ctx, q, message.Ask{Max: 1, Hide: time.Minute, Wait: time.Millisecond})
	}
	return call, list, err
}

// Of a standard queue on two nodes nothing is lost, and nobody receives what another
// has until its visibility is over.
func TestNobodyElseReceives(t *testing.T) {
	n := start(t)
	nodes := []*message.Engine{open(t, n.store, clock.System), open(t, n.store, clock.System)}
	q := queue(t, nodes[0], message.Settings{})
	const hide, total = 50 * time.Millisecond, 600
	var mu sync.Mutex
	until, gone := map[message.ID]time.Time{}, map[message.ID]bool{} // the earliest time for another
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			for range total / 6 {
				if _, err := nodes[w%2].Send(ctx, q, message.Draft{}); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				call := time.Now()
				list, err := nodes[w%2].Receive(ctx, q, message.Ask{Max: 4, Hide: hide, Wait: 200 * time.Millisecond})
				if err != nil {
					t.Error(err)
					return
				}
				back := time.Now()
				for k, m := range list {
					mu.Lock()
					if u, again := until[m.ID]; gone[m.ID] || again && back.Before(u) {
						t.Errorf("%s received at %v, which another has until %v, deleted %v", m.ID, back, u, gone[m.ID])
					}
					until[m.ID] = call.Add(hide)
					mu.Unlock()
					if (i+k)%3 == 0 {
						continue // left to the next
					}
					errs, err := nodes[(w+1)%2].Delete(ctx, m.Receipt)
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					gone[m.ID] = gone[m.ID] || errs[0] == nil
					mu.Unlock()
				}
				mu.Lock()
				all := len(gone) == total && allTrue(gone)
				mu.Unlock()
				if all {
					return
				}
			}
		})
	}
	wg.Wait()
	if len(gone) != total || !allTrue(gone) {
		t.Errorf("%d messages of %d were received and deleted", len(gone), total)
	}
}

func allTrue(m map[message.ID]bool) bool {
	for _, v := range m {
		if !v {
			return false
		}
	}
	return true
}
