package key

import (
	"context"
	"fmt"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// maxPolicy is the longest key policy, in bytes.
const maxPolicy = 32768

// usualPolicy lets the account's identity policies decide.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func (s *Service) usualPolicy() string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Id":"key-default-1","Statement":[{"Sid":"Enable IAM User Permissions",`+
		`"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%s:root"},"Action":"kms:*","Resource":"*"}]}`, s.cfg.Account)
}

// SetPolicy replaces a key's policy.
func (s *Service) SetPolicy(ctx context.Context, ref, document string) error {
	return s.change(ctx, ref, anyState, func(_ store.Tx, k *Key) error {
		k.Policy = document
		return s.checkPolicy(k)
	})
}

// ResourcePolicy gives the policy of the key whose ARN it is, to whoever decides
// what callers may do. A key that is not there has none, nor what is no key: nil.
func (s *Service) ResourcePolicy(ctx context.Context, keyARN string) ([]byte, error) {
	var document []byte
	err := s.cfg.Store.View(ctx, func(r store.Reader) error {
		k, err := s.findByID(r, keyARN)
		if err == nil {
			document = []byte(k.Policy)
		}
		return err
	})
	if isMissing(err) || fault.Is(err, "InvalidArnException") {
		return nil, nil
	}
	return document, err
}

func (s *Service) checkPolicy(k *Key) error {
	if n := len(k.Policy); n == 0 || n > maxPolicy {
		return refuse("MalformedPolicyDocumentException", "A key policy has 1 to %d bytes; this one has %d.", maxPolicy, n)
	}
	if err := s.cfg.Policies.Check([]byte(k.Policy), s.keyARN(k.ID)); err != nil {
		return refuse("MalformedPolicyDocumentException", "%v", err)
	}
	return nil
}

// isMissing says whether an error is that a key or an alias does not exist.
func isMissing(err error) bool { return fault.Is(err, "NotFoundException") }
