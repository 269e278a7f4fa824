// Package managed is the managed policies that AWS itself owns and everybody may
// attach, as far as functions and tools do. policies.json holds their statements as
// AWS publishes them.
//
// ReadOnlyAccess is an exception: AWS's has some thousands of actions of some hundreds
// of services, and ours the reading ones of the services that are, or are planned to
// be, served here. The ids of the policies are made up, since nothing depends on them.
//
// Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
package managed
