package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/smithy-go"
	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"github.com/mayfly-cloud/mayfly/internal/audit"
	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
	"github.com/mayfly-cloud/mayfly/internal/sdkhttp"
	"github.com/mayfly-cloud/mayfly/internal/store"
	"github.com/mayfly-cloud/mayfly/internal/store/pebble"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

const (
	account = "123456789012"
	region  = "us-east-1"
)

// noon is the time of all tests, unless they move it.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// node is a running Trail behind HTTP, with the SDK's client.
type node struct {
	*cloudtrail.Client
	trail  *audit.Trail
	clock  *clock.Manual
	stored *valve
	log    *lockedBuffer
	router *wire.Router
}

// valve is a store whose writes can be held up.
type valve struct {
	store.Store
	mu sync.RWMutex // held by who holds writes up
}

func (v *valve) Update(ctx context.Context, fn func(store.Tx) error) error {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.Store.Update(ctx, fn)
}

// lockedBuffer is a log.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func start(t testing.TB, change ...func(*audit.Config)) *node {
	t.Helper()
	return startOn(t, vfs.NewMem(), change...)
}

func startOn(t testing.TB, fs vfs.FS, change ...func(*audit.Config)) *node {
	t.Helper()
	ignore := goleak.IgnoreCurrent()
	s, err := pebble.Open(t.Context(), pebble.Config{Dir: "data", FS: fs, Reserve: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	n := &node{clock: clock.NewManual(noon), stored: &valve{Store: s}, log: &lockedBuffer{}}
	cfg := audit.Config{Store: n.stored, Account: account, Region: region, Clock: n.clock, Log: slog.New(slog.NewTextHandler(n.log, nil))}
	for _, c := range change {
		c(&cfg)
	}
	n.trail = audit.New(cfg)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.trail.Run(ctx) }()
	if n.router, err = wire.New(n.trail.API()); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(serve(t, n.router))
	transport := &http.Transport{}
	n.Client = cloudtrail.New(cloudtrail.Options{
		Region: region, BaseEndpoint: &server.URL, Retryer: aws.NopRetryer{}, HTTPClient: &http.Client{Transport: sdkhttp.Over(transport)},
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
	})
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
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

// The principals of the tests.
var (
	root = auth.Principal{Kind: auth.RootUser, Account: account, ARN: "arn:aws:iam::" + account + ":root", UserID: account, AccessKeyID: "AKIAROOT"}
	ada  = auth.Principal{Kind: auth.User, Account: account, ARN: "arn:aws:iam::" + account + ":user/staff/ada", UserID: "AIDAADA", AccessKeyID: "AKIAADA"}
	hook = auth.Principal{Kind: auth.RoleSession, Account: account, ARN: "arn:aws:sts::" + account + ":assumed-role/mayfly-hook/hook",
		UserID: "AROAHOOK:hook", AccessKeyID: "ASIAHOOK", RoleARN: "arn:aws:iam::" + account + ":role/mayfly-hook", SessionName: "hook",
		SourceARN: functionARN("hook"), Issued: noon.Add(-time.Hour)}
)

func functionARN(name string) string {
	return "arn:aws:lambda:" + region + ":" + account + ":function:" + name
}

// event makes one of a request for a function.
func event(p auth.Principal, operation, function string) audit.Event {
	return audit.Event{RequestID: "r-" + operation, Time: noon, Principal: p, Service: "lambda", Operation: operation, Region: region,
		SourceIP: "203.0.113.7", UserAgent: "aws-cli/2", Resources: []string{functionARN(function)}}
}

// denial is what refuses a caller to invoke a function, by one policy or by none.
func denial(t testing.TB, docs ...string) *audit.Denial {
	t.Helper()
	d := &audit.Denial{Request: policy.Request{
		Principal: policy.Principal{Type: policy.RoleSession, ARN: hook.ARN, Account: account, Issuer: hook.RoleARN},
		Action:    "lambda:InvokeFunction", Resource: functionARN("orders"),
	}}
	for _, doc := range docs {
		p, err := policy.Parse([]byte(doc), policy.Identity)
		if err != nil {
			t.Fatal(err)
		}
		d.Policies.Identity = append(d.Policies.Identity, policy.Attached{Name: "logging", Policy: p})
	}
	if d.Decision = policy.Evaluate(&d.Request, &d.Policies); d.Decision.Allowed {
		t.Fatal("it is allowed")
	}
	return d
}

// refusal makes an event of a refused call.
func refusal(t testing.TB, p auth.Principal, docs ...string) audit.Event {
	e := event(p, "Invoke", "orders")
	e.Denial = denial(t, docs...)
	e.ErrorCode, e.ErrorMessage = "AccessDeniedException", e.Denial.Decision.Message(&e.Denial.Request)
	return e
}

// lookup gives the names of the events found, the newest first.
func (n *node) lookup(t testing.TB, in *cloudtrail.LookupEventsInput) (names []string) {
	t.Helper()
	pages := cloudtrail.NewLookupEventsPaginator(n.Client, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Events {
			names = append(names, aws.ToString(e.EventName))
		}
	}
	return names
}

// by asks for one attribute.
func by(key types.LookupAttributeKey, value string) *cloudtrail.LookupEventsInput {
	return &cloudtrail.LookupEventsInput{LookupAttributes: []types.LookupAttribute{{AttributeKey: key, AttributeValue: &value}}}
}

// page asks Mayfly's own page.
func (n *node) page(t testing.TB, query url.Values) (list []audit.Entry, token string) {
	t.Helper()
	w := httptest.NewRecorder()
	n.trail.ServeEvents(w, httptest.NewRequest(http.MethodGet, "/_mayfly/audit?"+query.Encode(), nil))
	var p struct {
		Events []audit.Entry
		Token  string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s %v", w.Code, w.Body, err)
	}
	return p.Events, p.Token
}

// flush waits until what was recorded is stored.
func (n *node) flush(t testing.TB) {
	t.Helper()
	if err := n.trail.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// refused checks that a call failed with a code.
func refused(t *testing.T, what string, err error, code string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}
