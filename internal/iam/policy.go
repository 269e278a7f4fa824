package iam

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/iam/managed"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Policy is a managed policy: the customer's, or AWS's.
type Policy struct {
	Name, Path, ID, Description string
	Created, Updated            time.Time
	Tags                        map[string]string
	Default                     int   // the version that counts
	Versions                    []int // those there are, the oldest first
	Last                        int   // the last version made

	aws string // the document of AWS's own
}

// Version is one document of a managed policy.
type Version struct {
	Document string
	Created  time.Time
}

// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	maxPolicies   = 1500
	maxVersions   = 5
	maxPolicySize = 6144 // characters, white space apart
)

// PolicyARN names a managed policy.
func (s *Service) PolicyARN(p *Policy) string {
	if p.aws != "" {
		return managed.Prefix + p.Path[1:] + p.Name
	}
	return s.arn("policy", p.Path, p.Name)
}

func policyNotFound(arn string) error { return noSuchEntity("Policy %s was not found.", clip(arn)) }

// awsPolicy gives AWS's policy of an ARN, or nil.
func awsPolicy(arn string) *Policy {
	m, ok := managed.Find(arn)
	if !ok {
		return nil
	}
	return &Policy{
		Name: m.Name, Path: m.Path, ID: m.ID, Created: m.Created, Updated: m.Created,
		Default: m.Version, Versions: []int{m.Version}, Last: m.Version, aws: m.Document,
	}
}

// managed reads the managed policy of an ARN.
func (s *Service) managed(r store.Reader, arn string) (*Policy, error) {
	if p := awsPolicy(arn); p != nil {
		return p, nil
	}
	resource, path, name, ok := s.splitARN(arn)
	if !ok || resource != "policy" {
		if strings.HasPrefix(arn, "arn:") {
			return nil, notAttachable(arn)
		}
		return nil, validation("ARN %s is not valid.", clip(arn))
	}
	p, err := load[Policy](r, policyKey(name), notAttachable(arn))
	if err == nil && (p.Path != path || p.Name != name) {
		err = notAttachable(arn)
	}
	return p, err
}

// document reads a version of a managed policy.
func document(r store.Reader, p *Policy, n int) (*Version, error) {
	if p.aws != "" && n == p.Default {
		return &Version{p.aws, p.Created}, nil
	}
	return load[Version](r, versionKey(p.ID, n), noVersion(p, n))
}

func noVersion(p *Policy, n int) error {
	return noSuchEntity("Policy %s version v%d does not exist or is not attachable.", p.Name, n)
}

// VersionID is how the API writes a version: "v1".
func VersionID(n int) string { return "v" + strconv.Itoa(n) }

func parseVersion(text string) (int, error) {
	digits, ok := strings.CutPrefix(text, "v")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 1 || VersionID(n) != text {
		return 0, constraint(clip(text), "versionId", `Member must satisfy regular expression pattern: v[1-9][0-9]*(\.[A-Za-z0-9-]*)?`)
	}
	return n, nil
}

// createPolicy makes a managed policy with its first version. One transaction: a crash
// leaves the policy there with its document, or not at all.
func (s *Service) createPolicy(ctx context.Context, p *Policy, doc string, tags []Tag) (err error) {
	if err := checkName(p.Name, "policyName", maxPolicyName); err != nil {
		return err
	}
	if p.Path, err = checkPath(p.Path); err != nil {
		return err
	}
	if err := checkDescription(p.Description); err != nil {
		return err
	}
	if p.Tags, err = tagged(nil, tags); err != nil {
		return err
	}
	if err := checkManagedDocument(doc); err != nil {
		return err
	}
	now := s.now()
	p.ID, p.Created, p.Updated, p.Default, p.Versions, p.Last = id.Unique("ANPA", 17), now, now, 1, []int{1}, 1
	return s.change(ctx, func(tx store.Tx) error {
		if there, err := exists(tx, policyKey(p.Name)); there || err != nil {
			return errors.Join(err, alreadyExists("A policy called %s already exists. Duplicate names are not allowed.", p.Name))
		}
		return errors.Join(
			add(tx, "Policies", 1, maxPolicies, "PoliciesPerAccount"),
			save(tx, policyKey(p.Name), p), save(tx, versionKey(p.ID, 1), Version{doc, now}),
		)
	})
}

