// Command mayfly is Mayfly: the node (mayfly up) and the commands of its users,
// one file each. Every command but up and doctor is a client of the node's
// public API and nothing else.
//
// The binary is also what runs inside its own sandboxes' parents: a re-exec by
// an isolation driver is told apart first of all in main.
package main
