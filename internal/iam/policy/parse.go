package policy

// MalformedError is why a document is no policy. The Reason is for callers of the
// API: it is what AWS answers as MalformedPolicyDocument.
type MalformedError struct {
	Reason string
}

// Error is the reason.
func (e *MalformedError) Error() string { return e.Reason }

// Parse reads a policy of the given kind. All its errors are *MalformedError.
func Parse(doc []byte, kind Kind) (*Policy, error) {
	return nil, &MalformedError{Reason: "Syntax errors in policy."}
}
