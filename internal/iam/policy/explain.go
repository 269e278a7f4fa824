package policy

// Explanation is why a request was decided as it was, statement by statement.
type Explanation struct {
	Decision Decision
	// Statements are all statements of all policies and what became of each.
	Statements []Verdict
	// Remedies are the statements that would have to be added, each to a policy of
	// its kind, for the request to be allowed. There are none if it is allowed, and
	// none can help while Denials isn't empty.
	Remedies []Remedy
	// Denials are the statements that deny the request: they would have to go.
	Denials []Source
}

// Verdict is what became of one statement.
type Verdict struct {
	Source
	Effect  string // "Allow" or "Deny"
	Applies bool
	// Miss is the element that kept the statement from applying ("Action",
	// "NotResource", "Principal", "Condition"), and Why says how in plain words.
	Miss, Why string
}

// Remedy is the smallest statement that allows what a kind of policy didn't.
type Remedy struct {
	Kind Kind
	// Statement is its JSON, to be put into a policy's list of statements.
	Statement string
}

// Explain decides the request as Evaluate does and says why. It is for people who
// ask why they were refused, and slower.
func Explain(r *Request, p *Policies) Explanation { return Explanation{} }
