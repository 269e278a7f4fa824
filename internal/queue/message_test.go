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

func value(kind, s string) types.MessageAttributeValue {
	if strings.HasPrefix(kind, "Binary") {
		return types.MessageAttributeValue{DataType: &kind, BinaryValue: []byte(s)}
	}
	return types.MessageAttributeValue{DataType: &kind, StringValue: &s}
}

// The SDK checks the MD5 of bodies by itself.
func TestMessage(t *testing.T) {
	n, ctx := start(t), context.Background()
	q := n.create(t, "a")
	sent := ok[sqs.SendMessageOutput](t)(n.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: q, MessageBody: aws.String("Hello €\n"), MessageGroupId: aws.String("tenant"),
		MessageAttributes:       map[string]types.MessageAttributeValue{"b.x": value("Number.int", "5"), "a": value("String", "text"), "c": value("Binary", "\x00\xff")},
		MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String("Root=1-5759e988-bd862e3fe1be46a994272793")}},
	}))
	n.clock.Advance(time.Second)
	got := n.receive(t, q)[0]
	equal(t, "id", *sent.MessageId, *got.MessageId)
	equal(t, "MD5", []string{"4b7bd413915770d4a311d36396f6307f"}, []string{*got.MD5OfBody})
	equal(t, "MD5 of attributes", *sent.MD5OfMessageAttributes, *got.MD5OfMessageAttributes)
	equal(t, "system attributes", map[string]string{
		"SenderId": "AIDASENDER", "SentTimestamp": fmt.Sprint(noon.UnixMilli()), "ApproximateReceiveCount": "1", "MessageGroupId": "tenant",
		"ApproximateFirstReceiveTimestamp": fmt.Sprint(noon.UnixMilli() + 1000), "AWSTraceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793",
	}, got.Attributes)
	equal(t, "binary", []byte("\x00\xff"), got.MessageAttributes["c"].BinaryValue)
	ask := func(names []string, systems ...types.MessageSystemAttributeName) types.Message {
		n.clock.Advance(time.Minute)
		return ok[sqs.ReceiveMessageOutput](t)(n.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: q, MessageAttributeNames: names, MessageSystemAttributeNames: systems})).Messages[0]
	}
	for _, test := range []struct{ ask, want string }{{"a", "a"}, {"b.*", "b.x"}, {".*", "a b.x c"}, {"x", ""}, {"All", "a b.x c"}} {
		m, list := ask([]string{test.ask}), []string{}
		for _, name := range []string{"a", "b.x", "c"} {
			if _, ok := m.MessageAttributes[name]; ok {
				list = append(list, name)
			}
		}
		equal(t, test.ask, test.want, strings.Join(list, " "))
		if (m.MD5OfMessageAttributes == nil) != (test.want == "") {
			t.Errorf("%s: MD5 %v", test.ask, m.MD5OfMessageAttributes)
		}
	}
	equal(t, "one system attribute", map[string]string{"ApproximateReceiveCount": "7"}, ask(nil, "ApproximateReceiveCount").Attributes)
	equal(t, "none", 0, len(ask(nil).Attributes))
}

// The sums are those AWS gives for this message.
func TestSums(t *testing.T) {
	n, ctx := start(t), context.Background()
	q := n.create(t, "a")
	sent := ok[sqs.SendMessageOutput](t)(n.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: q, MessageBody: aws.String("This is a test message"),
		MessageAttributes: map[string]types.MessageAttributeValue{"timestamp": value("Number", "1493147359900")},
	}))
	equal(t, "body and attributes", []string{"fafb00f5732ab283681e124bf8747ed1", "235c5c510d26fb653d073faed50ae77c"}, []string{*sent.MD5OfMessageBody, *sent.MD5OfMessageAttributes})
}

