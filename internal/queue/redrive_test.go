package queue_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

func policy(target string, most any) string {
	return fmt.Sprintf(`{"deadLetterTargetArn":"%s","maxReceiveCount":%v}`, prefix+target, most)
}

func TestDeadLetters(t *testing.T) {
	n, ctx := start(t), context.Background()
	dlq := n.create(t, "dead")
	q := n.create(t, "a", "RedrivePolicy", policy("dead", `"2"`), "VisibilityTimeout", "1")
	equal(t, "echoed", policy("dead", `"2"`), n.attributes(t, q, "All")["RedrivePolicy"])
	n.send(t, q, "bad")
	for range 2 {
		equal(t, "received", 1, len(n.receive(t, q)))
		n.clock.Advance(time.Second)
	}
	equal(t, "no more", 0, len(n.receive(t, q)))
	m := n.receive(t, dlq)
	equal(t, "dead", []string{"bad"}, bodies(m))
	equal(t, "source", prefix+"a", m[0].Attributes["DeadLetterQueueSourceArn"])
	equal(t, "count", "1", m[0].Attributes["ApproximateReceiveCount"])
	list := ok[sqs.ListDeadLetterSourceQueuesOutput](t)(n.ListDeadLetterSourceQueues(ctx, &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: dlq}))
	equal(t, "sources", []string{*q}, list.QueueUrls)

	// A dead-letter queue that is made anew is the one again.
	ok[sqs.DeleteQueueOutput](t)(n.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: dlq}))
	if err := n.set(q, "VisibilityTimeout", "2"); err != nil {
		t.Error("while its dead-letter queue is gone: ", err)
	}
	n.create(t, "dead")
	n.send(t, q, "worse")
	for range 3 {
		n.receive(t, q)
		n.clock.Advance(2 * time.Second)
	}
	equal(t, "dead again", []string{"worse"}, bodies(n.receive(t, dlq)))
	if err := n.set(q, "RedrivePolicy", ""); err != nil {
		t.Fatal(err)
	}
	list = ok[sqs.ListDeadLetterSourceQueuesOutput](t)(n.ListDeadLetterSourceQueues(ctx, &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: dlq}))
	equal(t, "no sources", 0, len(list.QueueUrls))
}

func TestRedrivePolicies(t *testing.T) {
	n := start(t)
	q := n.create(t, "a")
	n.create(t, "dead.fifo", "FifoQueue", "true")
	closed := n.create(t, "closed", "RedriveAllowPolicy", `{"redrivePermission":"denyAll"}`)
	n.create(t, "mine", "RedriveAllowPolicy", `{"redrivePermission":"byQueue","sourceQueueArns":["`+prefix+`a"]}`)
	n.create(t, "theirs", "RedriveAllowPolicy", `{"redrivePermission":"byQueue","sourceQueueArns":["`+prefix+`b"]}`)
	for _, test := range []struct{ text, words string }{
		{"x", "JSON"},
		{`{"maxReceiveCount":1}`, "deadLetterTargetArn"},
		{policy("closed", 0), "maxReceiveCount"},
		{policy("closed", 1001), "maxReceiveCount"},
		{policy("none", 1), "does not exist"},
		{policy("dead.fifo", 1), "same type"},
		{policy("closed", 1), "RedriveAllowPolicy"},
		{policy("theirs", 1), "RedriveAllowPolicy"},
	} {
		refused(t, test.text, n.set(q, "RedrivePolicy", test.text), "InvalidParameterValue", test.words)
	}
	if err := n.set(q, "RedrivePolicy", policy("mine", 1)); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"x", `{"redrivePermission":"x"}`, `{"redrivePermission":"byQueue"}`, `{"redrivePermission":"allowAll","sourceQueueArns":["x"]}`} {
		refused(t, text, n.set(closed, "RedriveAllowPolicy", text), "InvalidAttributeValue", "RedriveAllowPolicy")
	}
}

// run has the service work on tasks until the test ends.
func (n *node) run(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- n.service.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// status waits until a queue's newest task no longer runs.
func (n *node) status(t *testing.T, source string) (status string, moved int64, failure string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		list := ok[sqs.ListMessageMoveTasksOutput](t)(n.ListMessageMoveTasks(context.Background(), &sqs.ListMessageMoveTasksInput{SourceArn: &source})).Results
		if len(list) == 1 && *list[0].Status != "RUNNING" {
			return *list[0].Status, list[0].ApproximateNumberOfMessagesMoved, aws.ToString(list[0].FailureReason)
		}
	}
	t.Fatal("the task runs for too long")
	return "", 0, ""
}

