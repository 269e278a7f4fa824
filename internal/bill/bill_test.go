package bill_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/bill"
)

// TestPrices: what AWS's own examples come to.
func TestPrices(t *testing.T) {
	tests := map[string]struct {
		use  bill.Usage
		n    int
		want bill.Cost
	}{
		// 1 ms with 128 MiB is $0.0000000021 in AWS's table; 2.083 nano-dollars.
		"the smallest call": {bill.Usage{Billed: time.Millisecond, MemoryMiB: 128}, 1, bill.Cost{Requests: 200, Duration: 2, Total: 202}},
		"a second with 1 GB": {bill.Usage{Billed: time.Second, MemoryMiB: 1024}, 1,
			bill.Cost{Requests: 200, Duration: 16_667, Total: 16_867}},
		"on arm64": {bill.Usage{Billed: time.Second, MemoryMiB: 1024, Architecture: "arm64"}, 1,
			bill.Cost{Requests: 200, Duration: 13_333, Total: 13_533}},
		"with 10 GB of /tmp": {bill.Usage{Billed: time.Second, MemoryMiB: 1024, TmpMiB: 10240}, 1,
			bill.Cost{Requests: 200, Duration: 16_667, Storage: 294, Total: 17_161}}, // 9.5 GB x 30.9
		"1000 calls of 120 ms with 1536 MiB": {bill.Usage{Billed: 120 * time.Millisecond, MemoryMiB: 1536}, 1000,
			bill.Cost{Requests: 200_000, Duration: 3_000_006, Total: 3_200_006}}, // 180 GB-seconds
		"a part of a millisecond is a whole one": {bill.Usage{Billed: time.Second + 1, MemoryMiB: 10240}, 1,
			bill.Cost{Requests: 200, Duration: 166_834, Total: 167_034}},
		"no time": {bill.Usage{MemoryMiB: 128}, 1, bill.Cost{Requests: 200, Total: 200}},
	}
	for name, test := range tests {
		m, _ := start(t)
		for i := range test.n {
			u := test.use
			u.RequestID, u.FunctionARN, u.At = fmt.Sprint(i), hello, noon
			m.Record(u)
		}
		if err := m.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, total(t, m).Cost); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestAddsUp: however a bill is grouped it has the same total, and quantities are
// exactly those of the invocations.
func TestAddsUp(t *testing.T) {
	m, s := start(t)
	rng := rand.New(rand.NewPCG(1, 1))
	var ms int64
	memory := new(big.Rat) // GB-seconds
	for i := range 500 {
		u := used(fmt.Sprint(i))
		u.FunctionARN += fmt.Sprint(rng.IntN(5))
		u.Version = fmt.Sprint(rng.IntN(3))
		u.At = noon.AddDate(0, 0, rng.IntN(4))
		u.Billed = time.Duration(1+rng.Int64N(5000)) * time.Millisecond
		u.MemoryMiB = 128 + rng.IntN(10000)
		ms += u.Billed.Milliseconds()
		memory.Add(memory, big.NewRat(u.Billed.Milliseconds()*int64(u.MemoryMiB), 1024*1000))
		if i%2 == 0 {
			m.Record(u)
		} else {
			complete(t, s, m, u)
		}
	}
	if err := m.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	var all []bill.Line
	for _, by := range []bill.Group{{}, {Day: true}, {Function: true}, {Version: true}, {Day: true, Function: true}, {Day: true, Function: true, Version: true}} {
		lines, err := m.Bill(t.Context(), noon, noon.AddDate(0, 0, 4), by)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, bill.Total(lines))
		if diff := cmp.Diff(all[0], bill.Total(lines)); diff != "" {
			t.Errorf("grouped by %+v (-want +got):\n%s", by, diff)
		}
	}
	if all[0].Invocations != 500 || all[0].BilledMs != ms {
		t.Errorf("%d invocations, %d ms; want 500 and %d", all[0].Invocations, all[0].BilledMs, ms)
	}
	if got := big.NewRat(int64(all[0].GBSeconds), 1024*1000); got.Cmp(memory) != 0 {
		t.Errorf("%v GB-seconds, want %v", got, memory)
	}
	two, err := m.Bill(t.Context(), noon.AddDate(0, 0, 1), noon.AddDate(0, 0, 3), bill.Group{Day: true})
	if err != nil || len(two) != 2 || two[0].Day != "2026-05-05" || two[1].Day != "2026-05-06" {
		t.Errorf("two days: %+v, %v", two, err)
	}
}

