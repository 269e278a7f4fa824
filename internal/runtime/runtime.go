package runtime

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
)

// Places inside a sandbox, as in AWS's images.
const (
	taskRoot   = "/var/task"
	runtimeDir = "/var/runtime" // the bootstrap
	langDir    = "/var/lang"    // a language that is not the system's
)

// telemetry is the descriptor of the log frames in a sandbox.
const telemetry = "_LAMBDA_TELEMETRY_LOG_FD=4"

// Runtime is one runtime of this machine. It is a value.
type Runtime struct {
	// Name is Lambda's: "nodejs22.x".
	Name string
	// Path is the program on this machine and Version what it says it is; both
	// are empty for provided.*.
	Path, Version string

	entry     entry
	inside    string // the program, as a sandbox sees it
	bootstrap string // host directory of the bootstrap
	prefix    string // host directory shown at langDir; "" for the system's
	sdk       string // host directory of the SDK shown in the sandbox; ""
	conf      string // Java: configuration that is not in a place every sandbox shows; ""
	jdk       bool   // Java: has a compiler
}

// Boot says what a pooled sandbox of a runtime runs.
type Boot struct {
	// Args, Env and Dir start the program.
	Args, Env []string
	Dir       string
	// Ahead is added to Args when nobody waits for the start: the program then does
	// beforehand what costs more than it saves a caller who waits.
	Ahead  []string
	Mounts []sandbox.Mount
	// PoolKey is equal for two members that may stand in for each other.
	PoolKey string
	// Agent says that the program is the agent, which Args leaves out: the caller
	// knows where it is.
	Agent bool
}

// Boot gives the program to start ahead of any function. memoryMiB matters to
// Java, whose heap is bounded when it starts.
func (r Runtime) Boot(memoryMiB int) Boot {
	// A member that was booted before an SDK or another program came stands in for none
	// that has it.
	b := Boot{Env: r.bootEnv(), Dir: "/", Mounts: r.mounts(), PoolKey: strings.Join([]string{r.Name, r.Path, r.sdk}, " ")}
	if r.entry.family == nodejs || r.entry.family == java {
		b.Ahead = []string{"ahead"} // they compile what they run often
	}
	switch r.entry.family {
	case provided:
		b.Agent, b.PoolKey = true, string(provided)
	case java:
		b.PoolKey += fmt.Sprintf(" %d", memoryMiB)
		b.Args = r.Command(memoryMiB)
	default:
		b.Args = r.Command(memoryMiB)
	}
	return b
}

// Command gives the arguments with which an agent starts a managed runtime: it
// speaks frames on its own descriptor 3. For provided.* it is the function's own
// program, which may also be in a layer: /opt/bootstrap.
func (r Runtime) Command(memoryMiB int) []string {
	switch r.entry.family {
	case nodejs:
		return []string{r.inside, nodeHeap, runtimeDir + "/bootstrap.js"}
	case python:
		args := []string{r.inside, "-E", "-S", "-B", "-X", "utf8", runtimeDir + "/bootstrap"}
		if r.sdk != "" {
			args = append(args, r.sdkInside())
		}
		return args
	case java:
		return append([]string{r.inside}, javaArgs(memoryMiB)...)
	}
	return []string{taskRoot + "/bootstrap"}
}

// nodeHeap is Lambda's largest function. V8 fixes its bound when it starts and
// takes it from the host's memory, which is not the function's; so the sandbox's
// limit is the one that counts.
const nodeHeap = "--max-old-space-size=10240"

// Managed says whether Mayfly's own bootstrap loads the handler; else the
// function brings its own, /var/task/bootstrap or /opt/bootstrap.
func (r Runtime) Managed() bool { return r.entry.family != provided }

