package queue_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

func TestEveryOperationSaysWhatItNeeds(t *testing.T) {
	n := start(t)
	api := n.service.API()
	router, err := wire.New(api)
	if err != nil {
		t.Fatal(err)
	}
	for _, operation := range router.Operations() {
		if want := "sqs:" + strings.TrimSuffix(operation, "Batch"); api.Access[operation].Action != want {
			t.Errorf("%s asks for %q", operation, api.Access[operation].Action)
		}
	}
	if len(api.Access) != len(router.Operations()) || len(api.Access) != 23 {
		t.Errorf("%d rules for %d operations", len(api.Access), len(router.Operations()))
	}
}

func TestNeeds(t *testing.T) {
	n, ctx := start(t), context.Background()
	rules := n.service.API().Access
	q := n.create(t, "a")
	ok[sqs.TagQueueOutput](t)(n.TagQueue(ctx, &sqs.TagQueueInput{QueueUrl: q, Tags: map[string]string{"team": "red"}}))
	for name, test := range map[string]struct {
		operation string
		in        any
		want      []string
	}{
		"send":       {"SendMessage", &sqs.SendMessageInput{QueueUrl: q}, []string{"sqs:SendMessage " + prefix + "a"}},
		"batch":      {"DeleteMessageBatch", &sqs.DeleteMessageBatchInput{QueueUrl: q}, []string{"sqs:DeleteMessage " + prefix + "a"}},
		"not there":  {"PurgeQueue", &sqs.PurgeQueueInput{QueueUrl: aws.String(*q + "x")}, []string{"sqs:PurgeQueue " + prefix + "ax"}},
		"no address": {"PurgeQueue", &sqs.PurgeQueueInput{QueueUrl: aws.String("a")}, []string{"sqs:PurgeQueue *"}},
		"list":       {"ListQueues", &sqs.ListQueuesInput{}, []string{"sqs:ListQueues *"}},
		"by name":    {"GetQueueUrl", &sqs.GetQueueUrlInput{QueueName: aws.String("a")}, []string{"sqs:GetQueueUrl " + prefix + "a"}},
		"create with tags": {"CreateQueue", &sqs.CreateQueueInput{QueueName: aws.String("b"), Tags: map[string]string{"x": "y"}},
			[]string{"sqs:CreateQueue " + prefix + "b", "sqs:TagQueue " + prefix + "b"}},
		"move": {"StartMessageMoveTask", &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(prefix + "a"), DestinationArn: aws.String(prefix + "b")},
			[]string{"sqs:StartMessageMoveTask " + prefix + "a", "sqs:ReceiveMessage " + prefix + "a", "sqs:DeleteMessage " + prefix + "a", "sqs:GetQueueAttributes " + prefix + "a", "sqs:SendMessage " + prefix + "b"}},
	} {
		var got []string
		for _, need := range rules[test.operation].Needs(ctx, test.in) {
			got = append(got, need.Action+" "+need.Resource)
		}
		equal(t, name, test.want, got)
	}
	equal(t, "conditions", access.Keys{"aws:ResourceTag/team": {"red"}}, rules["SendMessage"].Needs(ctx, &sqs.SendMessageInput{QueueUrl: q})[0].Keys)
	equal(t, "conditions of tags", access.Keys{"aws:ResourceTag/team": {"red"}, "aws:RequestTag/x": {"y"}, "aws:TagKeys": {"x"}},
		rules["TagQueue"].Needs(ctx, &sqs.TagQueueInput{QueueUrl: q, Tags: map[string]string{"x": "y"}})[0].Keys)
}

// FuzzRequests: whatever is sent is a queue's or refused.
func FuzzRequests(f *testing.F) {
	n := start(f)
	q := n.create(f, "a")
	for _, s := range []string{*q, "", "http://x/", "::", "/" + account + "/a", "http://x/y/z"} {
		f.Add(s, `{"deadLetterTargetArn":"`+prefix+`a","maxReceiveCount":1}`, "AQ==")
	}
	f.Fuzz(func(t *testing.T, url, text, handle string) {
		ctx := context.Background()
		errs := []error{
			n.service.SetAttributes(ctx, url, map[string]string{"RedrivePolicy": text}),
			n.service.SetAttributes(ctx, url, map[string]string{"RedriveAllowPolicy": text}),
			second(n.service.CancelMove(ctx, handle)),
			second(n.service.ByARN(ctx, text)),
		}
		for _, err := range errs {
			if err != nil && fault.As(err).Status >= 500 {
				t.Errorf("%q %q %q: %v", url, text, handle, err)
			}
		}
	})
}
