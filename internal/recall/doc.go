// Package recall remembers what was read from the store until something changes, for
// what is asked for with every request. Whoever has seen a change answered never
// meets what was there before it.
//
//	err := store.Update(...)   // the change
//	changes.Forget()           // before it is answered
//
//	v, err := cache.Get(&changes, key, func() (V, error) { ... read the store ... })
package recall
