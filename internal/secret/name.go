package secret

import (
	"crypto/rand"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/arn"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

const (
	maxName   = 512
	maxRef    = 2048
	suffixLen = 6
)

// checkName checks the name of a secret that is to be made.
func checkName(name string) error {
	if name == "" || len(name) > maxName {
		return violates(clip(name), "name", "Member must have length between 1 and 512")
	}
	if strings.ContainsFunc(name, notInName) {
		return invalid("Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
	}
	return nil
}

func notInName(c rune) bool {
	return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("/_+=.@-!", c))
}

// find gives the secret that a SecretId means: its name, its ARN, or its ARN without
// the suffix. A secret of that name with another suffix is another secret.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
func (s *Service) find(r store.Reader, ref string) (*Secret, error) {
	if ref == "" || len(ref) > maxRef {
		return nil, violates(clip(ref), "secretId", "Member must have length between 1 and 2048")
	}
	if !arn.Is(ref) {
		return s.byName(r, ref)
	}
	a, err := arn.Parse(ref)
	rest, ok := strings.CutPrefix(a.Resource, "secret:")
	if err != nil || !ok || a.Service != "secretsmanager" {
		return nil, invalid("Invalid ARN: %s", clip(ref))
	}
	if a.Account != s.cfg.Account || a.Region != s.cfg.Region {
		return nil, errNotFound
	}
	if at := len(rest) - suffixLen - 1; at > 0 && rest[at] == '-' {
		if sec, err := s.byName(r, rest[:at]); err != errNotFound && (err != nil || sec.Suffix == rest[at+1:]) {
			return sec, err
		}
	}
	return s.byName(r, rest)
}

func (s *Service) byName(r store.Reader, name string) (*Secret, error) {
	if len(name) > maxName {
		return nil, errNotFound
	}
	sec, err := load[Secret](r, secretKey(name), errNotFound)
	if err == nil && s.gone(sec) {
		return nil, errNotFound
	}
	return sec, err
}

// living is find, but refuses a secret that waits to be deleted.
func (s *Service) living(r store.Reader, ref string) (*Secret, error) {
	sec, err := s.find(r, ref)
	if err == nil && !sec.Deleted.IsZero() {
		return nil, errDeleted
	}
	return sec, err
}

// gone says whether a secret's recovery window is over; its records may still be
// there.
func (s *Service) gone(sec *Secret) bool {
	return !sec.Deleted.IsZero() && !s.now().Before(sec.Deleted)
}

// suffix makes the random end of an ARN, which tells a secret from one of the same
// name that was deleted.
func suffix() string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	b := make([]byte, suffixLen)
	for i := range b {
		b[i] = pick(letters)
	}
	return string(b)
}

// pick gives a random character, each as likely as the others.
func pick(from string) byte {
	most := 256 - 256%len(from)
	for b := make([]byte, 1); ; {
		rand.Read(b)
		if int(b[0]) < most {
			return from[int(b[0])%len(from)]
		}
	}
}
