package queue

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// draftOf reads a message from the members of a request or of an entry of a batch.
func draftOf(e *types.SendMessageBatchRequestEntry) (*Draft, error) {
	d := &Draft{Delay: duration(e.DelaySeconds), Group: aws.ToString(e.MessageGroupId), Dedup: aws.ToString(e.MessageDeduplicationId)}
	if e.DelaySeconds < 0 && e.DelaySeconds != unsent {
		return nil, invalidValue(e.DelaySeconds, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.")
	}
	for p, v := range map[string]*string{"MessageGroupId": e.MessageGroupId, "MessageDeduplicationId": e.MessageDeduplicationId} {
		if v != nil && *v == "" {
			return nil, invalidValue("", p, p+" can only include alphanumeric and punctuation characters. 1 to 128 in length.")
		}
	}
	d.Text = aws.ToString(e.MessageBody)
	for name, v := range e.MessageAttributes {
		if len(v.StringListValues) > 0 || len(v.BinaryListValues) > 0 {
			return nil, refuse("UnsupportedOperation", "Message attribute list values in SendMessage operation are not supported.")
		}
		d.Attributes = append(d.Attributes, Attribute{Name: name, Type: aws.ToString(v.DataType), Text: aws.ToString(v.StringValue), Binary: v.BinaryValue})
	}
	for name, v := range e.MessageSystemAttributes {
		if name != "AWSTraceHeader" || aws.ToString(v.DataType) != "String" || aws.ToString(v.StringValue) == "" {
			return nil, invalid("The message system attribute '%s' is invalid: only AWSTraceHeader is supported, a text.", clip(name))
		}
		d.Trace = *v.StringValue
	}
	return d, nil
}

func (a api) sendMessage(ctx context.Context, in *sqs.SendMessageInput) (*sqs.SendMessageOutput, error) {
	q, err := a.ByURL(ctx, aws.ToString(in.QueueUrl))
	if err != nil {
		return nil, err
	}
	d, err := draftOf(&types.SendMessageBatchRequestEntry{
		MessageBody: in.MessageBody, DelaySeconds: in.DelaySeconds, MessageAttributes: in.MessageAttributes,
		MessageSystemAttributes: in.MessageSystemAttributes, MessageGroupId: in.MessageGroupId, MessageDeduplicationId: in.MessageDeduplicationId,
	})
	if err != nil {
		return nil, err
	}
	s, err := a.Send(ctx, q, *d)
	if err != nil {
		return nil, err
	}
	return &sqs.SendMessageOutput{
		MessageId: &s.ID, SequenceNumber: text(s.Number), MD5OfMessageBody: &s.MD5,
		MD5OfMessageAttributes: text(s.MD5OfAttributes), MD5OfMessageSystemAttributes: text(s.MD5OfSystems),
	}, nil
}

func (a api) sendMessageBatch(ctx context.Context, in *sqs.SendMessageBatchInput) (*sqs.SendMessageBatchOutput, error) {
	q, err := a.ByURL(ctx, aws.ToString(in.QueueUrl))
	if err != nil {
		return nil, err
	}
	b, err := newBatch("SendMessageBatchRequestEntry", len(in.Entries), func(i int) *string { return in.Entries[i].Id })
	if err != nil {
		return nil, err
	}
	var drafts []*Draft
	var at []int
	total := 0
	for i := range in.Entries {
		d, err := draftOf(&in.Entries[i])
		if err != nil {
			b.failed(i, err)
			continue
		}
		total += d.size()
		drafts, at = append(drafts, d), append(at, i)
	}
	if total > maxMessage {
		return nil, refuse("BatchRequestTooLong", "Batch requests cannot be longer than %d bytes. You have sent %d bytes.", maxMessage, total)
	}
	sent, errs, err := a.sendAll(ctx, q, drafts)
	if err != nil {
		return nil, err
	}
	out := &sqs.SendMessageBatchOutput{Successful: []types.SendMessageBatchResultEntry{}}
	for k, s := range sent {
		if errs[k] != nil {
			b.failed(at[k], errs[k])
			continue
		}
		out.Successful = append(out.Successful, types.SendMessageBatchResultEntry{
			Id: in.Entries[at[k]].Id, MessageId: &s.ID, SequenceNumber: text(s.Number), MD5OfMessageBody: &s.MD5,
			MD5OfMessageAttributes: text(s.MD5OfAttributes), MD5OfMessageSystemAttributes: text(s.MD5OfSystems),
		})
	}
	out.Failed = b.failures
	return out, nil
}

func (a api) receiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput) (*sqs.ReceiveMessageOutput, error) {
	q, err := a.ByURL(ctx, aws.ToString(in.QueueUrl))
	if err != nil {
		return nil, err
	}
	systems := append(names(in.AttributeNames), names(in.MessageSystemAttributeNames)...)
	for _, n := range systems {
		if !slices.Contains(systemNames, n) {
			return nil, unknownAttribute(n)
		}
	}
	ask := Ask{Most: 1, Visibility: duration(in.VisibilityTimeout), Wait: duration(in.WaitTimeSeconds), Attempt: aws.ToString(in.ReceiveRequestAttemptId)}
	if in.MaxNumberOfMessages != unsent {
		ask.Most = int(in.MaxNumberOfMessages)
	}
	for p, n := range map[string]int32{"VisibilityTimeout": in.VisibilityTimeout, "WaitTimeSeconds": in.WaitTimeSeconds} {
		if n < 0 && n != unsent {
			return nil, invalidValue(n, p, "Must not be negative.")
		}
	}
	list, err := a.Receive(ctx, q, ask)
	if err != nil {
		return nil, err
	}
	out := &sqs.ReceiveMessageOutput{}
	for _, r := range list {
		m := types.Message{
			MessageId: aws.String(r.ID.String()), ReceiptHandle: aws.String(r.Receipt.String()), Body: aws.String(r.Text),
			MD5OfBody: aws.String(r.MD5), Attributes: r.wantedSystems(systems),
		}
		if own := r.wanted(in.MessageAttributeNames); len(own) > 0 {
			m.MD5OfMessageAttributes, m.MessageAttributes = aws.String(sumOf(own)), attributesOut(own)
		}
		out.Messages = append(out.Messages, m)
	}
	return out, nil
}

