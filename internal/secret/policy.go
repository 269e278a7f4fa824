package secret

import (
	"context"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// maxPolicy is the longest resource policy, in bytes.
const maxPolicy = 20480

// SetPolicy replaces a secret's resource policy; with private it refuses one that
// lets everybody in.
func (s *Service) SetPolicy(ctx context.Context, ref, document string, private bool) (*Secret, error) {
	if err := checkLength(document); err != nil {
		return nil, err
	}
	return s.change(ctx, ref, func(_ store.Tx, sec *Secret) error {
		if err := s.cfg.Policies.Check([]byte(document), s.arnOf(sec)); err != nil {
			return refuse("MalformedPolicyDocumentException", "%v", err)
		}
		if private && s.cfg.Policies.Public([]byte(document)) {
			return refuse("PublicPolicyException", "You set BlockPublicPolicy, and the policy grants broad access to the secret.")
		}
		sec.Policy = document
		return nil
	})
}

// RemovePolicy takes a secret's resource policy away.
func (s *Service) RemovePolicy(ctx context.Context, ref string) (*Secret, error) {
	return s.change(ctx, ref, func(_ store.Tx, sec *Secret) error {
		sec.Policy = ""
		return nil
	})
}

// Finding is something wrong with a policy.
type Finding struct{ Check, Message string }

// ValidatePolicy says what is wrong with a policy for a secret, or for any where ref
// is empty.
func (s *Service) ValidatePolicy(ctx context.Context, ref, document string) ([]Finding, error) {
	if err := checkLength(document); err != nil {
		return nil, err
	}
	sec := &Secret{Name: "any", Suffix: "??????"}
	if ref != "" {
		err := s.cfg.Store.View(ctx, func(r store.Reader) (err error) {
			sec, err = s.living(r, ref)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if err := s.cfg.Policies.Check([]byte(document), s.arnOf(sec)); err != nil {
		return []Finding{{"PolicySyntax", err.Error()}}, nil
	}
	if s.cfg.Policies.Public([]byte(document)) {
		return []Finding{{"BlockPublicPolicy", "The policy grants broad access to the secret."}}, nil
	}
	return nil, nil
}

func checkLength(document string) error {
	if n := len(document); n == 0 || n > maxPolicy {
		return violates(n, "resourcePolicy", "Member must have length between 1 and 20480")
	}
	return nil
}

// ResourcePolicy gives the policy of the secret whose ARN it is, to whoever decides
// what callers may do; nil for none.
func (s *Service) ResourcePolicy(ctx context.Context, secretARN string) ([]byte, error) {
	sec, err := s.Secret(ctx, secretARN)
	if err == errNotFound || err == nil && sec.Policy == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []byte(sec.Policy), nil
}
