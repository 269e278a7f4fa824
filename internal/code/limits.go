package code

import (
	"net/http"

	"github.com/mayfly-cloud/mayfly/internal/fault"
)

// Limits bound one package. The zero value refuses everything.
type Limits struct {
	// ZippedBytes is the most an archive may weigh, UnpackedBytes the most its
	// files may weigh together.
	ZippedBytes, UnpackedBytes int64
	// Entries is the most files, directories and links an archive may list.
	Entries int
}

// Default is AWS's limits: 50 MB zipped when uploaded directly and 250 MB
// unpacked with all layers. AWS documents no bound on entries; ours is several
// times the largest dependency trees seen in functions.
//
// Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
var Default = Limits{
	ZippedBytes:   52428800,
	UnpackedBytes: 262144000,
	Entries:       100_000,
}

// What an archive's names may be. Linux's own bounds are 255 bytes for one
// element and 4096 for a path; a package needs room for its mount point.
const (
	maxPath  = 1024
	maxName  = 255
	maxDepth = 64
	maxLink  = 1024
)

// invalid is the fault for a package that can't be used, with AWS's code.
func invalid(format string, args ...any) *fault.Error {
	e := fault.New(http.StatusBadRequest, "InvalidParameterValueException", format, args...)
	e.Type = "User"
	return e
}

// badZip is AWS's answer to what is no archive or a damaged one; detail says
// what is wrong with it, which AWS does not.
func badZip(detail string) *fault.Error {
	return invalid("Could not unzip uploaded file. Please check your file, then try to upload again. (%s)", detail)
}
