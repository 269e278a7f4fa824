// Package storetest is the conformance suite of store.Store: what every driver
// must do, whatever it is made of. A driver's tests call Run.
//
// Concurrent histories are judged from outside: transactions append their own
// number to lists that they read, the lists then tell the order of all writes of
// a key, and who read what. A cycle among the dependencies that follow from it,
// real time included, is a history that no serial execution explains.
package storetest
