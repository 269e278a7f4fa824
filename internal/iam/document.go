package iam

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
)

const (
	// maxDocument is what a document may be long as a parameter, white space and all.
	maxDocument = 131072
	// maxTrust is what a trust policy may weigh.
	maxTrust = 2048
)

// weight counts a document's characters as its quotas do, without white space.
func weight(doc string) int {
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(doc)); err != nil {
		return utf8.RuneCountInString(doc)
	}
	return utf8.RuneCount(b.Bytes())
}

// parse reads a document of a caller's.
func parse(doc string, kind policy.Kind) (*policy.Policy, error) {
	if doc == "" || len(doc) > maxDocument {
		return nil, constraint(clip(doc), "policyDocument", "Member must have length between 1 and %d", maxDocument)
	}
	p, err := policy.Parse([]byte(doc), kind)
	var bad *policy.MalformedError
	if errors.As(err, &bad) {
		return nil, malformedPolicy("%s", bad.Reason)
	}
	return p, err
}

func checkIdentityDocument(doc string) error {
	_, err := parse(doc, policy.Identity)
	return err
}

func checkManagedDocument(doc string) error {
	_, err := parse(doc, policy.Managed)
	if err == nil && weight(doc) > maxPolicySize {
		err = limitExceeded("Cannot exceed quota for PolicySize: %d", maxPolicySize)
	}
	return err
}

func checkTrust(doc string) error {
	_, err := parse(doc, policy.Trust)
	if err == nil && weight(doc) > maxTrust {
		err = limitExceeded("Cannot exceed quota for ACLSizePerRole: %d", maxTrust)
	}
	return err
}
