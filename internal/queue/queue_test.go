package queue_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func TestCreate(t *testing.T) {
	n, ctx := start(t), context.Background()
	q := n.create(t, "orders", "VisibilityTimeout", "45")
	equal(t, "url", "http://queues.example:4566/"+account+"/orders", *q)
	equal(t, "again", *q, *n.create(t, "orders", "VisibilityTimeout", "45"))
	equal(t, "again without", *q, *n.create(t, "orders"))
	create := func(name string, pairs ...string) error {
		return second(n.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: mapOf(pairs)}))
	}
	for _, test := range []struct {
		what, code, words string
		err               error
	}{
		{"other value", "QueueAlreadyExists", "VisibilityTimeout", create("orders", "VisibilityTimeout", "30")},
		{"no name", "MissingParameter", "QueueName", create("")},
		{"bad name", "InvalidParameterValue", "alphanumeric", create("a b")},
		{"long name", "InvalidParameterValue", "80", create(strings.Repeat("a", 81))},
		{"fifo without suffix", "InvalidParameterValue", ".fifo", create("a", "FifoQueue", "true")},
		{"suffix without fifo", "InvalidParameterValue", "alphanumeric", create("a.fifo")},
		{"unknown attribute", "InvalidAttributeName", "Nonsense", create("a", "Nonsense", "1")},
		{"fifo's attribute", "InvalidAttributeName", "ContentBasedDeduplication", create("a", "ContentBasedDeduplication", "true")},
		{"not fifo", "InvalidAttributeName", "FifoQueue", create("a", "FifoQueue", "false")},
		{"too much", "InvalidAttributeValue", "DelaySeconds", create("a", "DelaySeconds", "901")},
		{"too little", "InvalidAttributeValue", "MaximumMessageSize", create("a", "MaximumMessageSize", "1023")},
		{"no number", "InvalidAttributeValue", "VisibilityTimeout", create("a", "VisibilityTimeout", "x")},
		{"policy", "InvalidAttributeValue", "Statement", create("a", "Policy", "{}")},
		{"throughput", "InvalidAttributeValue", "messageGroup", create("a.fifo", "FifoQueue", "true", "FifoThroughputLimit", "perMessageGroupId")},
	} {
		refused(t, test.what, test.err, test.code, test.words)
	}
	equal(t, "GetQueueUrl", *q, *ok[sqs.GetQueueUrlOutput](t)(n.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("orders")})).QueueUrl)
	refused(t, "no queue", second(n.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("none")})), "AWS.SimpleQueueService.NonExistentQueue", "does not exist")
	refused(t, "bad address", second(n.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: aws.String("orders")})), "InvalidAddress", "orders")
	ok[sqs.DeleteQueueOutput](t)(n.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: q}))
	refused(t, "deleted", second(n.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: q, MessageBody: aws.String("x")})), "AWS.SimpleQueueService.NonExistentQueue", "")
	n.create(t, "orders")
	equal(t, "messages of the one before", 0, len(n.receive(t, q)))
}

func TestAttributes(t *testing.T) {
	n := start(t)
	q := n.create(t, "a", "DelaySeconds", "5")
	want := map[string]string{
		"QueueArn": prefix + "a", "DelaySeconds": "5", "VisibilityTimeout": "30", "MaximumMessageSize": "1048576", "MessageRetentionPeriod": "345600",
		"ReceiveMessageWaitTimeSeconds": "0", "SqsManagedSseEnabled": "true", "CreatedTimestamp": fmt.Sprint(noon.Unix()), "LastModifiedTimestamp": fmt.Sprint(noon.Unix()),
		"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0", "ApproximateNumberOfMessagesDelayed": "0",
	}
	equal(t, "all", want, n.attributes(t, q, "All"))
	equal(t, "none", 0, len(n.attributes(t, q)))
	equal(t, "one", map[string]string{"DelaySeconds": "5"}, n.attributes(t, q, "DelaySeconds"))
	refused(t, "unknown", second(n.GetQueueAttributes(context.Background(), &sqs.GetQueueAttributesInput{QueueUrl: q, AttributeNames: []types.QueueAttributeName{"X"}})), "InvalidAttributeName", "X")
	n.clock.Advance(time.Minute)
	policy := `{ "Version": "2012-10-17",  "Statement": [] }`
	if err := n.set(q, "Policy", policy, "KmsMasterKeyId", "alias/mine", "VisibilityTimeout", "0"); err != nil {
		t.Fatal(err)
	}
	want["Policy"], want["KmsMasterKeyId"], want["VisibilityTimeout"] = policy, "alias/mine", "0"
	want["KmsDataKeyReusePeriodSeconds"], want["SqsManagedSseEnabled"] = "300", "false"
	want["LastModifiedTimestamp"] = fmt.Sprint(noon.Unix() + 60)
	equal(t, "echoed as set", want, n.attributes(t, q, "All"))
	got, err := n.service.ResourcePolicy(context.Background(), prefix+"a")
	if string(got) != policy || err != nil {
		t.Errorf("ResourcePolicy: %s, %v", got, err)
	}
	if err := n.set(q, "Policy", "", "KmsMasterKeyId", ""); err != nil {
		t.Fatal(err)
	}
	equal(t, "taken away", "", n.attributes(t, q, "All")["Policy"])
	fifo := n.create(t, "a.fifo", "FifoQueue", "true")
	if err := n.set(fifo, "DeduplicationScope", "messageGroup", "FifoThroughputLimit", "perMessageGroupId"); err != nil {
		t.Fatal(err)
	}
	m := n.attributes(t, fifo, "All")
	equal(t, "fifo", []string{"true", "false", "messageGroup", "perMessageGroupId"}, []string{m["FifoQueue"], m["ContentBasedDeduplication"], m["DeduplicationScope"], m["FifoThroughputLimit"]})
	n.send(t, q, "one", "two")
	equal(t, "delayed", "2", n.attributes(t, q, "All")["ApproximateNumberOfMessagesDelayed"])
}