// policyUse is a managed policy and how many entities have it.
type policyUse struct {
	*Policy
	attached, bounded int
}

func (s *Service) withUse(r store.Reader, p *Policy) (policyUse, error) {
	a, b, err := usage(r, s.PolicyARN(p))
	return policyUse{p, a, b}, err
}

// policy reads a managed policy, its default document, and who uses it.
func (s *Service) policy(ctx context.Context, arn string) (p policyUse, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		found, err := s.managed(r, arn)
		if err != nil {
			return asNotFound(err, arn)
		}
		p, err = s.withUse(r, found)
		return err
	})
	return p, err
}

// CheckManaged is nil for the ARN of a managed policy that is there, else a fault.
func (s *Service) CheckManaged(ctx context.Context, arn string) error {
	_, err := s.policy(ctx, arn)
	return err
}

// asNotFound words the fault for what is about the policy itself.
func asNotFound(err error, arn string) error {
	if fault.Is(err, "NoSuchEntity") {
		return policyNotFound(arn)
	}
	return err
}

// alterPolicy lets fn alter a policy of the customer's. One transaction: a crash leaves
// it as it was or as it shall be.
func (s *Service) alterPolicy(ctx context.Context, arn string, fn func(store.Tx, *Policy) error) error {
	if awsPolicy(arn) != nil {
		return fault.New(403, "AccessDenied", "Policy %s is owned by AWS and cannot be changed.", arn)
	}
	return s.change(ctx, func(tx store.Tx) error {
		p, err := s.managed(tx, arn)
		if err != nil {
			return asNotFound(err, arn)
		}
		if err := fn(tx, p); err != nil {
			return err
		}
		return save(tx, policyKey(p.Name), p)
	})
}

// deletePolicy removes a policy that nothing uses, with its only version.
func (s *Service) deletePolicy(ctx context.Context, arn string) error {
	if awsPolicy(arn) != nil {
		return fault.New(403, "AccessDenied", "Policy %s is owned by AWS and cannot be deleted.", arn)
	}
	return s.change(ctx, func(tx store.Tx) error {
		p, err := s.managed(tx, arn)
		if err != nil {
			return asNotFound(err, arn)
		}
		a, b, err := usage(tx, arn)
		switch {
		case err != nil:
			return err
		case a+b > 0:
			return deleteConflict("Cannot delete a policy attached to entities.")
		case len(p.Versions) > 1:
			return deleteConflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
		}
		return errors.Join(add(tx, "Policies", -1, 0, ""), tx.Delete(policyKey(p.Name)), tx.Delete(versionKey(p.ID, p.Default)))
	})
}

// policyVersion is a version with its number.
type policyVersion struct {
	Version
	n         int
	isDefault bool
}

// createVersion adds a version to a policy.
func (s *Service) createVersion(ctx context.Context, arn, doc string, setDefault bool) (v policyVersion, err error) {
	if err := checkManagedDocument(doc); err != nil {
		return v, err
	}
	err = s.alterPolicy(ctx, arn, func(tx store.Tx, p *Policy) error {
		if len(p.Versions) == maxVersions {
			return limitExceeded("A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", maxVersions)
		}
		p.Last++
		p.Versions = append(p.Versions, p.Last)
		if setDefault {
			p.Default = p.Last
		}
		p.Updated = s.now()
		v = policyVersion{Version{doc, p.Updated}, p.Last, setDefault}
		return save(tx, versionKey(p.ID, p.Last), v.Version)
	})
	return v, err
}

