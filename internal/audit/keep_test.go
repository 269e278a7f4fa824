package audit_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/audit"
	"github.com/mayfly-cloud/mayfly/internal/store/pebble"
)

func TestWhatIsKept(t *testing.T) {
	for _, tt := range []struct {
		name               string
		service, operation string
		readOnly, denied   bool
		want               audit.Kind // "" if it is not kept
	}{
		{"a change", "lambda", "CreateFunction", false, false, audit.Change},
		{"a read", "lambda", "ListFunctions", true, false, audit.Read},
		{"a secret read", "secretsmanager", "GetSecretValue", true, false, audit.Read},
		{"a refused change", "lambda", "CreateFunction", false, true, audit.Refused},
		{"a refused read", "iam", "ListUsers", true, true, audit.Refused},
		{"a call", "lambda", "Invoke", false, false, ""},
		{"a call by URL", "lambda", "InvokeFunctionUrl", false, false, ""},
		{"a refused call", "lambda", "Invoke", false, true, audit.Refused},
		{"log lines", "logs", "PutLogEvents", false, false, ""},
		{"an item", "dynamodb", "GetItem", true, false, ""},
		{"a refused item", "dynamodb", "GetItem", true, true, audit.Refused},
		{"a log group", "logs", "CreateLogGroup", false, false, audit.Change},
		{"a page", "mayfly", "GetBill", true, false, audit.Read},
		{"the trail's own page", "mayfly", "GetAuditTrail", true, false, ""},
		{"the trail's own page, refused", "mayfly", "GetAuditTrail", true, true, audit.Refused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := start(t)
			e := event(ada, tt.operation, "orders")
			e.Service, e.ReadOnly = tt.service, tt.readOnly
			if tt.denied {
				e.Denial = denial(t)
			}
			n.trail.Record(e)
			n.flush(t)
			list, _ := n.page(t, nil)
			var got audit.Kind
			if len(list) > 0 {
				got = list[0].Kind
			}
			if got != tt.want {
				t.Errorf("kept as %q, want %q", got, tt.want)
			}
		})
	}
}

// Changes and refusals are there after a power cut the moment Record returns.
func TestPowerCut(t *testing.T) {
	fs := vfs.NewCrashableMem()
	n := startOn(t, fs)
	n.trail.Record(event(root, "CreateFunction", "orders"))
	n.trail.Record(refusal(t, hook))
	secret := event(hook, "GetSecretValue", "orders")
	secret.Service, secret.ReadOnly = "secretsmanager", true
	n.trail.Record(secret)
	rng := rand.New(rand.NewPCG(1, 2))
	after, err := pebble.Open(t.Context(), pebble.Config{Dir: "data", FS: fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rng}), Reserve: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	defer after.Close()
	m := &node{trail: audit.New(audit.Config{Store: after, Account: account, Region: region})}
	list, _ := m.page(t, nil)
	var got []string
	for _, e := range list {
		got = append(got, e.Operation)
	}
	if d := cmp.Diff([]string{"GetSecretValue", "Invoke", "CreateFunction"}, got); d != "" {
		t.Error(d)
	}
}

// Many at once: each is durable when its Record returns, and is there once.
func TestConcurrentRecords(t *testing.T) {
	n := start(t)
	const callers, each = 16, 20
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for i := range each {
				e := event(ada, "CreateFunction", fmt.Sprintf("f%d-%d", c, i))
				n.trail.Record(e)
				if list, _ := n.page(t, url.Values{"resource": {e.Resources[0]}}); len(list) != 1 {
					t.Errorf("%s: %d entries", e.Resources[0], len(list))
				}
			}
		})
	}
	all.Wait()
	if got := n.lookup(t, &cloudtrail.LookupEventsInput{}); len(got) != callers*each {
		t.Errorf("%d events, want %d", len(got), callers*each)
	}
}

// A store that takes nothing holds callers up for a second and no longer, and what
// doesn't fit into memory meanwhile is counted and said.
func TestStoreThatTakesNothing(t *testing.T) {
	n := start(t)
	n.stored.mu.Lock()
	begin := time.Now()
	n.trail.Record(event(root, "CreateFunction", "orders"))
	if took := time.Since(begin); took < 900*time.Millisecond || took > 10*time.Second {
		t.Errorf("it was held up %v", took)
	}
	const reads = 10_000
	read := event(ada, "GetFunction", "orders")
	read.ReadOnly = true
	begin = time.Now()
	for range reads {
		n.trail.Record(read)
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("%d reads were held up %v", reads, took)
	}
	n.stored.mu.Unlock()
	n.trail.Record(event(root, "DeleteFunction", "orders")) // a change finds room where reads don't
	n.flush(t)

	changes, _ := n.page(t, url.Values{"kind": {"change"}})
	var got []string
	var lost int
	for _, e := range changes {
		got = append(got, e.Operation)
		fmt.Sscanf(e.ErrorReason, "%d events are missing", &lost)
	}
	kept := 0
	for token := "-"; token != ""; {
		q := url.Values{"kind": {"read"}, "limit": {"1000"}}
		if token != "-" {
			q.Set("token", token)
		}
		var list []audit.Entry
		list, token = n.page(t, q)
		kept += len(list)
	}
	if len(got) != 3 || !strings.Contains(fmt.Sprint(got), "AuditEventsLost") || kept+lost != reads || lost == 0 {
		t.Errorf("changes %v; %d reads are kept and %d said to be lost, of %d", got, kept, lost, reads)
	}
	if log := n.log.String(); !strings.Contains(log, fmt.Sprintf("events=%d", lost)) {
		t.Errorf("the log says %q", log)
	}
}

