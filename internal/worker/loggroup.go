package worker

import "context"

// ownGroup begins the log group that a function has for itself.
const ownGroup = "/aws/lambda/"

// logGroup is where an environment's log goes. A function's own group is written by the
// node, whatever its role may; any other is somebody else's, and is written as far as the
// role may, or else not at all: "".
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html
func (w *Worker) logGroup(ctx context.Context, e *Environment) string {
	v := e.version
	if v.LogGroup == ownGroup+v.Name || w.cfg.Credentials.MayLog(ctx, v.Role, v.FunctionARN, v.LogGroup, e.stream) {
		return v.LogGroup
	}
	w.cfg.Log.WarnContext(ctx, "a function's log is not kept: its role may not write to the log group it is configured for",
		"function", v.FunctionARN, "group", v.LogGroup, "role", v.Role)
	return ""
}
