package guest

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"time"
)

// layerBootstrap is where a custom runtime may come from when it is not in the
// function's own code.
const layerBootstrap = "/opt/bootstrap"

// Variables of a function's environment that its extensions don't get:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html.
var runtimeOnly = []string{
	"AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
	"AWS_XRAY_CONTEXT_MISSING", "AWS_XRAY_DAEMON_ADDRESS", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
	"_AWS_XRAY_DAEMON_ADDRESS", "_AWS_XRAY_DAEMON_PORT", "_HANDLER",
}

// start begins the init: the extensions first, and once they have all
// registered, the runtime. It is called with the lock held.
func (a *Agent) start() error {
	a.begun = time.Now()
	if len(a.init.Args) == 0 {
		return errors.New("no command in Init")
	}
	a.events.initStarted(a)
	if len(a.init.Extensions) > maxExtensions {
		a.fail("Extension.LaunchError", "extension limit (%d) reached", maxExtensions)
		return nil
	}
	for _, p := range a.init.Extensions {
		e := &extension{name: path.Base(p), external: true}
		a.exts = append(a.exts, e)
		var err error
		e.proc, err = a.launch(Command{Args: []string{p}, Env: a.env(runtimeOnly), Dir: "/"}, "extension",
			func(x Exit) { a.extensionEnded(e, x) })
		if err != nil {
			e.state = extFailed
			a.events.extension(a, e, "LaunchError")
			a.fail("Extension.LaunchError", "%v", err)
			return nil
		}
	}
	a.startRuntime()
	return nil
}

// startRuntime starts the runtime once every external extension has registered.
func (a *Agent) startRuntime() {
	if a.runtime.state != unborn || a.dead != nil || a.ended {
		return
	}
	for _, e := range a.exts {
		if e.state == extStarted {
			return
		}
	}
	cmd := Command{Args: a.init.Args, Env: a.env(nil), Dir: a.init.TaskRoot}
	a.runtime.state = born
	var err error
	tried := a.init.Args[:1]
	if a.init.Framed {
		err = a.startFramed(cmd)
	} else {
		if cmd.Args[0] == a.init.TaskRoot+"/bootstrap" {
			tried = []string{cmd.Args[0], layerBootstrap}
		}
		for _, cmd.Args[0] = range tried {
			a.runtime.proc, err = a.launch(cmd, "function", a.runtimeEnded)
			if !errors.Is(err, fs.ErrNotExist) {
				break
			}
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && !a.init.Framed:
		a.fail("Runtime.InvalidEntrypoint", "Couldn't find valid bootstrap(s): %v", tried)
	case err != nil:
		a.fail("Runtime.InvalidEntrypoint", "%v", err)
	}
}

// env is the environment of what is started, in order, without some names.
func (a *Agent) env(without []string) []string {
	env := make([]string, 0, len(a.init.Env)+1)
	for k, v := range a.init.Env {
		if k != "AWS_LAMBDA_RUNTIME_API" && !slices.Contains(without, k) {
			env = append(env, k+"="+v)
		}
	}
	slices.Sort(env)
	return append(env, "AWS_LAMBDA_RUNTIME_API="+a.cfg.Listener.Addr())
}

// runtimeEnded takes note that the runtime's process is gone.
func (a *Agent) runtimeEnded(x Exit) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if x.Success() {
		a.fail("Runtime.ExitError", "Runtime exited without providing a reason")
	} else {
		a.fail("Runtime.ExitError", "Runtime exited with error: %s", x)
	}
}