func TestMoves(t *testing.T) {
	n, ctx := start(t), context.Background()
	n.run(t)
	dlq, other := n.create(t, "dead"), n.create(t, "other")
	q := n.create(t, "a", "RedrivePolicy", policy("dead", 1), "VisibilityTimeout", "1")
	begin := func(in sqs.StartMessageMoveTaskInput) (*sqs.StartMessageMoveTaskOutput, error) {
		return n.StartMessageMoveTask(ctx, &in)
	}
	n.send(t, q, "one", "two", "three")
	n.receive(t, q)
	n.clock.Advance(time.Second)
	n.receive(t, q)
	equal(t, "dead", "3", n.attributes(t, dlq, "All")["ApproximateNumberOfMessages"])
	ok[sqs.StartMessageMoveTaskOutput](t)(begin(sqs.StartMessageMoveTaskInput{SourceArn: aws.String(prefix + "dead")}))
	status, moved, _ := n.status(t, prefix+"dead")
	equal(t, "status", "COMPLETED 3", fmt.Sprint(status, " ", moved))
	equal(t, "back", 3, len(n.receive(t, q)))

	n.send(t, dlq, "stray")
	n.clock.Advance(time.Second)
	ok[sqs.StartMessageMoveTaskOutput](t)(begin(sqs.StartMessageMoveTaskInput{SourceArn: aws.String(prefix + "dead")}))
	status, moved, failure := n.status(t, prefix+"dead")
	equal(t, "from nowhere", "FAILED 0 CouldNotDetermineMessageSource", fmt.Sprint(status, " ", moved, " ", failure))
	n.clock.Advance(time.Second)
	ok[sqs.StartMessageMoveTaskOutput](t)(begin(sqs.StartMessageMoveTaskInput{SourceArn: aws.String(prefix + "dead"), DestinationArn: aws.String(prefix + "other")}))
	status, moved, _ = n.status(t, prefix+"dead")
	equal(t, "elsewhere", "COMPLETED 1", fmt.Sprint(status, " ", moved))
	equal(t, "arrived", []string{"stray"}, bodies(n.receive(t, other)))

	// At a message a second, by a clock that stands still, there is time to cancel.
	n.send(t, dlq, "1", "2", "3")
	n.clock.Advance(time.Second)
	slow := ok[sqs.StartMessageMoveTaskOutput](t)(begin(sqs.StartMessageMoveTaskInput{SourceArn: aws.String(prefix + "dead"), DestinationArn: aws.String(prefix + "other"), MaxNumberOfMessagesPerSecond: aws.Int32(1)}))
	refused(t, "two at once", second(begin(sqs.StartMessageMoveTaskInput{SourceArn: aws.String(prefix + "dead")})), "AWS.SimpleQueueService.UnsupportedOperation", "already a task")
	ok[sqs.CancelMessageMoveTaskOutput](t)(n.CancelMessageMoveTask(ctx, &sqs.CancelMessageMoveTaskInput{TaskHandle: slow.TaskHandle}))
	status, _, _ = n.status(t, prefix+"dead")
	equal(t, "status", "CANCELLED", status)
	cancel := func(handle string) error {
		return second(n.CancelMessageMoveTask(ctx, &sqs.CancelMessageMoveTaskInput{TaskHandle: &handle}))
	}
	refused(t, "cancelled twice", cancel(*slow.TaskHandle), "ResourceNotFoundException", "Task")
	refused(t, "no handle", cancel("x"), "InvalidParameterValue", "TaskHandle")
	refused(t, "no source", second(begin(sqs.StartMessageMoveTaskInput{SourceArn: aws.String(prefix + "none")})), "ResourceNotFoundException", "SourceArn")
	refused(t, "another spelling", second(begin(sqs.StartMessageMoveTaskInput{SourceArn: aws.String("arn:aws-cn" + strings.TrimPrefix(prefix, "arn:aws") + "dead")})), "ResourceNotFoundException", "SourceArn")
	refused(t, "not dead", second(begin(sqs.StartMessageMoveTaskInput{SourceArn: aws.String(prefix + "other")})), "InvalidParameterValue", "Dead Letter Queue")
	refused(t, "no target", second(begin(sqs.StartMessageMoveTaskInput{SourceArn: aws.String(prefix + "dead"), DestinationArn: aws.String(prefix + "none")})), "ResourceNotFoundException", "DestinationArn")
	refused(t, "rate", second(begin(sqs.StartMessageMoveTaskInput{SourceArn: aws.String(prefix + "dead"), MaxNumberOfMessagesPerSecond: aws.Int32(501)})), "InvalidParameterValue", "500")
	equal(t, "listed", 4, len(ok[sqs.ListMessageMoveTasksOutput](t)(n.ListMessageMoveTasks(ctx, &sqs.ListMessageMoveTasksInput{SourceArn: aws.String(prefix + "dead"), MaxResults: aws.Int32(10)})).Results))
}
