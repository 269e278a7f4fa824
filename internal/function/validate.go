package function

import (
	"encoding/json"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// Bounds of a function's settings, as AWS documents them.
const (
	minMemory, maxMemory   = 128, 10240 // MiB
	minTmp, maxTmp         = 512, 10240 // MiB
	minTimeout, maxTimeout = 1, 900     // seconds
	maxDescription         = 256
	maxHandler             = 128
	maxEnvironment         = 4096 // bytes of its JSON
	maxLayers              = 5
)

var (
	roleForm     = regexp.MustCompile(`^arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+$`)
	handlerForm  = regexp.MustCompile(`^[^\s]+$`)
	variableForm = regexp.MustCompile(`^[a-zA-Z]([a-zA-Z0-9_])+$`)
	logGroupForm = regexp.MustCompile(`^[\.\-_/#A-Za-z0-9]+$`)
	targetForm   = regexp.MustCompile(`^arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:([a-z]{2}((-[a-z]+)+)-\d{1,2})?:(\d{12})?:(.*)$`)
)

// hostArchitecture is this machine's, in Lambda's words. A function for another
// could be kept but not run.
var hostArchitecture = map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]

// reservedVariables are those that the runtime environment sets itself.
//
// Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
var reservedVariables = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
	"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
	"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
	"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
}

// check holds settings against AWS's constraints.
func (s *Settings) check() error {
	if s.Runtime == "" || s.Handler == "" {
		return invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	}
	if !roleForm.MatchString(s.Role) {
		return violates(clip(s.Role), "role", `Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`)
	}
	if err := shorter(s.Description, "description", maxDescription); err != nil {
		return err
	}
	if err := shorter(s.Handler, "handler", maxHandler); err != nil {
		return err
	}
	if !handlerForm.MatchString(s.Handler) {
		return violates(s.Handler, "handler", `Member must satisfy regular expression pattern: [^\s]+`)
	}
	for _, b := range []struct {
		member       string
		n, low, high int
	}{
		{"memorySize", s.MemoryMiB, minMemory, maxMemory},
		{"ephemeralStorage.size", s.TmpMiB, minTmp, maxTmp},
		{"timeout", s.Timeout, minTimeout, maxTimeout},
	} {
		if err := within(b.n, b.member, b.low, b.high); err != nil {
			return err
		}
	}
	if err := checkArchitecture(s.Architecture); err != nil {
		return err
	}
	if err := checkEnvironment(s.Environment); err != nil {
		return err
	}
	if s.DeadLetter != "" && !targetForm.MatchString(s.DeadLetter) {
		return violates(clip(s.DeadLetter), "deadLetterConfig.targetArn", `Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()`)
	}
	if err := oneOf(s.Tracing, "tracingConfig.mode", "PassThrough", "Active"); err != nil {
		return err
	}
	return s.Logging.check()
}

func checkArchitecture(a string) error {
	if err := oneOf(a, "architectures", "x86_64", "arm64"); err != nil {
		return err
	}
	if a != hostArchitecture {
		return invalid("Functions for %s can't run on this node, which is %s.", a, hostArchitecture)
	}
	return nil
}

func (l Logging) check() error {
	if err := oneOf(l.Format, "loggingConfig.logFormat", "JSON", "Text"); err != nil {
		return err
	}
	if l.Format == "Text" && (l.Application != "" || l.System != "") {
		return invalid("To use ApplicationLogLevel or SystemLogLevel, you must set LogFormat to JSON.")
	}
	if l.Format == "JSON" {
		if err := oneOf(l.Application, "loggingConfig.applicationLogLevel", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"); err != nil {
			return err
		}
		if err := oneOf(l.System, "loggingConfig.systemLogLevel", "DEBUG", "INFO", "WARN"); err != nil {
			return err
		}
	}
	if len(l.Group) > 512 || !logGroupForm.MatchString(l.Group) {
		return violates(clip(l.Group), "loggingConfig.logGroup", `Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+`)
	}
	return nil
}

func checkEnvironment(env map[string]string) error {
	var taken []string
	for name := range env {
		if slices.Contains(reservedVariables, name) {
			taken = append(taken, name)
		} else if !variableForm.MatchString(name) {
			return violates(clip(name), "environment.variables", "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]")
		}
	}
	if len(taken) > 0 {
		slices.Sort(taken)
		return invalid("Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: %s", strings.Join(taken, ", "))
	}
	text, err := json.Marshal(env) // sorted, so the message is the same each time
	if err != nil {
		return err
	}
	if env != nil && len(text) > maxEnvironment {
		return invalid("Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: %s", clip(string(text)))
	}
	return nil
}

func oneOf(value, member string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return violates(clip(value), member, "Member must satisfy enum value set: [%s]", strings.Join(allowed, ", "))
}
