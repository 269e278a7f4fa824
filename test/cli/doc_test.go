// Package cli_test types mayfly's commands as a person would and reads what they
// print: answers on standard output, all that is said about them on standard
// error, a status that scripts can tell, and what to do next in every error.
package cli_test
