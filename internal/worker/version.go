package worker

import (
	"time"

	"github.com/mayfly-cloud/mayfly/internal/blob"
)

// Version is what an execution environment runs: one snapshot of a function's
// code and configuration. It is a value: two with the same Key may serve each
// other's calls, and any change to a function gives another Key.
type Version struct {
	// Key names the snapshot on every node: function ARN, version and revision.
	Key string
	// FunctionARN has no qualifier; Number is "$LATEST" or a published "7".
	FunctionARN, Name, Number, Account, Region string

	Runtime      string // as in the API: "nodejs22.x"
	Handler      string
	Architecture string
	Role         string // execution role's ARN
	Code         blob.Digest
	Layers       []blob.Digest // in the order they are merged
	Environment  map[string]string
	MemoryMiB    int
	TmpMiB       int
	Timeout      time.Duration

	LogGroup            string
	LogFormat           string // "Text" or "JSON"
	ApplicationLogLevel string
	SystemLogLevel      string
}
