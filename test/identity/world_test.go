package identity_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"github.com/mayfly-cloud/mayfly/test/node"
)

// answers is a function that answers who it is for.
const answers = `exports.handler = async (event) => 'hello ' + (event.name ?? '')`

// said is the code and the message of an SDK's error, or "allowed".
func said(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode() + ": " + e.ErrorMessage()
	}
	if err != nil {
		return err.Error()
	}
	return "allowed"
}

// wants checks what came of a call: "allowed", or words of the refusal.
func wants(t *testing.T, what string, err error, words ...string) {
	t.Helper()
	got := said(err)
	for _, w := range words {
		if !strings.Contains(got, w) {
			t.Errorf("%s: got %s\nwant %s", what, got, strings.Join(words, " ... "))
			return
		}
	}
}

func invoke(n *node.Node, t *testing.T, function string) error {
	t.Helper()
	_, err := n.Lambda().Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &function, Payload: []byte(`{"name":"Ada"}`)})
	return err
}

func arn(n *node.Node, function string) string {
	return "arn:aws:lambda:" + node.Region + ":" + n.Account + ":function:" + function
}

func allow(action, resource any) node.Statement {
	return node.Statement{Effect: "Allow", Action: action, Resource: resource}
}

// caller is a function that calls what its event says, with boto3 and the credentials
// that it finds.
const caller = `
import boto3, botocore, os

clients = {}

def handler(event, context):
    service = event["service"]
    if service not in clients:
        clients[service] = boto3.client(service)
    try:
        answer = getattr(clients[service], event["call"])(**(event.get("with") or {}))
    except botocore.exceptions.ClientError as e:
        return e.response["Error"]["Code"] + ": " + e.response["Error"]["Message"]
    answer.pop("ResponseMetadata")
    return "allowed: " + str(answer)
`

// createCaller makes a caller under a role of its own.
func createCaller(n *node.Node, t *testing.T, name string, statements ...node.Statement) {
	t.Helper()
	role := n.MakeRole(name + "-role")
	if len(statements) > 0 {
		n.AllowRole(name+"-role", "own", statements...)
	}
	n.Create(name, types.RuntimePython311, node.Zip(t, map[string]string{"lambda_function.py": caller}), func(in *lambda.CreateFunctionInput) {
		in.Handler, in.Role, in.Timeout = aws.String("lambda_function.handler"), &role, aws.Int32(60)
	})
}

// ask has a caller call something.
func ask(n *node.Node, t *testing.T, function, service, call string, with map[string]any) string {
	t.Helper()
	event, err := json.Marshal(map[string]any{"service": service, "call": call, "with": with})
	if err != nil {
		t.Fatal(err)
	}
	a := n.Invoke(function, string(event))
	var text string
	if err := json.Unmarshal([]byte(a.Payload), &text); err != nil || a.Error != "" {
		t.Fatalf("%s answered %s, %s", function, a.Payload, a.Error)
	}
	return text
}

// logged waits until a function's log group is there.
func logged(n *node.Node, t *testing.T, function string) {
	t.Helper()
	node.Eventually(t, 20*time.Second, "the log of "+function+" is there", func() bool {
		out, err := n.Logs().DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/aws/lambda/" + function)})
		return err == nil && len(out.LogGroups) > 0
	})
}