func TestRefusedMessages(t *testing.T) {
	n, ctx := start(t), context.Background()
	q, fifo := n.create(t, "a", "MaximumMessageSize", "1024"), n.create(t, "a.fifo", "FifoQueue", "true")
	send := func(q *string, in sqs.SendMessageInput) error {
		if in.QueueUrl = q; in.MessageBody == nil {
			in.MessageBody = aws.String("x")
		}
		return second(n.SendMessage(ctx, &in))
	}
	attribute := func(name string, v types.MessageAttributeValue) sqs.SendMessageInput {
		return sqs.SendMessageInput{MessageAttributes: map[string]types.MessageAttributeValue{name: v}}
	}
	many := sqs.SendMessageInput{MessageAttributes: map[string]types.MessageAttributeValue{}}
	for i := range 11 {
		many.MessageAttributes[fmt.Sprint("a", i)] = value("String", "x")
	}
	for _, test := range []struct {
		what, code, words string
		err               error
	}{
		{"empty", "MissingParameter", "MessageBody", send(q, sqs.SendMessageInput{MessageBody: aws.String("")})},
		{"bad character", "InvalidMessageContents", "Invalid characters", send(q, sqs.SendMessageInput{MessageBody: aws.String("a\x01")})},
		{"too long", "InvalidParameterValue", "shorter than 1024", send(q, sqs.SendMessageInput{MessageBody: aws.String(strings.Repeat("a", 1025))})},
		{"delay", "InvalidParameterValue", "DelaySeconds", send(q, sqs.SendMessageInput{DelaySeconds: 901})},
		{"negative delay", "InvalidParameterValue", "DelaySeconds", send(q, sqs.SendMessageInput{DelaySeconds: -1})},
		{"dedup of standard", "InvalidParameterValue", "MessageDeduplicationId", send(q, sqs.SendMessageInput{MessageDeduplicationId: aws.String("x")})},
		{"no group", "MissingParameter", "MessageGroupId", send(fifo, sqs.SendMessageInput{})},
		{"no dedup", "InvalidParameterValue", "ContentBasedDeduplication", send(fifo, sqs.SendMessageInput{MessageGroupId: aws.String("g")})},
		{"bad group", "InvalidParameterValue", "MessageGroupId", send(fifo, sqs.SendMessageInput{MessageGroupId: aws.String("a b")})},
		{"fifo's delay", "InvalidParameterValue", "queue type", send(fifo, sqs.SendMessageInput{MessageGroupId: aws.String("g"), MessageDeduplicationId: aws.String("x"), DelaySeconds: 1})},
		{"attribute type", "InvalidParameterValue", "type", send(q, attribute("a", value("Text", "x")))},
		{"attribute value", "InvalidParameterValue", "non-empty", send(q, attribute("a", value("String", "")))},
		{"attribute number", "InvalidParameterValue", "number", send(q, attribute("a", value("Number", "x")))},
		{"attribute name", "InvalidParameterValue", "AWS.x", send(q, attribute("AWS.x", value("String", "x")))},
		{"attributes", "InvalidParameterValue", "[11]", send(q, many)},
		{"system attribute", "InvalidParameterValue", "Other", send(q, sqs.SendMessageInput{MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{"Other": {DataType: aws.String("String"), StringValue: aws.String("x")}}})},
		{"receive many", "InvalidParameterValue", "MaxNumberOfMessages", second(n.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: q, MaxNumberOfMessages: 11}))},
		{"wait long", "InvalidParameterValue", "WaitTimeSeconds", second(n.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: q, WaitTimeSeconds: 21}))},
		{"hide long", "InvalidParameterValue", "VisibilityTimeout", second(n.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: q, VisibilityTimeout: 43201}))},
		{"attempt of standard", "InvalidParameterValue", "AttemptId", second(n.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: q, ReceiveRequestAttemptId: aws.String("x")}))},
		{"bad handle", "ReceiptHandleIsInvalid", "", second(n.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: q, ReceiptHandle: aws.String("x")}))},
	} {
		refused(t, test.what, test.err, test.code, test.words)
	}
	equal(t, "nothing was sent", 0, len(n.receive(t, q))+len(n.receive(t, fifo)))
}

func TestLargest(t *testing.T) {
	n, ctx := start(t), context.Background()
	q := n.create(t, "a")
	body := strings.Repeat("€", 1<<20/3)
	n.send(t, q, body)
	equal(t, "1 MiB", true, *n.receive(t, q)[0].Body == body)
	refused(t, "more", second(n.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: q, MessageBody: aws.String(strings.Repeat("a", 1<<20+1))})), "InvalidParameterValue", "1048576")
}

