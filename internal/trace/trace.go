package trace

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/propagators/aws/xray"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"
)

// scope names Mayfly's spans among others'.
const scope = "mayfly"

// Config says where spans go.
type Config struct {
	// OTLP is the URL of a collector that takes OTLP over HTTP, such as
	// "http://127.0.0.1:4318". Empty: ids are made and passed on, spans are not
	// kept.
	OTLP string
	// Version of the node, an attribute of every span.
	Version string
}

// Tracing owns the exporter. Close it last, so that the last spans leave.
type Tracing struct{ provider *sdk.TracerProvider }

// New connects to nothing yet: a collector that is away costs spans, never calls.
func New(ctx context.Context, cfg Config) (*Tracing, error) {
	opts := []sdk.TracerProviderOption{
		sdk.WithIDGenerator(xray.NewIDGenerator()),
		sdk.WithResource(resource.NewSchemaless(
			attribute.String("service.name", scope),
			attribute.String("service.version", cfg.Version))),
	}
	if cfg.OTLP == "" {
		opts = append(opts, sdk.WithSampler(sdk.NeverSample()))
	} else {
		endpoint, err := url.Parse(cfg.OTLP)
		if err != nil || endpoint.Host == "" {
			return nil, fmt.Errorf("collector %q is not a URL like http://127.0.0.1:4318", cfg.OTLP)
		}
		if endpoint.Path == "" {
			endpoint.Path = "/v1/traces" // as OTEL_EXPORTER_OTLP_ENDPOINT is read everywhere
		}
		exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint.String()))
		if err != nil {
			return nil, fmt.Errorf("make exporter to %s: %w", endpoint, err)
		}
		opts = append(opts, sdk.WithSampler(sdk.AlwaysSample()), sdk.WithBatcher(exporter))
	}
	return &Tracing{sdk.NewTracerProvider(opts...)}, nil
}

// Close sends what is left, until ctx ends.
func (t *Tracing) Close(ctx context.Context) error {
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("send last spans: %w", err)
	}
	return nil
}

// Root opens the first span of a request, the child of the one that h names in
// X-Amzn-Trace-Id or traceparent, if any. The caller ends it.
func (t *Tracing) Root(ctx context.Context, name string, h http.Header) (context.Context, oteltrace.Span) {
	carrier := propagation.HeaderCarrier(h)
	if h.Get("X-Amzn-Trace-Id") != "" {
		ctx = xray.Propagator{}.Extract(ctx, carrier)
	}
	if sc := oteltrace.SpanContextFromContext(ctx); sc.IsValid() {
		if sampled, decided := Sampled(h.Get("X-Amzn-Trace-Id")); decided {
			ctx = context.WithValue(ctx, decision{}, sampled)
		}
	} else if h.Get("Traceparent") != "" {
		ctx = propagation.TraceContext{}.Extract(ctx, carrier)
		if sc := oteltrace.SpanContextFromContext(ctx); sc.IsValid() {
			ctx = context.WithValue(ctx, decision{}, sc.IsSampled())
		}
	}
	return t.provider.Tracer(scope).Start(ctx, name, oteltrace.WithSpanKind(oteltrace.SpanKindServer))
}

// Start opens a child of the span in ctx. Without one it does nothing. The
// caller ends it.
func Start(ctx context.Context, name string, attrs ...attribute.KeyValue) (context.Context, oteltrace.Span) {
	parent := oteltrace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, parent // a span that is not recorded ignores End and attributes
	}
	return parent.TracerProvider().Tracer(scope).Start(ctx, name, oteltrace.WithAttributes(attrs...))
}

// Record adds a child span of the past: a phase whose times are known after it.
func Record(ctx context.Context, name string, start, end time.Time, attrs ...attribute.KeyValue) {
	parent := oteltrace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return
	}
	_, span := parent.TracerProvider().Tracer(scope).Start(ctx, name,
		oteltrace.WithTimestamp(start), oteltrace.WithAttributes(attrs...))
	span.End(oteltrace.WithTimestamp(end))
}

// decision is the context's key of whether the caller has a request sampled. It is
// not whether our own spans are recorded, which the node's collector decides.
type decision struct{}

const (
	sampledYes = ";Sampled=1"
	sampledNo  = ";Sampled=0"
)

// Header is the X-Amzn-Trace-Id of the span in ctx: "" without one. It says Sampled
// if the caller did:
//
//	Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1
//
// Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
func Header(ctx context.Context) string {
	sc := oteltrace.SpanContextFromContext(ctx)
	if !sc.IsValid() {
		return ""
	}
	tid, sid := sc.TraceID(), sc.SpanID()
	b := make([]byte, 0, 74)
	b = append(b, "Root=1-"...)
	b = hex.AppendEncode(b, tid[:4])
	b = append(b, '-')
	b = hex.AppendEncode(b, tid[4:])
	b = append(b, ";Parent="...)
	b = hex.AppendEncode(b, sid[:])
	switch sampled, decided := ctx.Value(decision{}).(bool); {
	case !decided:
	case sampled:
		b = append(b, sampledYes...)
	default:
		b = append(b, sampledNo...)
	}
	return string(b)
}

// Sampled reads from an X-Amzn-Trace-Id whether its request is to be sampled, and
// whether that has been decided at all.
func Sampled(header string) (sampled, decided bool) {
	for part := range strings.SplitSeq(header, ";") {
		switch part = strings.TrimSpace(part); {
		case strings.EqualFold(part, sampledYes[1:]):
			return true, true
		case strings.EqualFold(part, sampledNo[1:]):
			return false, true
		}
	}
	return false, false
}

// Decide completes an X-Amzn-Trace-Id whose sampling has not been decided.
func Decide(header string, sampled bool) string {
	header = strings.TrimSuffix(header, ";Sampled=?")
	if sampled {
		return header + sampledYes
	}
	return header + sampledNo
}
