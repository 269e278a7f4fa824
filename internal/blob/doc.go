// Package blob is the ground floor for bytes too large for the store: each is
// kept once, under the SHA-256 of its content. blob/file keeps them in a folder.
package blob
