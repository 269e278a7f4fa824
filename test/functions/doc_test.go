// Package functions_test drives a real node through the SDK for Go: functions
// from upload to a billed answer, each in a real sandbox.
package functions_test