func attributesOut(list []Attribute) map[string]types.MessageAttributeValue {
	m := map[string]types.MessageAttributeValue{}
	for _, a := range list {
		v := types.MessageAttributeValue{DataType: aws.String(a.Type), BinaryValue: a.Binary}
		if a.Binary == nil {
			v.StringValue = aws.String(a.Text)
		}
		m[a.Name] = v
	}
	return m
}

func (a api) deleteMessage(ctx context.Context, in *sqs.DeleteMessageInput) (*sqs.DeleteMessageOutput, error) {
	q, err := a.ByURL(ctx, aws.ToString(in.QueueUrl))
	if err != nil {
		return nil, err
	}
	errs, err := a.DeleteMessages(ctx, q, []string{aws.ToString(in.ReceiptHandle)})
	if err == nil {
		err = errs[0]
	}
	return nil, err
}

func (a api) deleteMessageBatch(ctx context.Context, in *sqs.DeleteMessageBatchInput) (*sqs.DeleteMessageBatchOutput, error) {
	q, err := a.ByURL(ctx, aws.ToString(in.QueueUrl))
	if err != nil {
		return nil, err
	}
	b, err := newBatch("DeleteMessageBatchRequestEntry", len(in.Entries), func(i int) *string { return in.Entries[i].Id })
	if err != nil {
		return nil, err
	}
	handles := make([]string, len(in.Entries))
	for i, e := range in.Entries {
		handles[i] = aws.ToString(e.ReceiptHandle)
	}
	errs, err := a.DeleteMessages(ctx, q, handles)
	if err != nil {
		return nil, err
	}
	out := &sqs.DeleteMessageBatchOutput{Successful: []types.DeleteMessageBatchResultEntry{}}
	for i, err := range errs {
		if err != nil {
			b.failed(i, err)
			continue
		}
		out.Successful = append(out.Successful, types.DeleteMessageBatchResultEntry{Id: in.Entries[i].Id})
	}
	out.Failed = b.failures
	return out, nil
}

func (a api) changeMessageVisibility(ctx context.Context, in *sqs.ChangeMessageVisibilityInput) (*sqs.ChangeMessageVisibilityOutput, error) {
	q, err := a.ByURL(ctx, aws.ToString(in.QueueUrl))
	if err != nil {
		return nil, err
	}
	if in.VisibilityTimeout == unsent {
		return nil, missing("VisibilityTimeout")
	}
	return nil, a.Hide(ctx, q, aws.ToString(in.ReceiptHandle), duration(in.VisibilityTimeout))
}

func (a api) changeMessageVisibilityBatch(ctx context.Context, in *sqs.ChangeMessageVisibilityBatchInput) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
	q, err := a.ByURL(ctx, aws.ToString(in.QueueUrl))
	if err != nil {
		return nil, err
	}
	b, err := newBatch("ChangeMessageVisibilityBatchRequestEntry", len(in.Entries), func(i int) *string { return in.Entries[i].Id })
	if err != nil {
		return nil, err
	}
	out := &sqs.ChangeMessageVisibilityBatchOutput{Successful: []types.ChangeMessageVisibilityBatchResultEntry{}}
	for i, e := range in.Entries {
		err := error(missing("VisibilityTimeout"))
		if e.VisibilityTimeout != unsent {
			err = a.Hide(ctx, q, aws.ToString(e.ReceiptHandle), duration(e.VisibilityTimeout))
		}
		if err != nil {
			b.failed(i, err)
			continue
		}
		out.Successful = append(out.Successful, types.ChangeMessageVisibilityBatchResultEntry{Id: e.Id})
	}
	out.Failed = b.failures
	return out, nil
}