func TestVisibility(t *testing.T) {
	n, ctx := start(t), context.Background()
	q := n.create(t, "a", "VisibilityTimeout", "10")
	n.send(t, q, "one")
	m := n.receive(t, q)[0]
	n.clock.Advance(9 * time.Second)
	equal(t, "hidden", 0, len(n.receive(t, q)))
	hide := func(m types.Message, seconds int32) error {
		return second(n.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: q, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: seconds}))
	}
	if err := hide(m, 100); err != nil {
		t.Fatal(err)
	}
	n.clock.Advance(99 * time.Second)
	equal(t, "hidden for longer", 0, len(n.receive(t, q)))
	refused(t, "in all too long", hide(m, 43200), "InvalidParameterValue", "Total VisibilityTimeout")
	n.clock.Advance(time.Second)
	refused(t, "over", hide(m, 10), "AWS.SimpleQueueService.MessageNotInflight", "")
	again := n.receive(t, q)
	equal(t, "back", []string{"one"}, bodies(again))
	refused(t, "somebody else's", hide(m, 10), "InvalidParameterValue", "not available")
	// By awsQuery a zero can be sent, which is not the queue's own.
	if status, body := n.form(t, "ChangeMessageVisibility", "QueueUrl", *q, "ReceiptHandle", *again[0].ReceiptHandle, "VisibilityTimeout", "0"); status != 200 {
		t.Error(body)
	}
	if _, body := n.form(t, "ReceiveMessage", "QueueUrl", *q, "VisibilityTimeout", "0"); !strings.Contains(body, "<Body>one</Body>") {
		t.Error(body)
	}
	m = n.receive(t, q)[0]
	ok[sqs.DeleteMessageOutput](t)(n.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: q, ReceiptHandle: m.ReceiptHandle}))
	ok[sqs.DeleteMessageOutput](t)(n.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: q, ReceiptHandle: m.ReceiptHandle}))
	n.clock.Advance(time.Hour)
	equal(t, "deleted", 0, len(n.receive(t, q)))
	other := n.create(t, "b")
	refused(t, "another queue's", second(n.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: other, ReceiptHandle: m.ReceiptHandle})), "ReceiptHandleIsInvalid", "not valid for this queue")
}

func TestBatches(t *testing.T) {
	n, ctx := start(t), context.Background()
	q := n.create(t, "a")
	entry := func(id, body string) types.SendMessageBatchRequestEntry {
		return types.SendMessageBatchRequestEntry{Id: &id, MessageBody: &body}
	}
	send := func(entries ...types.SendMessageBatchRequestEntry) (*sqs.SendMessageBatchOutput, error) {
		return n.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: q, Entries: entries})
	}
	out := ok[sqs.SendMessageBatchOutput](t)(send(entry("a", "one"), entry("b", "\x01"), entry("c", "three"), entry("d", "")))
	equal(t, "sent", 2, len(out.Successful))
	equal(t, "failed", []string{"b InvalidMessageContents true", "d MissingParameter true"}, failures(out.Failed))
	big := strings.Repeat("a", 1<<19)
	var eleven []types.SendMessageBatchRequestEntry
	for i := range 11 {
		eleven = append(eleven, entry(fmt.Sprint(i), "x"))
	}
	for _, test := range []struct {
		what, code string
		err        error
	}{
		{"none", "AWS.SimpleQueueService.EmptyBatchRequest", second(send([]types.SendMessageBatchRequestEntry{}...))},
		{"too many", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", second(send(eleven...))},
		{"same id", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", second(send(entry("a", "x"), entry("a", "x")))},
		{"bad id", "AWS.SimpleQueueService.InvalidBatchEntryId", second(send(entry("a b", "x")))},
		{"too long", "AWS.SimpleQueueService.BatchRequestTooLong", second(send(entry("a", big), entry("b", big), entry("c", "x")))},
	} {
		refused(t, test.what, test.err, test.code, "")
	}
	list := n.receive(t, q)
	equal(t, "received", []string{"one", "three"}, bodies(list))
	hidden := ok[sqs.ChangeMessageVisibilityBatchOutput](t)(n.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: q, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
		{Id: aws.String("a"), ReceiptHandle: list[0].ReceiptHandle, VisibilityTimeout: 100}, {Id: aws.String("b"), ReceiptHandle: aws.String("x"), VisibilityTimeout: 1},
	}}))
	equal(t, "hidden", 1, len(hidden.Successful))
	equal(t, "not hidden", []string{"b ReceiptHandleIsInvalid true"}, failures(hidden.Failed))
	deleted := ok[sqs.DeleteMessageBatchOutput](t)(n.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: q, Entries: []types.DeleteMessageBatchRequestEntry{
		{Id: aws.String("a"), ReceiptHandle: list[0].ReceiptHandle}, {Id: aws.String("b"), ReceiptHandle: aws.String("x")}, {Id: aws.String("c"), ReceiptHandle: list[1].ReceiptHandle},
	}}))
	equal(t, "deleted", 2, len(deleted.Successful))
	equal(t, "not deleted", []string{"b ReceiptHandleIsInvalid true"}, failures(deleted.Failed))
	equal(t, "left", "0", n.attributes(t, q, "All")["ApproximateNumberOfMessagesNotVisible"])
}

