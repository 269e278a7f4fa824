package cloud

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/gateway"
	"github.com/mayfly-cloud/mayfly/internal/message"
	"github.com/mayfly-cloud/mayfly/internal/queue"
)

// openQueues opens the engine of messages, and the queues on it.
func (n *Node) openQueues(ctx context.Context) error {
	engine, err := message.Open(ctx, message.Config{Store: n.store, Clock: clock.System, Log: n.cfg.Log})
	if err != nil {
		return fmt.Errorf("open messages: %w", err)
	}
	n.run("messages", engine.Run)
	n.queues = queue.New(queue.Config{
		Store: n.store, Messages: engine, Policies: policies{}, Endpoint: n.endpoint,
		Account: n.root.Account(), Region: n.cfg.Region, Clock: clock.System, Log: n.cfg.Log,
	})
	n.run("queues", n.queues.Run)
	return nil
}

// endpoint is where a request reached the node.
func (n *Node) endpoint(ctx context.Context) string {
	if at := gateway.Endpoint(ctx); at != "" {
		return at
	}
	return "http://" + n.cfg.Listen
}

// sendTo puts what an asynchronous call left behind into a queue.
func (n *Node) sendTo(ctx context.Context, queueARN string, body []byte, attributes map[string]string) error {
	q, err := n.queues.ByARN(ctx, queueARN)
	if err != nil {
		return err
	}
	d := queue.Draft{Content: queue.Content{Text: string(body)}, Delay: -1}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		kind := "String"
		if name == "ErrorCode" {
			kind = "Number" // as AWS has it: the status that the caller would have got
		}
		d.Attributes = append(d.Attributes, queue.Attribute{Name: name, Type: kind, Text: attributes[name]})
	}
	_, err = n.queues.Send(ctx, q, d)
	return err
}