// Env is the part of a function's environment that its runtime reserves, as in
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html. What
// depends on the function, its region or its credentials is not in it.
func (r Runtime) Env() map[string]string {
	env := map[string]string{
		"LANG":               "en_US.UTF-8",
		"LD_LIBRARY_PATH":    "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
		"LAMBDA_RUNTIME_DIR": runtimeDir,
		"LAMBDA_TASK_ROOT":   taskRoot,
		"PATH":               "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"TZ":                 ":UTC",
	}
	if r.Managed() {
		env["AWS_EXECUTION_ENV"] = "AWS_Lambda_" + r.Name
	}
	switch r.entry.family {
	case nodejs:
		env["NODE_PATH"] = "/opt/nodejs/node" + r.entry.version + "/node_modules:/opt/nodejs/node_modules:" +
			"/var/runtime/node_modules:/var/runtime:/var/task"
	case python:
		env["PYTHONPATH"] = runtimeDir
	}
	return env
}

// startOnly are the variables that a language reads only when its program
// starts.
var startOnly = map[family][]string{
	nodejs: {"NODE_OPTIONS", "NODE_EXTRA_CA_CERTS", "NODE_ICU_DATA", "UV_THREADPOOL_SIZE", "LD_PRELOAD"},
	python: {"PYTHONHOME", "PYTHONWARNINGS", "PYTHONHASHSEED", "PYTHONMALLOC", "PYTHONOPTIMIZE", "PYTHONDEVMODE", "LD_PRELOAD"},
	java:   {"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "LD_PRELOAD"},
}

// NeedsStart says whether the environment of a function holds a variable that
// its runtime reads only when it starts, so that a booted member would ignore
// it: such a function is started by an agent, with Command.
func (r Runtime) NeedsStart(env map[string]string) bool {
	if env["AWS_LAMBDA_EXEC_WRAPPER"] != "" && r.Managed() {
		return true
	}
	return slices.ContainsFunc(startOnly[r.entry.family], func(name string) bool {
		v := env[name]
		return v != "" && !(name == "NODE_OPTIONS" && strings.TrimSpace(v) == "--enable-source-maps")
	})
}

// bootLibraries is LD_LIBRARY_PATH for the program's own start. The places of code
// and layers are not in it: nothing may look into them before they are filled.
const bootLibraries = "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib"

// bootEnv is the environment of the program before it knows its function: what
// is the same for all, since the loader and the C library read it only once.
func (r Runtime) bootEnv() []string {
	all := r.Env()
	all["LD_LIBRARY_PATH"] = bootLibraries
	env := make([]string, 0, len(all)+1)
	for _, k := range slices.Sorted(maps.Keys(all)) {
		env = append(env, k+"="+all[k])
	}
	return append(env, telemetry)
}

func (r Runtime) mounts() []sandbox.Mount {
	var m []sandbox.Mount
	if r.bootstrap != "" {
		m = append(m, sandbox.Mount{Host: r.bootstrap, Inside: runtimeDir})
	}
	if r.prefix != "" {
		m = append(m, sandbox.Mount{Host: r.prefix, Inside: langDir})
	}
	if r.conf != "" {
		m = append(m, sandbox.Mount{Host: r.conf, Inside: r.conf})
	}
	if r.sdk == "" {
		return m
	}
	switch r.entry.family {
	case nodejs:
		// import knows no NODE_PATH, but looks in the root's node_modules last.
		m = append(m, sandbox.Mount{Host: r.sdk, Inside: runtimeDir + "/node_modules"},
			sandbox.Mount{Host: r.sdk, Inside: "/node_modules"})
	case python:
		if !isSystem(r.sdk) {
			m = append(m, sandbox.Mount{Host: r.sdk, Inside: runtimeDir + "/sdk"})
		}
	}
	return m
}

// sdkInside is where a sandbox finds the Python SDK.
func (r Runtime) sdkInside() string {
	if isSystem(r.sdk) {
		return r.sdk
	}
	return runtimeDir + "/sdk"
}

// system are the directories every sandbox shows, at the same path.
var system = []string{"/usr/", "/lib/", "/lib64/", "/bin/"}

func isSystem(path string) bool {
	path = filepath.Clean(path) + "/"
	return slices.ContainsFunc(system, func(dir string) bool { return strings.HasPrefix(path, dir) })
}
