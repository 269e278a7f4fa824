// Package workertest has a sandbox driver whose programs are goroutines of the
// test, and the small parts a worker needs beside it, so that everything above
// the sandbox can be tested without one: quickly, in any order, with programs
// that hang, crash or lie.
package workertest
