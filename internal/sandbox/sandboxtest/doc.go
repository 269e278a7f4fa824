// Package sandboxtest is the suite every isolation driver must pass. It skips
// what a driver says it doesn't keep (Info.Weaker), and nothing else.
package sandboxtest
