package queue

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/mayfly-cloud/mayfly/internal/access"
)

// access is what each operation needs. The batches need what their single operations do.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
func (a api) access() access.Table {
	t := access.Table{
		"CreateQueue":           {Action: "sqs:CreateQueue", Resources: a.named, Keys: tagged, Also: a.createToo},
		"GetQueueUrl":           {Action: "sqs:GetQueueUrl", Resources: a.named, Keys: a.conditions},
		"ListQueues":            {Action: "sqs:ListQueues"},
		"StartMessageMoveTask":  {Action: "sqs:StartMessageMoveTask", Resources: source, Keys: a.conditions, Also: moveToo},
		"ListMessageMoveTasks":  {Action: "sqs:ListMessageMoveTasks", Resources: source, Keys: a.conditions},
		"CancelMessageMoveTask": {Action: "sqs:CancelMessageMoveTask", Resources: a.ofTask},
	}
	for operation, action := range map[string]string{
		"DeleteQueue": "", "GetQueueAttributes": "", "SetQueueAttributes": "", "PurgeQueue": "", "ListDeadLetterSourceQueues": "",
		"SendMessage": "", "SendMessageBatch": "SendMessage", "ReceiveMessage": "", "DeleteMessage": "", "DeleteMessageBatch": "DeleteMessage",
		"ChangeMessageVisibility": "", "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
		"TagQueue": "", "UntagQueue": "", "ListQueueTags": "", "AddPermission": "", "RemovePermission": "",
	} {
		if action == "" {
			action = operation
		}
		t[operation] = access.Rule{Action: "sqs:" + action, Resources: a.ofQueue, Keys: a.conditions}
	}
	return t
}

// ofQueue is the ARN of the queue that a QueueUrl means, or would.
func (a api) ofQueue(_ context.Context, in any) []string {
	name, err := a.nameOf(access.Text(in, "QueueUrl"))
	if err != nil {
		return []string{"*"}
	}
	return []string{a.arn(name)}
}

func (a api) named(_ context.Context, in any) []string {
	return []string{a.arn(access.Text(in, "QueueName"))}
}

func source(_ context.Context, in any) []string { return []string{access.Text(in, "SourceArn")} }

// ofTask is the queue whose messages a task moves.
func (a api) ofTask(_ context.Context, in any) []string {
	t, err := parseHandle(access.Text(in, "TaskHandle"))
	if err != nil {
		return []string{"*"}
	}
	return []string{t.SourceARN}
}

// conditions are the tags of the queue and those of the request.
func (a api) conditions(ctx context.Context, in any) access.Keys {
	keys := tagged(ctx, in)
	q, err := a.ByURL(ctx, access.Text(in, "QueueUrl"))
	if err != nil {
		q, err = a.ByARN(ctx, access.Text(in, "SourceArn"))
	}
	if err != nil {
		q, err = a.byName(ctx, access.Text(in, "QueueName"))
	}
	if err != nil {
		return keys
	}
	for name, value := range q.Tags {
		keys["aws:ResourceTag/"+name] = []string{value}
	}
	return keys
}

// tagged are the tags of a request.
func tagged(_ context.Context, in any) access.Keys {
	keys := access.Keys{}
	var tags map[string]string
	var removed []string
	switch in := in.(type) {
	case *sqs.CreateQueueInput:
		tags = in.Tags
	case *sqs.TagQueueInput:
		tags = in.Tags
	case *sqs.UntagQueueInput:
		removed = in.TagKeys
	}
	for name, value := range tags {
		keys["aws:RequestTag/"+name] = []string{value}
	}
	if all := append(slices.Sorted(maps.Keys(tags)), removed...); len(all) > 0 {
		keys["aws:TagKeys"] = all
	}
	return keys
}

// createToo is what a new queue with tags asks for besides.
func (a api) createToo(ctx context.Context, in any) []access.Need {
	if len(in.(*sqs.CreateQueueInput).Tags) == 0 {
		return nil
	}
	return []access.Need{{Action: "sqs:TagQueue", Resource: a.named(ctx, in)[0], Keys: tagged(ctx, in)}}
}

// moveToo is what a move asks for besides: to receive and delete where it takes from,
// and to send where it puts. Where each message goes back to is known only when it is
// moved, so that needs to be allowed for every queue.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
func moveToo(_ context.Context, in any) []access.Need {
	move := in.(*sqs.StartMessageMoveTaskInput)
	from, to := aws.ToString(move.SourceArn), "*"
	if move.DestinationArn != nil {
		to = *move.DestinationArn
	}
	return []access.Need{
		{Action: "sqs:ReceiveMessage", Resource: from}, {Action: "sqs:DeleteMessage", Resource: from},
		{Action: "sqs:GetQueueAttributes", Resource: from}, {Action: "sqs:SendMessage", Resource: to},
	}
}
