package fault_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mayfly-cloud/mayfly/internal/fault"
)

func TestNew(t *testing.T) {
	e := fault.New(404, "ResourceNotFoundException", "Function not found: %s (%w)", "hello", io.EOF)
	if e.Error() != "ResourceNotFoundException: Function not found: hello (EOF)" || e.Status != 404 {
		t.Errorf("%d %s", e.Status, e)
	}
	if !errors.Is(e, io.EOF) {
		t.Error("the cause is lost")
	}
	if plain := fault.New(400, "X", "no cause"); plain.Unwrap() != nil {
		t.Errorf("cause %v", plain.Unwrap())
	}
}

// TestAs: a fault is found in any chain; anything else is answered without a word
// of what it was.
func TestAs(t *testing.T) {
	e := fault.New(400, "X", "message")
	if got := fault.As(fmt.Errorf("create function: %w", errors.Join(io.EOF, e))); got != e {
		t.Errorf("found %v", got)
	}
	for _, err := range []error{errors.New("secret"), context.Canceled, fmt.Errorf("secret: %w", io.EOF), nil} {
		got := fault.As(err)
		if got.Code != "InternalFailure" || got.Status != 500 || strings.Contains(got.Error(), "secret") {
			t.Errorf("%v became %d %v", err, got.Status, got)
		}
		if err != nil && !errors.Is(got, err) {
			t.Errorf("%v is not the cause for our own log", err)
		}
	}
}

// TestAsFullDisk: what a person can do something about is told, without the paths
// of this machine.
func TestAsFullDisk(t *testing.T) {
	err := fmt.Errorf("write secret: %w", &fs.PathError{Op: "write", Path: "/secret", Err: syscall.ENOSPC})
	got := fault.As(err)
	if got.Code != "ServiceUnavailable" || got.Status != 503 || !strings.Contains(got.Message, "disk") || strings.Contains(got.Error(), "secret") || !errors.Is(got, err) {
		t.Errorf("%v became %d %v", err, got.Status, got)
	}
	if e := fault.New(400, "X", "%w", syscall.ENOSPC); fault.As(e) != e {
		t.Error("a fault lost its own code")
	}
}

func TestIs(t *testing.T) {
	e := fmt.Errorf("call: %w", fault.New(429, "TooManyRequestsException", "x"))
	if !fault.Is(e, "TooManyRequestsException") || fault.Is(e, "X") || fault.Is(io.EOF, "") || fault.Is(nil, "") {
		t.Error("Is mistakes one code for another")
	}
}

// TestWith: a fault kept in a variable is not changed by adding to it.
func TestWith(t *testing.T) {
	base := fault.New(429, "X", "message: %w", io.EOF)
	a := base.With("Reason", "one")
	b := a.With("Other", "two")
	got := []map[string]string{base.Fields, a.Fields, b.Fields}
	want := []map[string]string{nil, {"Reason": "one"}, {"Reason": "one", "Other": "two"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(base, b, cmpopts.IgnoreFields(fault.Error{}, "Fields"), cmpopts.IgnoreUnexported(fault.Error{})); diff != "" || !errors.Is(b, io.EOF) {
		t.Errorf("With lost something:\n%s", diff)
	}
}
