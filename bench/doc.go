// Command bench measures Mayfly from outside, as a client does: it starts the
// real binary, deploys real functions over the public API and prints one table
// per question, each with the physical limit and the peers measured in the same
// run.
//
//	go run ./bench            every table
//	go run ./bench warm cold  some of them
//
// It needs bin/mayfly (make build); the peers need npm. Machines are noisy:
// quote medians and ratios.
package main
