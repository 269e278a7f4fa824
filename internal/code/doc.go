// Package code is the code packages of functions and layers: it checks an
// uploaded zip (no escaping paths, no bombs, AWS's size limits), and keeps a
// node's cache of unpacked packages, one read-only directory per digest, that
// sandboxes mount.
//
// It is a room of its own because both sides of a function need it: the function
// service refuses a bad package when it is uploaded, the worker mounts a good one.
package code
