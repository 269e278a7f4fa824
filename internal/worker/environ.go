package worker

import (
	"maps"
	"strconv"
)

// environ is everything the code may see: the runtime's variables, the
// function's own over them, and the reserved ones over both. Source:
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func (e *Environment) environ(p parts) map[string]string {
	v := e.version
	env := maps.Clone(p.runtime.Env())
	if env == nil {
		env = map[string]string{}
	}
	maps.Copy(env, v.Environment)
	maps.Copy(env, map[string]string{
		"_HANDLER":                        v.Handler,
		"AWS_REGION":                      v.Region,
		"AWS_DEFAULT_REGION":              v.Region,
		"AWS_LAMBDA_FUNCTION_NAME":        v.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     v.Number,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(v.MemoryMiB),
		"AWS_LAMBDA_LOG_GROUP_NAME":       v.LogGroup,
		"AWS_LAMBDA_LOG_STREAM_NAME":      e.stream,
		"AWS_LAMBDA_INITIALIZATION_TYPE":  e.initializationType(),
		"AWS_ACCESS_KEY_ID":               p.keys.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY":           p.keys.SecretAccessKey,
		"AWS_SESSION_TOKEN":               p.keys.SessionToken,
		"AWS_XRAY_CONTEXT_MISSING":        "LOG_ERROR",
		"LAMBDA_TASK_ROOT":                taskRoot,
		"LAMBDA_RUNTIME_DIR":              "/var/runtime",
	})
	if v.LogFormat == "JSON" {
		env["AWS_LAMBDA_LOG_FORMAT"] = v.LogFormat
		if v.ApplicationLogLevel != "" {
			env["AWS_LAMBDA_LOG_LEVEL"] = v.ApplicationLogLevel
		}
	}
	// A function may point its SDK elsewhere itself; by default it points here.
	if _, own := v.Environment["AWS_ENDPOINT_URL"]; !own && e.w.cfg.Endpoint != "" {
		env["AWS_ENDPOINT_URL"] = e.w.cfg.Endpoint
	}
	if p.keys.AccessKeyID == "" {
		for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
			delete(env, name)
		}
	}
	return env
}

func (e *Environment) initializationType() string {
	if e.kind == Provisioned {
		return "provisioned-concurrency"
	}
	return "on-demand"
}
