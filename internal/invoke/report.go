package invoke

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/worker"
)

// callLog writes the platform's lines of one call into the function's log, in
// Lambda's words: START, END and REPORT as text, or platform.* records as JSON.
type callLog struct {
	report  *Report
	target  *Target
	env     *worker.Environment
	traceID string
}

func (l *callLog) start(at time.Time) {
	if !l.target.Version.JSONLogs() {
		l.env.Note(at, "START RequestId: "+l.report.RequestID+" Version: "+l.target.Version.Number)
		return
	}
	if l.target.Version.Logs("INFO") {
		l.env.Note(at, worker.PlatformRecord(at, "platform.start", map[string]any{
			"requestId": l.report.RequestID, "version": l.target.Version.Number,
		}))
	}
}

// end writes what follows the answer. The REPORT's memory is measured when the
// log is shipped, off the call's path, unless the caller wants the log now.
func (l *callLog) end(at time.Time, now bool) {
	r, v := *l.report, &l.target.Version
	failed := r.Status != "success"
	switch {
	case !v.JSONLogs():
		l.env.Note(at, "END RequestId: "+r.RequestID)
	case v.Logs("DEBUG") || failed && v.Logs("WARN"):
		l.env.Note(at, worker.PlatformRecord(at, "platform.runtimeDone", map[string]any{
			"requestId": r.RequestID, "status": r.Status,
			"metrics": map[string]any{"durationMs": milliseconds(r.Duration)},
		}))
	}
	if !v.Logs("INFO") && !(failed && v.Logs("WARN")) {
		return
	}
	if now {
		l.report.MaxMemoryBytes = l.env.Measure()
		l.env.Note(at, l.line(at, &r, l.report.MaxMemoryBytes))
		return
	}
	l.env.NoteLate(at, func(peak int64) string { return l.line(at, &r, peak) })
}

func (l *callLog) line(at time.Time, r *Report, peak int64) string {
	if l.target.Version.JSONLogs() {
		return reportJSON(at, r, peak)
	}
	return reportText(r, peak, l.traceID)
}

// reportText is the REPORT line: Lambda's fields, then Mayfly's own.
func reportText(r *Report, peak int64, traceID string) string {
	b := make([]byte, 0, 384)
	b = append(b, "REPORT RequestId: "...)
	b = append(b, r.RequestID...)
	b = appendMs(b, "\tDuration: ", r.Duration)
	b = append(b, "\tBilled Duration: "...)
	b = strconv.AppendInt(b, r.BilledDuration.Milliseconds(), 10)
	b = append(b, " ms\tMemory Size: "...)
	b = strconv.AppendInt(b, int64(r.MemoryMiB), 10)
	b = append(b, " MB\tMax Memory Used: "...)
	b = strconv.AppendInt(b, mebibytes(peak), 10)
	b = append(b, " MB\t"...)
	if init := r.RuntimeInit + r.UserInit; init > 0 {
		b = append(appendMs(b, "Init Duration: ", init), '\t')
	}
	if r.Status != "success" {
		b = append(append(append(b, "Status: "...), statusText(r.Status)...), '\t')
		if r.Status != "timeout" && r.ErrorType != "" {
			b = append(append(append(b, "Error Type: "...), r.ErrorType...), '\t')
		}
	}
	b = append(append(append(b, "Start: "...), r.Start...), '\t')
	for _, p := range []struct {
		name string
		took time.Duration
	}{{"Queue: ", r.Queue}, {"Download: ", r.Download}, {"Sandbox: ", r.Sandbox}, {"Runtime Init: ", r.RuntimeInit}, {"User Init: ", r.UserInit}} {
		if p.took >= 10*time.Microsecond {
			b = append(appendMs(b, p.name, p.took), '\t')
		}
	}
	return string(appendTrace(b, traceID))
}

// statusText is the status of a text REPORT, which knows no "failure".
func statusText(s string) string {
	if s == "failure" {
		return "error"
	}
	return s
}

// appendTrace adds the line that Lambda adds for traced calls.
func appendTrace(b []byte, header string) []byte {
	var root, segment string
	sampled := false
	for part := range strings.SplitSeq(header, ";") {
		k, v, _ := strings.Cut(part, "=")
		switch k {
		case "Root":
			root = v
		case "Parent":
			segment = v
		case "Sampled":
			sampled = v == "1"
		}
	}
	if !sampled || root == "" {
		return b
	}
	b = append(append(b, "\nXRAY TraceId: "...), root...)
	b = append(append(b, "\tSegmentId: "...), segment...)
	return append(b, "\tSampled: true\t"...)
}

func reportJSON(at time.Time, r *Report, peak int64) string {
	metrics := map[string]any{
		"durationMs":       milliseconds(r.Duration),
		"billedDurationMs": r.BilledDuration.Milliseconds(),
		"memorySizeMB":     r.MemoryMiB,
		"maxMemoryUsedMB":  mebibytes(peak),
	}
	if init := r.RuntimeInit + r.UserInit; init > 0 {
		metrics["initDurationMs"] = milliseconds(init)
	}
	rec := map[string]any{
		"requestId": r.RequestID, "metrics": metrics, "status": r.Status,
		"mayfly": map[string]any{
			"start": r.Start, "queueMs": milliseconds(r.Queue), "downloadMs": milliseconds(r.Download),
			"sandboxMs": milliseconds(r.Sandbox), "runtimeInitMs": milliseconds(r.RuntimeInit), "userInitMs": milliseconds(r.UserInit),
		},
	}
	if r.ErrorType != "" {
		rec["errorType"] = r.ErrorType
	}
	return worker.PlatformRecord(at, "platform.report", rec)
}

func appendMs(b []byte, name string, d time.Duration) []byte {
	b = append(b, name...)
	b = strconv.AppendFloat(b, float64(d)/1e6, 'f', 2, 64)
	return append(b, " ms"...)
}

func milliseconds(d time.Duration) float64 { return math.Round(float64(d)/1e3) / 1e3 }

func mebibytes(n int64) int64 { return (n + 1<<20 - 1) >> 20 }

// ServerTiming is the report as a Server-Timing header, which browsers and curl
// show: durations in milliseconds, the start's kind as a description.
// Source: https://www.w3.org/TR/server-timing/
func (r *Report) ServerTiming() string {
	b := make([]byte, 0, 160)
	b = append(b, "start;desc="...)
	b = append(b, r.Start...)
	for _, phase := range []struct {
		name string
		took time.Duration
	}{
		{"queue", r.Queue}, {"download", r.Download}, {"sandbox", r.Sandbox},
		{"runtime-init", r.RuntimeInit}, {"user-init", r.UserInit}, {"execution", r.Duration},
	} {
		if phase.took > 0 {
			b = append(append(append(b, ", "...), phase.name...), ";dur="...)
			b = strconv.AppendFloat(b, float64(phase.took.Microseconds())/1000, 'f', -1, 64)
		}
	}
	return string(b)
}
