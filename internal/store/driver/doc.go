// Package driver holds what drivers of the store are made of, whatever they
// stand on: the writes that a transaction gathers before it commits, the
// watchers of prefixes, the lines in which colliding transactions wait, and the
// gate that Close shuts.
package driver
