package queue

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func (a api) createQueue(ctx context.Context, in *sqs.CreateQueueInput) (*sqs.CreateQueueOutput, error) {
	q, err := a.Create(ctx, aws.ToString(in.QueueName), in.Attributes, in.Tags)
	if err != nil {
		return nil, err
	}
	return &sqs.CreateQueueOutput{QueueUrl: aws.String(a.URL(ctx, q.Name))}, nil
}

func (a api) deleteQueue(ctx context.Context, in *sqs.DeleteQueueInput) (*sqs.DeleteQueueOutput, error) {
	return nil, a.Delete(ctx, aws.ToString(in.QueueUrl))
}

func (a api) getQueueURL(ctx context.Context, in *sqs.GetQueueUrlInput) (*sqs.GetQueueUrlOutput, error) {
	if aws.ToString(in.QueueName) == "" {
		return nil, missing("QueueName")
	}
	if owner := aws.ToString(in.QueueOwnerAWSAccountId); owner != "" && owner != a.cfg.Account {
		return nil, errNotFound
	}
	q, err := a.byName(ctx, *in.QueueName)
	if err != nil {
		return nil, err
	}
	return &sqs.GetQueueUrlOutput{QueueUrl: aws.String(a.URL(ctx, q.Name))}, nil
}

func (a api) listQueues(ctx context.Context, in *sqs.ListQueuesInput) (*sqs.ListQueuesOutput, error) {
	most, err := limitOf(in.MaxResults)
	if err != nil {
		return nil, err
	}
	list, token, err := a.List(ctx, aws.ToString(in.QueueNamePrefix), most, aws.ToString(in.NextToken))
	return &sqs.ListQueuesOutput{QueueUrls: a.urls(ctx, list), NextToken: text(token)}, err
}

func (a api) listDeadLetterSourceQueues(ctx context.Context, in *sqs.ListDeadLetterSourceQueuesInput) (*sqs.ListDeadLetterSourceQueuesOutput, error) {
	most, err := limitOf(in.MaxResults)
	if err != nil {
		return nil, err
	}
	list, token, err := a.Sources(ctx, aws.ToString(in.QueueUrl), most, aws.ToString(in.NextToken))
	if err != nil {
		return nil, err
	}
	out := &sqs.ListDeadLetterSourceQueuesOutput{QueueUrls: a.urls(ctx, list), NextToken: text(token)}
	if out.QueueUrls == nil {
		out.QueueUrls = []string{}
	}
	return out, nil
}

func (a api) urls(ctx context.Context, list []string) (urls []string) {
	for _, name := range list {
		urls = append(urls, a.URL(ctx, name))
	}
	return urls
}

func (a api) getQueueAttributes(ctx context.Context, in *sqs.GetQueueAttributesInput) (*sqs.GetQueueAttributesOutput, error) {
	q, err := a.ByURL(ctx, aws.ToString(in.QueueUrl))
	if err != nil {
		return nil, err
	}
	m, err := a.attributesOf(ctx, q, names(in.AttributeNames))
	if len(m) == 0 {
		m = nil
	}
	return &sqs.GetQueueAttributesOutput{Attributes: m}, err
}

func (a api) setQueueAttributes(ctx context.Context, in *sqs.SetQueueAttributesInput) (*sqs.SetQueueAttributesOutput, error) {
	if len(in.Attributes) == 0 {
		return nil, missing("Attribute.Name")
	}
	return nil, a.SetAttributes(ctx, aws.ToString(in.QueueUrl), in.Attributes)
}

func (a api) purgeQueue(ctx context.Context, in *sqs.PurgeQueueInput) (*sqs.PurgeQueueOutput, error) {
	return nil, a.Purge(ctx, aws.ToString(in.QueueUrl))
}

func (a api) tagQueue(ctx context.Context, in *sqs.TagQueueInput) (*sqs.TagQueueOutput, error) {
	if len(in.Tags) == 0 {
		return nil, missing("Tags")
	}
	return nil, a.AddTags(ctx, aws.ToString(in.QueueUrl), in.Tags)
}

func (a api) untagQueue(ctx context.Context, in *sqs.UntagQueueInput) (*sqs.UntagQueueOutput, error) {
	if len(in.TagKeys) == 0 {
		return nil, missing("TagKeys")
	}
	return nil, a.RemoveTags(ctx, aws.ToString(in.QueueUrl), in.TagKeys)
}

func (a api) listQueueTags(ctx context.Context, in *sqs.ListQueueTagsInput) (*sqs.ListQueueTagsOutput, error) {
	q, err := a.ByURL(ctx, aws.ToString(in.QueueUrl))
	if err != nil {
		return nil, err
	}
	out := &sqs.ListQueueTagsOutput{}
	if len(q.Tags) > 0 {
		out.Tags = q.Tags
	}
	return out, nil
}

func (a api) addPermission(ctx context.Context, in *sqs.AddPermissionInput) (*sqs.AddPermissionOutput, error) {
	return nil, a.AddPermission(ctx, aws.ToString(in.QueueUrl), aws.ToString(in.Label), in.AWSAccountIds, in.Actions)
}

func (a api) removePermission(ctx context.Context, in *sqs.RemovePermissionInput) (*sqs.RemovePermissionOutput, error) {
	return nil, a.RemovePermission(ctx, aws.ToString(in.QueueUrl), aws.ToString(in.Label))
}

func (a api) startMessageMoveTask(ctx context.Context, in *sqs.StartMessageMoveTaskInput) (*sqs.StartMessageMoveTaskOutput, error) {
	if aws.ToString(in.SourceArn) == "" {
		return nil, missing("SourceArn")
	}
	handle, err := a.StartMove(ctx, *in.SourceArn, aws.ToString(in.DestinationArn), in.MaxNumberOfMessagesPerSecond)
	return &sqs.StartMessageMoveTaskOutput{TaskHandle: &handle}, err
}

func (a api) cancelMessageMoveTask(ctx context.Context, in *sqs.CancelMessageMoveTaskInput) (*sqs.CancelMessageMoveTaskOutput, error) {
	if aws.ToString(in.TaskHandle) == "" {
		return nil, missing("TaskHandle")
	}
	moved, err := a.CancelMove(ctx, *in.TaskHandle)
	return &sqs.CancelMessageMoveTaskOutput{ApproximateNumberOfMessagesMoved: int64(moved)}, err
}

func (a api) listMessageMoveTasks(ctx context.Context, in *sqs.ListMessageMoveTasksInput) (*sqs.ListMessageMoveTasksOutput, error) {
	if aws.ToString(in.SourceArn) == "" {
		return nil, missing("SourceArn")
	}
	list, err := a.Moves(ctx, *in.SourceArn, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &sqs.ListMessageMoveTasksOutput{}
	for _, t := range list {
		e := types.ListMessageMoveTasksResultEntry{
			ApproximateNumberOfMessagesMoved: int64(t.Moved), ApproximateNumberOfMessagesToMove: aws.Int64(int64(t.ToMove)),
			SourceArn: aws.String(a.arn(t.Queue)), DestinationArn: text(t.Target), Status: aws.String(t.Status),
			StartedTimestamp: t.Started.UnixMilli(), FailureReason: text(t.Failure),
		}
		if t.Rate > 0 {
			e.MaxNumberOfMessagesPerSecond = aws.Int32(int32(t.Rate))
		}
		if t.Status == running {
			e.TaskHandle = aws.String(a.handle(t))
		}
		out.Results = append(out.Results, e)
	}
	return out, nil
}
