// Package database runs PostgreSQL servers for tests: Debian's, on a folder and a
// loopback port of their own, without syncs, since no test pulls the plug.
package database
