package queue

import (
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/schemas"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// api turns the SDK's inputs into calls of the Service, and what comes back into
// its outputs.
type api struct{ *Service }

// unsent stands in the inputs where a number was not sent.
const unsent = math.MinInt32

// API lists SQS's operations.
func (s *Service) API() wire.API {
	a := api{s}
	return wire.API{
		Service:   "sqs",
		Protocols: []wire.Protocol{wire.JSON10, wire.Query},
		Target:    "AmazonSQS",
		Namespace: "http://queue.amazonaws.com/doc/2012-11-05/",
		Errors:    sqs.TypeRegistry,
		Access:    a.access(),
		Unsent: []any{
			sqs.SendMessageInput{DelaySeconds: unsent},
			types.SendMessageBatchRequestEntry{DelaySeconds: unsent},
			sqs.ReceiveMessageInput{MaxNumberOfMessages: unsent, VisibilityTimeout: unsent, WaitTimeSeconds: unsent},
			sqs.ChangeMessageVisibilityInput{VisibilityTimeout: unsent},
			types.ChangeMessageVisibilityBatchRequestEntry{VisibilityTimeout: unsent},
		},
		Operations: []wire.Operation{
			wire.Op(schemas.CreateQueue, a.createQueue),
			wire.Op(schemas.DeleteQueue, a.deleteQueue),
			wire.Op(schemas.GetQueueUrl, a.getQueueURL),
			wire.Op(schemas.ListQueues, a.listQueues),
			wire.Op(schemas.ListDeadLetterSourceQueues, a.listDeadLetterSourceQueues),
			wire.Op(schemas.GetQueueAttributes, a.getQueueAttributes),
			wire.Op(schemas.SetQueueAttributes, a.setQueueAttributes),
			wire.Op(schemas.PurgeQueue, a.purgeQueue),

			wire.Op(schemas.SendMessage, a.sendMessage),
			wire.Op(schemas.SendMessageBatch, a.sendMessageBatch),
			wire.Op(schemas.ReceiveMessage, a.receiveMessage),
			wire.Op(schemas.DeleteMessage, a.deleteMessage),
			wire.Op(schemas.DeleteMessageBatch, a.deleteMessageBatch),
			wire.Op(schemas.ChangeMessageVisibility, a.changeMessageVisibility),
			wire.Op(schemas.ChangeMessageVisibilityBatch, a.changeMessageVisibilityBatch),

			wire.Op(schemas.TagQueue, a.tagQueue),
			wire.Op(schemas.UntagQueue, a.untagQueue),
			wire.Op(schemas.ListQueueTags, a.listQueueTags),
			wire.Op(schemas.AddPermission, a.addPermission),
			wire.Op(schemas.RemovePermission, a.removePermission),

			wire.Op(schemas.StartMessageMoveTask, a.startMessageMoveTask),
			wire.Op(schemas.CancelMessageMoveTask, a.cancelMessageMoveTask),
			wire.Op(schemas.ListMessageMoveTasks, a.listMessageMoveTasks),
		},
	}
}

// text makes an optional text of an output: nil for an empty one.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// duration is seconds that were sent, or one below zero.
func duration(seconds int32) time.Duration {
	if seconds == unsent {
		return -1
	}
	return time.Duration(seconds) * time.Second
}

// limitOf checks how many queues are wanted; 0 for no limit.
func limitOf(n *int32) (int, error) {
	if n == nil {
		return 0, nil
	}
	if *n < 1 || *n > maxListed {
		return 0, invalidValue(*n, "MaxResults", "Must be between 1 and 1000, if provided.")
	}
	return int(*n), nil
}

func names[T ~string](list []T) []string {
	s := make([]string, len(list))
	for i, v := range list {
		s[i] = string(v)
	}
	return s
}