func TestLists(t *testing.T) {
	n, ctx := start(t), context.Background()
	for _, name := range []string{"b", "a1", "a2", "a3"} {
		n.create(t, name)
	}
	var got []string
	in := &sqs.ListQueuesInput{QueueNamePrefix: aws.String("a"), MaxResults: aws.Int32(2)}
	for {
		out := ok[sqs.ListQueuesOutput](t)(n.ListQueues(ctx, in))
		got = append(got, out.QueueUrls...)
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	base := "http://queues.example:4566/" + account + "/"
	equal(t, "pages", []string{base + "a1", base + "a2", base + "a3"}, got)
	equal(t, "all", 4, len(ok[sqs.ListQueuesOutput](t)(n.ListQueues(ctx, &sqs.ListQueuesInput{})).QueueUrls))
	refused(t, "bad token", second(n.ListQueues(ctx, &sqs.ListQueuesInput{NextToken: aws.String("x"), MaxResults: aws.Int32(1)})), "InvalidParameterValue", "token")
}

func TestTagsAndPermissions(t *testing.T) {
	n, ctx := start(t), context.Background()
	q := n.create(t, "a")
	ok[sqs.TagQueueOutput](t)(n.TagQueue(ctx, &sqs.TagQueueInput{QueueUrl: q, Tags: map[string]string{"team": "red", "x": ""}}))
	ok[sqs.UntagQueueOutput](t)(n.UntagQueue(ctx, &sqs.UntagQueueInput{QueueUrl: q, TagKeys: []string{"x", "y"}}))
	equal(t, "tags", map[string]string{"team": "red"}, ok[sqs.ListQueueTagsOutput](t)(n.ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: q})).Tags)
	refused(t, "reserved", second(n.TagQueue(ctx, &sqs.TagQueueInput{QueueUrl: q, Tags: map[string]string{"aws:x": ""}})), "InvalidParameterValue", "aws:")

	add := func(label string, accounts []string, actions ...string) error {
		return second(n.AddPermission(ctx, &sqs.AddPermissionInput{QueueUrl: q, Label: &label, AWSAccountIds: accounts, Actions: actions}))
	}
	if err := add("send", []string{"111122223333"}, "SendMessage"); err != nil {
		t.Fatal(err)
	}
	equal(t, "policy", `{"Id":"`+prefix+`a/SQSDefaultPolicy","Statement":[{"Sid":"send","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"SQS:SendMessage","Resource":"`+prefix+`a"}],"Version":"2008-10-17"}`,
		n.attributes(t, q, "Policy")["Policy"])
	refused(t, "twice", add("send", []string{"111122223333"}, "*"), "InvalidParameterValue", "Already exists")
	refused(t, "no account", add("b", []string{"x"}, "*"), "InvalidParameterValue", "PrincipalId")
	refused(t, "no action", add("b", []string{"111122223333"}, "Nonsense"), "InvalidParameterValue", "Nonsense")
	if err := add("more", []string{"111122223333", "444455556666"}, "*", "SendMessage"); err != nil {
		t.Fatal(err)
	}
	ok[sqs.RemovePermissionOutput](t)(n.RemovePermission(ctx, &sqs.RemovePermissionInput{QueueUrl: q, Label: aws.String("send")}))
	refused(t, "not there", second(n.RemovePermission(ctx, &sqs.RemovePermissionInput{QueueUrl: q, Label: aws.String("send")})), "InvalidParameterValue", "label")
	ok[sqs.RemovePermissionOutput](t)(n.RemovePermission(ctx, &sqs.RemovePermissionInput{QueueUrl: q, Label: aws.String("more")}))
	equal(t, "no policy is left", "", n.attributes(t, q, "All")["Policy"])
}

func TestPurge(t *testing.T) {
	n, ctx := start(t), context.Background()
	q := n.create(t, "a")
	n.send(t, q, "one", "two")
	ok[sqs.PurgeQueueOutput](t)(n.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: q}))
	equal(t, "purged", 0, len(n.receive(t, q)))
	refused(t, "again", second(n.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: q})), "AWS.SimpleQueueService.PurgeQueueInProgress", "60 seconds")
	n.clock.Advance(time.Minute)
	ok[sqs.PurgeQueueOutput](t)(n.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: q}))
}
