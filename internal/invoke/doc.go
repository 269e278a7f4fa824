// Package invoke is one invocation, from admission to its REPORT line: it
// resolves the target, checks limits and concurrency, has placement find an
// environment, runs the call, writes the log lines, meters it exactly once, and
// for asynchronous calls keeps the event durable until it is done.
package invoke
