// Package worker keeps one node's execution environments: it starts them from a
// pool of pre-booted sandboxes, gives each to one function version, runs one
// call at a time in it, freezes it when idle, and reaps it when it has been idle
// too long or its room is wanted.
package worker