func failures(list []types.BatchResultErrorEntry) (texts []string) {
	for _, f := range list {
		texts = append(texts, fmt.Sprint(*f.Id, " ", *f.Code, " ", f.SenderFault))
	}
	return texts
}

func TestFIFO(t *testing.T) {
	n, ctx := start(t), context.Background()
	q := n.create(t, "a.fifo", "FifoQueue", "true", "ContentBasedDeduplication", "true")
	send := func(group, body string) *sqs.SendMessageOutput {
		return ok[sqs.SendMessageOutput](t)(n.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: q, MessageGroupId: &group, MessageBody: &body}))
	}
	first := send("a", "one")
	same := send("b", "one")
	equal(t, "a duplicate", []string{*first.MessageId, *first.SequenceNumber}, []string{*same.MessageId, *same.SequenceNumber})
	if next := send("a", "two"); *next.SequenceNumber <= *first.SequenceNumber || len(*next.SequenceNumber) != 20 {
		t.Errorf("%s after %s", *next.SequenceNumber, *first.SequenceNumber)
	}
	send("b", "three")
	receive := func(attempt string, most int32) []types.Message {
		in := &sqs.ReceiveMessageInput{QueueUrl: q, MaxNumberOfMessages: most, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}}
		if attempt != "" {
			in.ReceiveRequestAttemptId = &attempt
		}
		return ok[sqs.ReceiveMessageOutput](t)(n.ReceiveMessage(ctx, in)).Messages
	}
	list := receive("x", 1)
	equal(t, "first", []string{"one"}, bodies(list))
	equal(t, "group", "a", list[0].Attributes["MessageGroupId"])
	equal(t, "number", *first.SequenceNumber, list[0].Attributes["SequenceNumber"])
	equal(t, "by content", 64, len(list[0].Attributes["MessageDeduplicationId"]))
	again := receive("x", 1)
	equal(t, "same attempt", *list[0].ReceiptHandle, *again[0].ReceiptHandle)
	equal(t, "the other group", []string{"three"}, bodies(receive("", 10)))
	n.clock.Advance(31 * time.Second)
	refused(t, "expired", second(n.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: q, ReceiptHandle: list[0].ReceiptHandle})), "InvalidParameterValue", "expired")
	equal(t, "in order", []string{"one", "two", "three"}, bodies(receive("", 10)))
}

func TestDelays(t *testing.T) {
	n, ctx := start(t), context.Background()
	q := n.create(t, "a", "DelaySeconds", "10")
	n.send(t, q, "usual")
	ok[sqs.SendMessageOutput](t)(n.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: q, MessageBody: aws.String("longer"), DelaySeconds: 20}))
	if status, body := n.form(t, "SendMessage", "QueueUrl", *q, "MessageBody", "now", "DelaySeconds", "0"); status != 200 {
		t.Error(body)
	}
	equal(t, "at once", []string{"now"}, bodies(n.receive(t, q)))
	n.clock.Advance(10 * time.Second)
	equal(t, "after the queue's", []string{"usual"}, bodies(n.receive(t, q)))
	n.clock.Advance(10 * time.Second)
	equal(t, "after its own", []string{"longer"}, bodies(n.receive(t, q)))
}

// A receiver that waits is answered as soon as a message is sent.
func TestLongPoll(t *testing.T) {
	n, ctx := start(t), context.Background()
	q := n.create(t, "a")
	got := make(chan []types.Message)
	begin := time.Now()
	go func() {
		out, err := n.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: q, WaitTimeSeconds: 20})
		if err != nil {
			t.Error(err)
			got <- nil
			return
		}
		got <- out.Messages
	}()
	n.send(t, q, "one")
	equal(t, "message", []string{"one"}, bodies(<-got))
	if d := time.Since(begin); d > 10*time.Second {
		t.Errorf("after %v", d)
	}
}
