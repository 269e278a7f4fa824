package queue

import (
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/mayfly-cloud/mayfly/internal/fault"
)

// batch gathers what failed of a batch. Its entries fail one by one.
type batch struct {
	id       func(int) *string
	failures []types.BatchResultErrorEntry
}

const (
	maxBatch   = 10
	maxBatchID = 80
)

// newBatch checks the ids of a batch's entries.
func newBatch(entry string, n int, id func(int) *string) (*batch, error) {
	if n == 0 {
		return nil, refuse("EmptyBatchRequest", "There should be at least one %s in the request.", entry)
	}
	if n > maxBatch {
		return nil, refuse("TooManyEntriesInBatchRequest", "Maximum number of entries per request are %d. You have sent %d.", maxBatch, n)
	}
	seen := map[string]bool{}
	for i := range n {
		s := aws.ToString(id(i))
		if s == "" || len(s) > maxBatchID || strings.ContainsFunc(s, notInName) {
			return nil, refuse("InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		}
		if seen[s] {
			return nil, refuse("BatchEntryIdsNotDistinct", "Id %s repeated.", s)
		}
		seen[s] = true
	}
	return &batch{id: id, failures: []types.BatchResultErrorEntry{}}, nil
}

func (b *batch) failed(i int, err error) {
	f := fault.As(err)
	b.failures = append(b.failures, types.BatchResultErrorEntry{
		Id: b.id(i), Code: aws.String(f.Code), Message: aws.String(f.Message), SenderFault: f.Status < http.StatusInternalServerError,
	})
}
