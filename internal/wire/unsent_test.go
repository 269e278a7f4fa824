package wire_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/schemas"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// TestUnsent: a zero that was sent is told from nothing, at the top and within lists.
func TestUnsent(t *testing.T) {
	var got []int32
	router, err := compile(wire.API{
		Service: "sqs", Target: "AmazonSQS", Protocols: []wire.Protocol{wire.JSON10, wire.Query},
		Unsent: []any{sqs.ReceiveMessageInput{WaitTimeSeconds: -1}, types.SendMessageBatchRequestEntry{DelaySeconds: -1}},
		Operations: []wire.Operation{
			wire.Op(schemas.ReceiveMessage, func(_ context.Context, in *sqs.ReceiveMessageInput) (*sqs.ReceiveMessageOutput, error) {
				got = []int32{in.WaitTimeSeconds, in.MaxNumberOfMessages}
				return nil, nil
			}),
			wire.Op(schemas.SendMessageBatch, func(_ context.Context, in *sqs.SendMessageBatchInput) (*sqs.SendMessageBatchOutput, error) {
				got = nil
				for _, e := range in.Entries {
					got = append(got, e.DelaySeconds)
				}
				return nil, nil
			}),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		operation, body string
		want            []int32
	}{
		{"ReceiveMessage", ``, []int32{-1, 0}},
		{"ReceiveMessage", `{}`, []int32{-1, 0}},
		{"ReceiveMessage", `{"WaitTimeSeconds":0,"MaxNumberOfMessages":3}`, []int32{0, 3}},
		{"ReceiveMessage", `Action=ReceiveMessage&WaitTimeSeconds=0`, []int32{0, 0}},
		{"ReceiveMessage", `Action=ReceiveMessage`, []int32{-1, 0}},
		{"SendMessageBatch", `{"Entries":[{"Id":"a"},{"DelaySeconds":0},{"DelaySeconds":7}]}`, []int32{-1, 0, 7}},
		{"SendMessageBatch", `Action=SendMessageBatch&SendMessageBatchRequestEntry.1.Id=a&SendMessageBatchRequestEntry.2.DelaySeconds=0`, []int32{-1, 0}},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(test.body))
		if strings.HasPrefix(test.body, "Action") {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		} else {
			r.Header.Set("Content-Type", "application/x-amz-json-1.0")
			r.Header.Set("X-Amz-Target", "AmazonSQS."+test.operation)
		}
		call, err := router.Match(r)
		if err != nil {
			t.Fatal(err)
		}
		in, err := call.Decode(r, []byte(test.body))
		if err != nil {
			t.Errorf("%s: %v", test.body, err)
			continue
		}
		call.Serve(t.Context(), httptest.NewRecorder(), in, "id")
		if len(got) != len(test.want) {
			t.Errorf("%s: %v, want %v", test.body, got, test.want)
			continue
		}
		for i := range got {
			if got[i] != test.want[i] {
				t.Errorf("%s: %v, want %v", test.body, got, test.want)
			}
		}
	}
}