func (s *Service) deleteVersion(ctx context.Context, arn, version string) error {
	n, err := parseVersion(version)
	if err != nil {
		return err
	}
	return s.alterPolicy(ctx, arn, func(tx store.Tx, p *Policy) error {
		at := slices.Index(p.Versions, n)
		switch {
		case at < 0:
			return noVersion(p, n)
		case n == p.Default:
			return deleteConflict("Cannot delete the default version of a policy.")
		}
		p.Versions = slices.Delete(p.Versions, at, at+1)
		return tx.Delete(versionKey(p.ID, n))
	})
}

// setDefault makes another version the one that counts.
func (s *Service) setDefault(ctx context.Context, arn, version string) error {
	n, err := parseVersion(version)
	if err != nil {
		return err
	}
	return s.alterPolicy(ctx, arn, func(_ store.Tx, p *Policy) error {
		if !slices.Contains(p.Versions, n) {
			return noVersion(p, n)
		}
		p.Default, p.Updated = n, s.now()
		return nil
	})
}

// version reads one version of a policy.
func (s *Service) version(ctx context.Context, arn, version string) (v policyVersion, err error) {
	n, err := parseVersion(version)
	if err != nil {
		return v, err
	}
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		p, err := s.managed(r, arn)
		if err != nil {
			return asNotFound(err, arn)
		}
		v, err = versionOf(r, p, n)
		return err
	})
	return v, err
}

func versionOf(r store.Reader, p *Policy, n int) (policyVersion, error) {
	d, err := document(r, p, n)
	if err != nil {
		return policyVersion{}, err
	}
	return policyVersion{*d, n, n == p.Default}, nil
}

// versions reads all versions of a policy, the newest first.
func versions(r store.Reader, p *Policy) ([]policyVersion, error) {
	var list []policyVersion
	for _, n := range slices.Backward(p.Versions) {
		v, err := versionOf(r, p, n)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

// listVersions gives the versions of a policy, the newest first.
func (s *Service) listVersions(ctx context.Context, arn string, w window) (list []policyVersion, marker string, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		p, err := s.managed(r, arn)
		if err != nil {
			return asNotFound(err, arn)
		}
		list, err = versions(r, p)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	newest := func(v policyVersion) string { return fmt.Sprintf("%020d", 1<<40-v.n) }
	return paged("versions of "+arn, list, newest, w)
}

// policyQuery says which managed policies are listed.
type policyQuery struct {
	scope    string // All, AWS or Local
	attached bool   // only those that somebody has
	use      string // PermissionsPolicy or PermissionsBoundary
	prefix   string // of paths
}

func (q policyQuery) wants(p policyUse) bool {
	switch {
	case !strings.HasPrefix(p.Path, q.prefix),
		q.attached && p.attached == 0 && p.bounded == 0,
		q.use == "PermissionsPolicy" && p.attached == 0,
		q.use == "PermissionsBoundary" && p.bounded == 0:
		return false
	}
	return true
}

// listPolicies gives managed policies by their ARNs.
func (s *Service) listPolicies(ctx context.Context, q policyQuery, w window) (list []policyUse, marker string, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		list = nil
		found, err := s.policies(r, q.scope)
		if err != nil {
			return err
		}
		for _, p := range found {
			u, err := s.withUse(r, p)
			if err != nil {
				return err
			}
			if q.wants(u) {
				list = append(list, u)
			}
		}
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	key := func(p policyUse) string { return s.PolicyARN(p.Policy) }
	return paged(fmt.Sprintf("policies %+v", q), list, key, w)
}

// policies gives all managed policies of a scope.
func (s *Service) policies(r store.Reader, scope string) ([]*Policy, error) {
	var list []*Policy
	if scope != "AWS" {
		own, err := all[Policy](r, below("policy"))
		if err != nil {
			return nil, err
		}
		for i := range own {
			list = append(list, &own[i])
		}
	}
	if scope != "Local" {
		for _, arn := range managed.ARNs() {
			list = append(list, awsPolicy(arn))
		}
	}
	return list, nil
}
