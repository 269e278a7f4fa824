package invoke

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/trace"
)

// Whether a call is traced is said by Sampled in its X-Amzn-Trace-Id, which the
// function finds in _X_AMZN_TRACE_ID. Whoever called may have decided it, and that
// holds. If not, a function whose tracing is Active has it decided here, at the
// rate that Lambda has and nobody can change: the first call of a second, and one
// in twenty of the others. One that only passes traces through is not sampled.
//
//	caller says       Active        PassThrough
//	Sampled=1         Sampled=1     Sampled=1
//	Sampled=0         Sampled=0     Sampled=0
//	nothing           decided here  Sampled=0
//
// Source: https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
const sampledOfOthers = 0.05

// sampler decides for functions whose tracing is active. The zero value is ready.
type sampler struct {
	mu     sync.Mutex
	second int64
	seen   map[string]struct{} // functions that were called in that second
}

// take says whether a call of the function is sampled.
func (s *sampler) take(function string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if second := now.Unix(); s.seen == nil || second != s.second {
		s.second, s.seen = second, map[string]struct{}{}
	}
	if _, again := s.seen[function]; !again {
		s.seen[function] = struct{}{}
		return true
	}
	return rand.Float64() < sampledOfOthers
}

// traceOf is the X-Amzn-Trace-Id of a call, decided; "" where there is no trace.
func (i *Invoker) traceOf(ctx context.Context, req *Request, t *Target) string {
	header := trace.Header(ctx)
	if header == "" {
		header = req.TraceHeader
	}
	if header == "" {
		return ""
	}
	if _, decided := trace.Sampled(header); decided {
		return header
	}
	return trace.Decide(header, t.Traced && i.sampler.take(t.Version.FunctionARN, i.cfg.Clock.Now()))
}
