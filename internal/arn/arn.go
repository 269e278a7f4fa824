// Package arn parses and prints Amazon Resource Names.
//
//	arn:partition:service:region:account:resource
//	arn:aws:lambda:us-east-1:123456789012:function:hello:live
//
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
package arn

import (
	"fmt"
	"strings"
)

// ARN is a resource name in its six parts. Region and Account may be empty.
type ARN struct {
	Partition, Service, Region, Account, Resource string
}

// maxLen is the longest ARN taken; AWS documents 2048 for its longest.
const maxLen = 2048

// Is says whether s claims to be an ARN.
func Is(s string) bool { return strings.HasPrefix(s, "arn:") }

// Parse splits an ARN. The resource keeps its own colons and slashes.
func Parse(s string) (ARN, error) {
	parts := strings.SplitN(s, ":", 6)
	if len(s) > maxLen || len(parts) != 6 || parts[0] != "arn" || parts[1] == "" || parts[2] == "" || parts[5] == "" {
		return ARN{}, fmt.Errorf("parse %.80q: not an ARN (arn:partition:service:region:account:resource)", s)
	}
	return ARN{parts[1], parts[2], parts[3], parts[4], parts[5]}, nil
}

// New makes an ARN of the "aws" partition.
func New(service, region, account, resource string) ARN {
	return ARN{"aws", service, region, account, resource}
}

// String prints the ARN.
func (a ARN) String() string {
	return "arn:" + a.Partition + ":" + a.Service + ":" + a.Region + ":" + a.Account + ":" + a.Resource
}
