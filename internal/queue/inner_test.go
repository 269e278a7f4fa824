package queue_test

import (
	"context"
	"errors"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/message"
	"github.com/mayfly-cloud/mayfly/internal/queue"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// What a caller sends in its own transaction is sent with the rest of it, or not at all.
func TestSendIn(t *testing.T) {
	n, ctx := start(t), context.Background()
	q := n.create(t, "a")
	failed := errors.New("no")
	send := func(end error) error {
		return n.store.Update(ctx, func(tx store.Tx) error {
			if _, err := n.service.SendIn(ctx, tx, prefix+"a", queue.Draft{Content: queue.Content{Text: "event"}, Delay: -1}); err != nil {
				return err
			}
			return end
		})
	}
	if err := send(failed); !errors.Is(err, failed) {
		t.Error(err)
	}
	equal(t, "undone", 0, len(n.receive(t, q)))
	if err := send(nil); err != nil {
		t.Error(err)
	}
	equal(t, "counted", "1", n.attributes(t, q, "All")["ApproximateNumberOfMessages"])
}

// Another node on the same store serves the same queues, with what was changed here.
func TestTwoNodes(t *testing.T) {
	n, ctx := start(t), context.Background()
	messages, err := message.Open(ctx, message.Config{Store: n.store, Clock: n.clock})
	if err != nil {
		t.Fatal(err)
	}
	other := queue.New(queue.Config{Store: n.store, Messages: messages, Policies: grammar{}, Endpoint: at("http://other"), Account: account, Region: region, Clock: n.clock})
	q := n.create(t, "a")
	there, err := other.ByARN(ctx, prefix+"a")
	if err != nil {
		t.Fatal(err)
	}
	n.send(t, q, "one")
	list, err := other.Receive(ctx, there, queue.Ask{Most: 10, Visibility: -1, Wait: -1})
	if err != nil || len(list) != 1 || list[0].Text != "one" {
		t.Fatal(list, err)
	}
	equal(t, "hidden here too", 0, len(n.receive(t, q)))
	if errs, err := n.service.DeleteMessages(ctx, there, []string{list[0].Receipt.String()}); err != nil || errs[0] != nil {
		t.Error(errs, err)
	}
	if err := n.set(q, "VisibilityTimeout", "7"); err != nil {
		t.Fatal(err)
	}
	if there, err = other.ByARN(ctx, prefix+"a"); err != nil || there.Visibility() != 7 {
		t.Errorf("%v, %v", there, err)
	}
}
