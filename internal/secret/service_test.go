package secret_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/sdkhttp"
	"github.com/mayfly-cloud/mayfly/internal/secret"
	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/store/pebble"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

const (
	account = "123456789012"
	region  = "eu-central-1"
	prefix  = "arn:aws:secretsmanager:" + region + ":" + account + ":secret:"
)

// noon is the time of all tests, unless they move it.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// node is a Service behind HTTP, with the SDK's client.
type node struct {
	*secretsmanager.Client
	service *secret.Service
	store   store.Store
	clock   *clock.Manual
	keys    *keys
}

// keys stands in for the key service: what it makes is the plain text, turned over,
// behind its key and context. refuse is what it answers instead.
type keys struct{ refuse error }

func (k *keys) Encrypt(_ context.Context, keyID string, plain []byte, context map[string]string) ([]byte, string, error) {
	if keyID == "" {
		keyID = "usual"
	}
	return append(fmt.Appendf(nil, "%s:%s %s|", keyID, context["SecretARN"], context["SecretVersionId"]), turned(plain)...), "key/" + keyID, k.refuse
}

func (k *keys) Decrypt(_ context.Context, blob []byte, context map[string]string) ([]byte, error) {
	_, rest, _ := bytes.Cut(blob, []byte(":"))
	rest, ok := bytes.CutPrefix(rest, fmt.Appendf(nil, "%s %s|", context["SecretARN"], context["SecretVersionId"]))
	if !ok {
		return nil, errors.New("bound to another secret")
	}
	return turned(rest), k.refuse
}

func (k *keys) Need(_ context.Context, action, keyID string, context map[string]string) access.Need {
	return access.Need{Action: action, Resource: keyID, Keys: access.Keys{"context": {context["SecretARN"]}}}
}

// grammar stands in for whoever knows policies.
type grammar struct{}

func (grammar) Check(document []byte, _ string) error {
	if !strings.Contains(string(document), `"Statement"`) {
		return errors.New("Missing required field Statement")
	}
	return nil
}

func (grammar) Public(document []byte) bool {
	return strings.Contains(string(document), `"Principal":"*"`)
}

func turned(b []byte) []byte {
	t := bytes.Clone(b)
	for i := range t {
		t[i] ^= 0xff
	}
	return t
}

func start(t testing.TB) *node {
	t.Helper()
	ignore := goleak.IgnoreCurrent()
	s, err := pebble.Open(t.Context(), pebble.Config{Dir: "data", FS: vfs.NewMem(), Reserve: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	n := &node{clock: clock.NewManual(noon), store: s, keys: &keys{}}
	n.service = secret.New(secret.Config{Store: s, Keys: n.keys, Policies: grammar{}, Account: account, Region: region, Clock: n.clock})
	router, err := wire.New(n.service.API())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(serve(t, router))
	transport := &http.Transport{}
	n.Client = secretsmanager.New(secretsmanager.Options{
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

func second[T any](_ T, err error) error { return err }

// create makes a secret with a value and gives its ARN and its version.
func (n *node) create(t testing.TB, name, value string) (arn, version string) {
	t.Helper()
	out := ok[secretsmanager.CreateSecretOutput](t)(n.CreateSecret(context.Background(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: &value}))
	return *out.ARN, *out.VersionId
}

// put makes a new version and gives its id.
func (n *node) put(t testing.TB, name, value string, stages ...string) string {
	t.Helper()
	return *ok[secretsmanager.PutSecretValueOutput](t)(n.PutSecretValue(context.Background(), &secretsmanager.PutSecretValueInput{SecretId: &name, SecretString: &value, VersionStages: stages})).VersionId
}

// get reads a secret's value at a stage, "" for the current one.
func (n *node) get(t testing.TB, name, stage string) string {
	t.Helper()
	in := &secretsmanager.GetSecretValueInput{SecretId: &name}
	if stage != "" {
		in.VersionStage = &stage
	}
	return *ok[secretsmanager.GetSecretValueOutput](t)(n.GetSecretValue(context.Background(), in)).SecretString
}

// stages are a secret's labels by version.
func (n *node) stages(t testing.TB, name string) map[string][]string {
	t.Helper()
	return ok[secretsmanager.DescribeSecretOutput](t)(n.DescribeSecret(context.Background(), &secretsmanager.DescribeSecretInput{SecretId: &name})).VersionIdsToStages
}

// holds says whether the store has a text in any key or value.
func (n *node) holds(t testing.TB, text string) bool {
	t.Helper()
	has := false
	err := n.store.View(t.Context(), func(r store.Reader) error {
		for p, err := range r.Scan(store.Range{}) {
			if err != nil {
				return err
			}
			has = has || bytes.Contains(p.Key, []byte(text)) || bytes.Contains(p.Value, []byte(text))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return has
}

// equal compares what a test wants with what it got.
func equal(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s: (-want +got)\n%s", what, d)
	}
}

var errDisabled = fault.New(http.StatusBadRequest, "DisabledException", "the key is disabled.")
