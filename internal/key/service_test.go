package key_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"
	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/key"
	"github.com/mayfly-cloud/mayfly/internal/sdkhttp"
	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/store/pebble"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

const (
	account = "123456789012"
	region  = "eu-central-1"
	prefix  = "arn:aws:kms:" + region + ":" + account + ":"
)

// noon is the time of all tests, unless they move it.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// node is a Service behind HTTP, with the SDK's client.
type node struct {
	*kms.Client
	service *key.Service
	store   store.Store
	clock   *clock.Manual
	vault   key.Vault
}

// grammar stands in for whoever knows policies.
type grammar struct{}

func (grammar) Check(document []byte, _ string) error {
	if !strings.Contains(string(document), `"Statement"`) {
		return errors.New("Syntax errors in policy: Missing required field Statement")
	}
	return nil
}

func start(t testing.TB) *node {
	t.Helper()
	dir := t.TempDir()
	nodeKey, err := auth.OpenNodeKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	return startWith(t, vfs.NewMem(), nodeKey)
}

func startWith(t testing.TB, fs vfs.FS, nodeKey auth.NodeKey) *node {
	t.Helper()
	ignore := goleak.IgnoreCurrent()
	s, err := pebble.Open(t.Context(), pebble.Config{Dir: "data", FS: fs, Reserve: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	n := &node{clock: clock.NewManual(noon), store: s, vault: nodeKey}
	n.service = key.New(key.Config{Store: s, Vault: nodeKey, Policies: grammar{}, Account: account, Region: region, Clock: n.clock})
	router, err := wire.New(n.service.API())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(serve(t, router))
	transport := &http.Transport{}
	n.Client = kms.New(kms.Options{
		Region: region, BaseEndpoint: &server.URL, Retryer: aws.NopRetryer{}, HTTPClient: &http.Client{Transport: sdkhttp.Over(transport)},
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
	})
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		goleak.VerifyNone(t, ignore)
	})
	return n
}

// serve is a door without a lock.
func serve(t testing.TB, router *wire.Router) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		call, err := router.Match(r)
		if err != nil {
			router.WriteError(w, r, err, "id")
			return
		}
		in, err := call.Decode(r, body)
		if err != nil {
			call.WriteError(w, err, "id")
			return
		}
		call.Serve(r.Context(), w, in, "id")
	})
}

// ok ends the test unless a call has succeeded.
func ok[O any](t testing.TB) func(*O, error) *O {
	return func(out *O, err error) *O {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// refused checks that a call failed with a code, and a message that contains some words.
func refused(t *testing.T, what string, err error, code, words string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code || !strings.Contains(e.ErrorMessage(), words) {
		t.Errorf("%s: %v, want %s %s", what, err, code, words)
	}
}

// create makes a key and gives its id.
func (n *node) create(t testing.TB) *string {
	t.Helper()
	return ok[kms.CreateKeyOutput](t)(n.CreateKey(context.Background(), &kms.CreateKeyInput{})).KeyMetadata.KeyId
}