func TestOldEntriesGo(t *testing.T) {
	n := start(t)
	recordSome(t, n)
	n.clock.Advance(90*24*time.Hour + 1500*time.Millisecond)
	young := event(root, "CreateFunction", "new")
	young.Time = n.clock.Now()
	n.trail.Record(young)
	if err := n.trail.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{"CreateFunction20150331", "Invoke", "DeleteFunction20150331", "CreateRole"}
	if d := cmp.Diff(want, n.lookup(t, &cloudtrail.LookupEventsInput{})); d != "" {
		t.Error(d)
	}
	for _, user := range []string{"root", "ada"} { // its indexes went with it
		if got := n.lookup(t, by("Username", user)); fmt.Sprint(got) != map[string]string{"root": "[CreateFunction20150331 DeleteFunction20150331]", "ada": "[CreateRole]"}[user] {
			t.Errorf("%s: %v", user, got)
		}
	}
}

// A flood of one kind takes no room from the others.
func TestTooManyOfAKind(t *testing.T) {
	n := start(t, func(c *audit.Config) { c.MaxEvents = 100 })
	n.trail.Record(event(root, "CreateFunction", "orders"))
	denied := refusal(t, hook)
	for i := range 250 {
		denied.Time = noon.Add(time.Duration(i) * time.Second)
		denied.RequestID = fmt.Sprint("r", i)
		n.trail.Record(denied)
	}
	if err := n.trail.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, _ := n.page(t, url.Values{"kind": {"refusal"}, "limit": {"1000"}})
	if len(list) > 100 || len(list) < 90 || list[0].RequestID != "r249" {
		t.Errorf("%d refusals are kept, the newest %s", len(list), list[0].RequestID)
	}
	if list, _ := n.page(t, url.Values{"kind": {"change"}}); len(list) != 1 {
		t.Errorf("%d changes are kept", len(list))
	}
}

// What strangers send is cleaned before it is kept, and no secret has a place in it.
func TestHostileText(t *testing.T) {
	n := start(t)
	e := event(ada, "CreateFunction", "orders")
	e.UserAgent = "curl\x1b[2J\r\nFORGED \xff\u202e" + strings.Repeat("x", 5000)
	e.ErrorMessage = strings.Repeat("é", 2000)
	e.Resources = append(e.Resources, "not an arn", strings.Repeat("y", 1<<20), "arn:aws:s3:::bucket/"+strings.Repeat("k", 4000))
	for i := range 100 {
		e.Resources = append(e.Resources, functionARN(fmt.Sprint("f", i)))
	}
	n.trail.Record(e)
	list, _ := n.page(t, nil)
	if len(list) != 1 {
		t.Fatalf("%d entries", len(list))
	}
	got := list[0]
	if strings.ContainsAny(got.UserAgent, "\x1b\r\n\u202e") || len(got.UserAgent) > 1024 || !strings.HasPrefix(got.UserAgent, "curl?[2J??FORGED ??x") {
		t.Errorf("agent %q", got.UserAgent)
	}
	if len(got.ErrorReason) > 1024 || strings.ContainsRune(got.ErrorReason, '\ufffd') || len(got.Resources) != 20 {
		t.Errorf("%d bytes of message, %d resources", len(got.ErrorReason), len(got.Resources))
	}
}

// A name of any length is found again, page by page.
func TestLongNames(t *testing.T) {
	n := start(t)
	name := "arn:aws:s3:::bucket/" + strings.Repeat("é%", 600)
	for i := range 3 {
		e := event(ada, "CreateBucket", "orders")
		e.Resources, e.Time = []string{name}, noon.Add(time.Duration(i)*time.Second)
		n.trail.Record(e)
	}
	in := by("ResourceName", name)
	in.MaxResults = aws.Int32(1)
	if got := n.lookup(t, in); len(got) != 3 {
		t.Errorf("LookupEvents gives %v", got)
	}
	q, found := url.Values{"resource": {name}, "limit": {"1"}}, 0
	for token := "-"; token != ""; q.Set("token", token) {
		var list []audit.Entry
		list, token = n.page(t, q)
		found += len(list)
	}
	if found != 3 {
		t.Errorf("the page gives %d", found)
	}
}

// BenchmarkCall is what a warm call of a function pays.
func BenchmarkCall(b *testing.B) {
	t := audit.New(audit.Config{Log: slog.Default()})
	e := event(hook, "Invoke", "orders")
	for b.Loop() {
		t.Record(e)
	}
}
