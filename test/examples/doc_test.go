// Package examples_test deploys the examples from their folders, as their READMEs
// say, and calls them.
package examples_test
