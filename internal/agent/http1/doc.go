// Package http1 is the smallest HTTP/1.1 server that Lambda's runtimes and
// extensions can talk to: one connection, strict and bounded parsing, bodies
// with a length or in chunks with trailers, and an answer in one write.
//
// It exists because net/http doubles the size and the memory of a program that
// runs inside every sandbox, and costs a warm call several wake-ups. It serves
// only the programs of the sandbox it runs in.
package http1
