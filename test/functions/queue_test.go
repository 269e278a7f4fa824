package functions_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/mayfly-cloud/mayfly/test/node"
)

// queue makes one and gives its URL and ARN.
func queue(t *testing.T, n *node.Node, name string) (url, arn string) {
	t.Helper()
	out, err := n.SQS().CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		t.Fatal(err)
	}
	return *out.QueueUrl, "arn:aws:sqs:" + node.Region + ":" + n.Account + ":" + name
}

// next waits for a message, and deletes it.
func next(t *testing.T, n *node.Node, url string) string {
	t.Helper()
	for range 2 {
		out, err := n.SQS().ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 20, MaxNumberOfMessages: 1})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			continue
		}
		m := out.Messages[0]
		if _, err := n.SQS().DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle}); err != nil {
			t.Fatal(err)
		}
		return *m.Body
	}
	t.Fatal("no message came")
	return ""
}

// What was acknowledged is there after the node was killed.
func TestMessagesOutliveTheNode(t *testing.T) {
	n := node.Start(t)
	url, _ := queue(t, n, "orders")
	var want []string
	for i := range 100 {
		body := fmt.Sprintf("order %02d", i)
		if _, err := n.SQS().SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body}); err != nil {
			t.Fatal(err)
		}
		want = append(want, body)
	}
	n.Kill()
	n.Restart()
	url, _ = queue(t, n, "orders") // the node has another port now
	var got []string
	for range want {
		got = append(got, next(t, n, url))
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("received %d of %d: %q", len(got), len(want), got)
	}
}

// An asynchronous call's outcome goes to the queue that its function names, if the
// function's role may send there.
func TestOutcomesGoToQueues(t *testing.T) {
	n := node.Start(t)
	url, arn := queue(t, n, "outcomes")
	role := n.MakeRole("sender")
	n.AllowRole("sender", "send", node.Statement{Effect: "Allow", Action: "sqs:SendMessage", Resource: arn})
	n.Create("outcome", types.RuntimeNodejs20x, node.Zip(t, map[string]string{
		"index.js": "exports.handler = async (e) => { if (e.fail) throw new Error('no'); return { hello: e.name } }",
	}), func(in *lambda.CreateFunctionInput) { in.Role = &role })
	to := &types.DestinationConfig{OnSuccess: &types.OnSuccess{Destination: &arn}, OnFailure: &types.OnFailure{Destination: &arn}}
	_, err := n.Lambda().PutFunctionEventInvokeConfig(t.Context(), &lambda.PutFunctionEventInvokeConfigInput{
		FunctionName: aws.String("outcome"), MaximumRetryAttempts: aws.Int32(0), DestinationConfig: to,
	})
	if err != nil {
		t.Fatal(err)
	}
	for payload, want := range map[string]string{`{"name":"Ada"}`: "Success", `{"fail":true}`: "RetriesExhausted"} {
		_, err := n.Lambda().Invoke(t.Context(), &lambda.InvokeInput{
			FunctionName: aws.String("outcome"), InvocationType: types.InvocationTypeEvent, Payload: []byte(payload),
		})
		if err != nil {
			t.Fatal(err)
		}
		var record struct {
			RequestContext struct{ Condition string }
			RequestPayload json.RawMessage
		}
		if err := json.Unmarshal([]byte(next(t, n, url)), &record); err != nil {
			t.Fatal(err)
		}
		if record.RequestContext.Condition != want || string(record.RequestPayload) != payload {
			t.Errorf("%s: %+v", payload, record)
		}
	}
}

// A function reaches a queue by the URL that it is given, which names the node as
// the function sees it.
func TestFunctionsReachQueuesByTheirURLs(t *testing.T) {
	n := node.Start(t)
	url, arn := queue(t, n, "tasks")
	role := n.MakeRole("worker")
	n.AllowRole("worker", "send", node.Statement{Effect: "Allow", Action: []string{"sqs:GetQueueUrl", "sqs:SendMessage"}, Resource: arn})
	n.Create("send", types.RuntimePython311, node.Zip(t, map[string]string{"index.py": `
import boto3, urllib.parse, os
sqs = boto3.client('sqs', endpoint_url=os.environ['AWS_ENDPOINT_URL'])
def handler(event, context):
    url = sqs.get_queue_url(QueueName='tasks')['QueueUrl']
    sqs.send_message(QueueUrl=url, MessageBody='done')
    return urllib.parse.urlparse(url).netloc == urllib.parse.urlparse(os.environ['AWS_ENDPOINT_URL']).netloc`}),
		func(in *lambda.CreateFunctionInput) { in.Role, in.Timeout = &role, aws.Int32(30) })
	if got := n.Invoke("send", "{}"); got.Payload != "true" {
		t.Errorf("the function got %s %s; want a URL at its own endpoint", got.Payload, got.Error)
	}
	if got := next(t, n, url); got != "done" {
		t.Errorf("received %q", got)
	}
}
