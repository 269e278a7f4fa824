package trace_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/trace"
	"go.opentelemetry.io/otel/attribute"
)

func TestHeaderContinuesTheCallersTrace(t *testing.T) {
	tracing, err := trace.New(t.Context(), trace.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, header, value, want string }{
		{"X-Ray", "X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
			"Root=1-5759e988-bd862e3fe1be46a994272793;Parent="},
		{"W3C", "Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
			"Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent="},
		{"none", "X-Other", "1", "Root=1-"},
		{"garbage", "X-Amzn-Trace-Id", "Root=x;;;=", "Root=1-"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := http.Header{}
			h.Set(tt.header, tt.value)
			ctx, span := tracing.Root(t.Context(), "request", h)
			defer span.End()
			if got := trace.Header(ctx); !strings.HasPrefix(got, tt.want) || strings.Contains(got, "53995c3f42cd8ad8") {
				t.Errorf("Header = %q, want prefix %q and a span of our own", got, tt.want)
			}
		})
	}
	if got := trace.Header(context.Background()); got != "" {
		t.Errorf("Header outside a request = %q, want none", got)
	}
}

// Whether a request is sampled is the caller's word, and nobody's if there is none;
// a collector of ours changes nothing about it.
func TestHeaderKeepsTheCallersDecision(t *testing.T) {
	const xray, w3c = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-"
	for _, collector := range []string{"", "http://127.0.0.1:1"} {
		tracing, err := trace.New(t.Context(), trace.Config{OTLP: collector})
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct{ header, value, want string }{
			{"X-Amzn-Trace-Id", xray + ";Sampled=1", "yes"},
			{"X-Amzn-Trace-Id", xray + ";sampled=0", "no"},
			{"X-Amzn-Trace-Id", xray, "undecided"},
			{"X-Amzn-Trace-Id", xray + ";Sampled=?", "undecided"},
			{"X-Amzn-Trace-Id", "garbage;Sampled=1", "undecided"},
			{"Traceparent", w3c + "01", "yes"},
			{"Traceparent", w3c + "00", "no"},
			{"X-Other", "1", "undecided"},
		} {
			h := http.Header{}
			h.Set(tt.header, tt.value)
			ctx, _ := tracing.Root(t.Context(), "request", h) // never ended: nothing is sent
			got := "undecided"
			if sampled, decided := trace.Sampled(trace.Header(ctx)); sampled {
				got = "yes"
			} else if decided {
				got = "no"
			}
			if got != tt.want {
				t.Errorf("%s: %s gave %q, which is %s, want %s", tt.header, tt.value, trace.Header(ctx), got, tt.want)
			}
		}
	}
}

func TestDecide(t *testing.T) {
	for _, in := range []string{"Root=1-2", "Root=1-2;Sampled=?"} {
		if yes, no := trace.Decide(in, true), trace.Decide(in, false); yes != "Root=1-2;Sampled=1" || no != "Root=1-2;Sampled=0" {
			t.Errorf("%s became %s and %s", in, yes, no)
		}
	}
}

func TestSpansReachTheCollector(t *testing.T) {
	var mu sync.Mutex
	var got []byte
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got = append(append(got, r.URL.Path...), b...)
	}))
	defer collector.Close()
	tracing, err := trace.New(t.Context(), trace.Config{OTLP: collector.URL})
	if err != nil {
		t.Fatal(err)
	}
	ctx, root := tracing.Root(t.Context(), "lambda Invoke", http.Header{})
	_, child := trace.Start(ctx, "placement", attribute.String("start", "pooled"))
	child.End()
	trace.Record(ctx, "user init", time.Now().Add(-time.Second), time.Now())
	root.End()
	if err := tracing.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, want := range []string{"/v1/traces", "lambda Invoke", "placement", "user init", "pooled"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("the collector did not get %q", want)
		}
	}
}

func BenchmarkUncollected(b *testing.B) {
	tracing, err := trace.New(b.Context(), trace.Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		ctx, root := tracing.Root(b.Context(), "lambda Invoke", http.Header{})
		_, span := trace.Start(ctx, "placement")
		span.End()
		_ = trace.Header(ctx)
		root.End()
	}
}
