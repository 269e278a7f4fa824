// Package identity_test shows with the real binary, the SDK and real functions that
// nobody can do more than their policies say.
package identity_test