func TestMoney(t *testing.T) {
	for m, want := range map[bill.Money]string{0: "0.000000000", 202: "0.000000202", 3_200_006: "0.003200006", 12e9 + 5: "12.000000005", -5: "-0.000000005"} {
		if got := m.String(); got != want {
			t.Errorf("%d is printed %s, want %s", int64(m), got, want)
		}
	}
}

func TestServeBill(t *testing.T) {
	m, _ := start(t)
	u := used("8f7e")
	u.Cold = true
	m.Record(u)
	if err := m.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := serve(m.ServeBill, "/_mayfly/bill?from=2026-05-01&by=function")
	want := `200 {"from":"2026-05-01","to":"2026-05-04","lines":[{"account":"123456789012","function":"` + hello + `",` +
		`"invocations":1,"coldStarts":1,"errors":0,"billedMs":10,"gbSeconds":"0.010000","tmpGbSeconds":"0.000000",` +
		`"cost":{"requests":"0.000000200","duration":"0.000000167","storage":"0.000000000","total":"0.000000367"}}],` +
		`"total":{"invocations":1,"coldStarts":1,"errors":0,"billedMs":10,"gbSeconds":"0.010000","tmpGbSeconds":"0.000000",` +
		`"cost":{"requests":"0.000000200","duration":"0.000000167","storage":"0.000000000","total":"0.000000367"}},` +
		`"prices":{"gbSecond.arm64":"0.0000133334","gbSecond.tmpBeyond":"0.0000000309","gbSecond.x86_64":"0.0000166667","request":"0.0000002"}}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, query := range []string{"from=yesterday", "from=2026-05-02&to=2026-05-01", "from=2020-01-01", "by=colour"} {
		if got := serve(m.ServeBill, "/_mayfly/bill?"+query); !strings.HasPrefix(got, "400 ") {
			t.Errorf("%s: %s", query, got)
		}
	}
	if got := serve(m.ServeBill, "/_mayfly/bill?from=2026-01-01&to=2026-01-02"); !strings.Contains(got, `"lines":[]`) {
		t.Errorf("nothing used: %s", got)
	}
}

func TestServeInvocations(t *testing.T) {
	m, _ := start(t)
	for i := range 1500 {
		m.Record(used(fmt.Sprint(i)))
	}
	if err := m.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen, token := map[string]bool{}, ""
	for {
		got := serve(m.ServeInvocations, "/_mayfly/bill/invocations?function="+hello+"&token="+token)
		var page struct {
			Invocations []bill.Invocation
			Token       string
		}
		if err := json.Unmarshal([]byte(strings.TrimPrefix(got, "200 ")), &page); err != nil {
			t.Fatalf("%v: %.300s", err, got)
		}
		for _, i := range page.Invocations {
			seen[i.RequestID] = true
		}
		if token = page.Token; token == "" {
			break
		}
	}
	if len(seen) != 1500 {
		t.Errorf("%d invocations on all pages", len(seen))
	}
	for _, query := range []string{"", "function=" + hello + "&day=x", "function=" + hello + "&token=x"} {
		if got := serve(m.ServeInvocations, "/_mayfly/bill/invocations?"+query); !strings.HasPrefix(got, "400 ") {
			t.Errorf("%q: %s", query, got)
		}
	}
}

func serve(h http.HandlerFunc, path string) string {
	w := httptest.NewRecorder()
	h(w, httptest.NewRequest("GET", path, nil))
	return fmt.Sprintf("%d %s", w.Code, strings.TrimSpace(w.Body.String()))
}
