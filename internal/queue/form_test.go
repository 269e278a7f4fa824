package queue_test

import (
	"strings"
	"testing"
)

// TestForms speaks awsQuery as clients of before 2023 do.
func TestForms(t *testing.T) {
	n := start(t)
	call := func(want string, action string, pairs ...string) string {
		t.Helper()
		status, body := n.form(t, action, pairs...)
		if status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s, want %s", action, status, body, want)
		}
		return body
	}
	url := "http://queues.example:4566/" + account + "/a"
	call("<CreateQueueResult><QueueUrl>"+url+"</QueueUrl></CreateQueueResult>", "CreateQueue", "QueueName", "a",
		"Attribute.1.Name", "VisibilityTimeout", "Attribute.1.Value", "40", "Tag.1.Key", "team", "Tag.1.Value", "red")
	call("<Attribute><Name>VisibilityTimeout</Name><Value>40</Value></Attribute>", "GetQueueAttributes", "QueueUrl", url, "AttributeName.1", "All")
	call("<Tag><Key>team</Key><Value>red</Value></Tag>", "ListQueueTags", "QueueUrl", url)
	call("<ListQueuesResult><QueueUrl>"+url+"</QueueUrl></ListQueuesResult>", "ListQueues")
	call("<MD5OfMessageBody>5d41402abc4b2a76b9719d911017c592</MD5OfMessageBody>", "SendMessage", "QueueUrl", url, "MessageBody", "hello",
		"MessageAttribute.1.Name", "a", "MessageAttribute.1.Value.DataType", "String", "MessageAttribute.1.Value.StringValue", "x",
		"MessageSystemAttribute.1.Name", "AWSTraceHeader", "MessageSystemAttribute.1.Value.DataType", "String", "MessageSystemAttribute.1.Value.StringValue", "Root=1")
	body := call("<MessageAttribute><Name>a</Name><Value>", "ReceiveMessage", "QueueUrl", url, "AttributeName.1", "All", "MessageAttributeName.1", "All", "MaxNumberOfMessages", "10")
	for _, part := range []string{"<Body>hello</Body>", "<Attribute><Name>AWSTraceHeader</Name><Value>Root=1</Value></Attribute>", "<MD5OfMessageAttributes>"} {
		if !strings.Contains(body, part) {
			t.Errorf("%s lacks %s", body, part)
		}
	}
	_, handle, _ := strings.Cut(body, "<ReceiptHandle>")
	handle, _, _ = strings.Cut(handle, "<")
	call("<DeleteMessageBatchResultEntry><Id>x</Id></DeleteMessageBatchResultEntry>", "DeleteMessageBatch", "QueueUrl", url,
		"DeleteMessageBatchRequestEntry.1.Id", "x", "DeleteMessageBatchRequestEntry.1.ReceiptHandle", handle)
	body = call("<SendMessageBatchResultEntry>", "SendMessageBatch", "QueueUrl", url,
		"SendMessageBatchRequestEntry.1.Id", "x", "SendMessageBatchRequestEntry.1.MessageBody", "one",
		"SendMessageBatchRequestEntry.2.Id", "y", "SendMessageBatchRequestEntry.2.MessageBody", "\x01")
	if !strings.Contains(body, "<BatchResultErrorEntry>") || !strings.Contains(body, "<Code>InvalidMessageContents</Code>") {
		t.Errorf("partial failure: %s", body)
	}
	call("", "AddPermission", "QueueUrl", url, "Label", "l", "AWSAccountId.1", "111122223333", "ActionName.1", "SendMessage")
	for _, test := range []struct{ code, action, url string }{
		{"AWS.SimpleQueueService.NonExistentQueue", "ReceiveMessage", url + "x"},
		{"AWS.SimpleQueueService.EmptyBatchRequest", "SendMessageBatch", url},
		{"MissingParameter", "SendMessage", url},
		{"InvalidAddress", "PurgeQueue", "x"},
		{"InvalidAction", "Nonsense", url},
	} {
		if status, body := n.form(t, test.action, "QueueUrl", test.url); status < 400 || !strings.Contains(body, "<Code>"+test.code+"</Code>") {
			t.Errorf("%s: %d %s, want %s", test.action, status, body, test.code)
		}
	}
}
