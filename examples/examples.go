// Package examples holds applications a user would deploy, each in a folder with
// its template and its README. The smallest are embedded, so that `mayfly demo`
// needs nothing but the binary.
package examples

import "embed"

// Hello has the folders hello-node and hello-python.
//
//go:embed hello-node hello-python
var Hello embed.FS
