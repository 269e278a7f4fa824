package worker

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// LogTime is AWS's form of a time in logs and records.
const LogTime = "2006-01-02T15:04:05.000Z"

// PlatformRecord is one record of the system log in JSON format. Source:
// https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
func PlatformRecord(at time.Time, kind string, rec map[string]any) string {
	b, err := json.Marshal(struct {
		Time   string         `json:"time"`
		Type   string         `json:"type"`
		Record map[string]any `json:"record"`
	}{at.UTC().Format(LogTime), kind, rec})
	if err != nil {
		return kind // numbers and strings always have an encoding
	}
	return string(b)
}

// JSONLogs says whether the function's system log is in JSON.
func (v *Version) JSONLogs() bool { return v.LogFormat == "JSON" }

// Logs says whether the function's system log level lets records of a level
// through: "DEBUG", "INFO" (the default) or "WARN". Text logs have no levels.
func (v *Version) Logs(level string) bool {
	return !v.JSONLogs() || logRank(level) >= logRank(v.SystemLogLevel)
}

func logRank(level string) int {
	switch level {
	case "DEBUG":
		return 1
	case "WARN":
		return 3
	}
	return 2
}

// initStart opens the log of a new environment.
func (e *Environment) initStart(at time.Time) {
	v := e.version
	number := runtimeNumber(v.Runtime)
	arn := "arn:aws:lambda:" + v.Region + "::runtime:" + v.Runtime
	switch {
	case !v.JSONLogs():
		e.Note(at, "INIT_START Runtime Version: "+number+"\tRuntime Version ARN: "+arn)
	case v.Logs("INFO"):
		e.Note(at, PlatformRecord(at, "platform.initStart", map[string]any{
			"initializationType": e.initializationType(), "phase": "init", "runtimeVersion": number, "runtimeVersionArn": arn,
		}))
	}
}

// initReport says how an init that failed went.
func (e *Environment) initReport(at time.Time, f *failure) {
	took, status := e.phases.Init(), f.status
	switch {
	case !e.version.JSONLogs():
		text := fmt.Sprintf("INIT_REPORT Init Duration: %.2f ms\tPhase: init\tStatus: ", float64(took)/1e6)
		if status == statusTimeout {
			e.Note(at, text+status)
			return
		}
		e.Note(at, text+"error\tError Type: "+f.kind)
	case e.version.Logs("WARN"):
		e.Note(at, PlatformRecord(at, "platform.initReport", map[string]any{
			"initializationType": e.initializationType(), "phase": "init", "status": status, "errorType": f.kind,
			"metrics": map[string]any{"durationMs": float64(took.Microseconds()) / 1e3},
		}))
	}
}

// runtimeNumber is a runtime's name as logs have it: "nodejs:22".
func runtimeNumber(name string) string {
	name = strings.TrimSuffix(name, ".x")
	if i := strings.IndexAny(name, ".0123456789"); i > 0 {
		return name[:i] + ":" + strings.TrimPrefix(name[i:], ".")
	}
	return name
}
