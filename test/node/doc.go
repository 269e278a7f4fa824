// Package node starts the real binary for black-box tests and gives them the
// SDK's clients of it. Tests under test/ see nothing of Mayfly but its commands
// and its public API.
package node
