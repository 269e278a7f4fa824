// Package store is the ground floor: an ordered, transactional key-value store
// that every service keeps its state in. This package is the contract and the
// key encoding; store/pebble is the driver for one machine, store/postgres the one
// for several nodes on a database, store/driver what both are made of. storetest
// holds the conformance suite that each driver must pass.
//
// A service is a layer of keys over one Store. It holds the only copy of nothing
// in memory: what is in memory can be thrown away and rebuilt from here.
package store
