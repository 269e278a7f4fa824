package policy

// speech is how refusals of malformed policies are worded. IAM speaks differently of
// policies of identities and of trust policies; services answer their resource
// policies as trust policies are, or in ways of their own.
type speech struct {
	notJSON, syntax, badVersion, noStatement string
	duplicateSid                             string

	missing, unknownField func(element string) error
}

var identitySpeech = speech{
	notJSON:      "Syntax errors in policy.",
	syntax:       "Syntax errors in policy.",
	badVersion:   "Syntax errors in policy.",
	noStatement:  "Syntax errors in policy.",
	duplicateSid: "Statement IDs (SID) in a single policy must be unique.",
	missing:      func(string) error { return malformed("Syntax errors in policy.") },
	unknownField: func(string) error { return malformed("Syntax errors in policy.") },
}

var resourceSpeech = speech{
	notJSON:      "This policy contains invalid Json",
	syntax:       "Syntax error in policy.",
	badVersion:   "The policy must contain a valid version string",
	noStatement:  "Could not parse the policy: Statement is empty!",
	duplicateSid: "The Statement Ids in the policy are not unique",
	missing:      func(element string) error { return malformed("Missing required field %s", element) },
	unknownField: func(element string) error { return malformed("Unknown field %.64s", element) },
}

func speechOf(k Kind) *speech {
	if k.namesPrincipals() {
		return &resourceSpeech
	}
	return &identitySpeech
}
