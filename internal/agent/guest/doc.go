// Package guest is the agent: the program at the inner end of a sandbox whose
// runtime speaks Lambda's HTTP APIs. Outwards it speaks frames on the control
// socket; inwards it serves, on one address:
//
//	/2018-06-01/runtime      the Runtime API, to a custom runtime
//	/2020-01-01/extension    the Extensions API, to external and internal extensions
//	/2022-07-01/telemetry    the Telemetry API (and the Logs API before it)
//
// A custom runtime's life, and the frames it makes:
//
//	          start                first next              call
//	Init ───────────▶ starting ───────────────▶ ready ◀─────────────▶ running
//	                     │    Ready ◀─────────────┘ Invoke            │ Result
//	                     └──▶ Failed                                  └▶ Failed
//
// Where the runtime speaks frames itself (Init says Framed), frames are relayed
// and only the extensions are served.
//
// A warm call is what this package is measured by. It costs two wake-ups: the
// goroutine that serves the runtime's connection reads the control socket itself
// while the runtime waits in "next", and hands the call over without a hop. See
// Agent.turn for who reads when.
//
// Everything inside the sandbox is as hostile as the code: requests, bodies,
// connections, extensions and subscribers are bounded, and what breaks a rule of
// the APIs gets AWS's error for it. It can harm no sandbox but its own.
package guest
