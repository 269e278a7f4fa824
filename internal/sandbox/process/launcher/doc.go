// Package launcher is the side of the process driver that makes sandboxes: the
// launcher itself, and the inits it starts, each of which turns into a sandbox's
// program. The program that is a node calls Dispatch first.
package launcher
