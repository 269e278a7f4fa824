package policy

// statement is one compiled statement.
type statement struct{}
