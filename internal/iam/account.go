package iam

import (
	"context"
	"errors"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// alias is another name of the account.
type alias struct{ Name string }

// setAlias names the account.
func (s *Service) setAlias(ctx context.Context, name string) error {
	if len(name) < 3 || len(name) > 63 || !aliasForm.MatchString(name) {
		return constraint(clip(name), "accountAlias", "Member must satisfy regular expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$")
	}
	return s.change(ctx, func(tx store.Tx) error { return save(tx, aliasKey(), alias{name}) })
}

// deleteAlias takes the account's name away.
func (s *Service) deleteAlias(ctx context.Context, name string) error {
	return s.change(ctx, func(tx store.Tx) error {
		missing := noSuchEntity("The Account Alias %s cannot be found.", clip(name))
		a, err := load[alias](tx, aliasKey(), missing)
		if err == nil && a.Name != name {
			err = missing
		}
		return errors.Join(err, tx.Delete(aliasKey()))
	})
}

// alias gives the account's name, or none.
func (s *Service) alias(ctx context.Context) (name string, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		a, err := load[alias](r, aliasKey(), nil)
		if a != nil {
			name = a.Name
		}
		return err
	})
	return name, err
}

// summary counts what the account has, and what it may have.
// Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html
func (s *Service) summary(ctx context.Context) (map[string]int32, error) {
	m := map[string]int32{
		"UsersQuota": int32(kinds[User].maxCount), "GroupsQuota": int32(kinds[Group].maxCount), "RolesQuota": int32(kinds[Role].maxCount),
		"PoliciesQuota": maxPolicies, "InstanceProfilesQuota": maxProfiles, "GroupsPerUserQuota": maxGroups, "AccessKeysPerUserQuota": maxKeys,
		"UserPolicySizeQuota": int32(kinds[User].maxInline), "GroupPolicySizeQuota": int32(kinds[Group].maxInline), "RolePolicySizeQuota": int32(kinds[Role].maxInline),
		"AttachedPoliciesPerUserQuota": int32(kinds[User].maxAttached), "AttachedPoliciesPerGroupQuota": int32(kinds[Group].maxAttached), "AttachedPoliciesPerRoleQuota": int32(kinds[Role].maxAttached),
		"PolicySizeQuota": maxPolicySize, "VersionsPerPolicyQuota": maxVersions, "AssumeRolePolicySizeQuota": maxTrust,
		"MFADevices": 0, "MFADevicesInUse": 0, "ServerCertificates": 0, "ServerCertificatesQuota": 0, "SigningCertificatesPerUserQuota": 0,
		"AccountMFAEnabled": 0, "AccountAccessKeysPresent": 1, "AccountSigningCertificatesPresent": 0, "AccountPasswordPresent": 0,
		"GlobalEndpointTokenVersion": 1,
	}
	err := s.cfg.Store.View(ctx, func(r store.Reader) error {
		for _, what := range []string{"Users", "Groups", "Roles", "Policies", "InstanceProfiles", "Providers"} {
			c, err := load[count](r, countKey(what), nil)
			if err != nil {
				return err
			}
			m[what] = 0
			if c != nil {
				m[what] = int32(c.N)
			}
		}
		return nil
	})
	return m, err
}

// detail is one thing of the account with all that belongs to it: an entity or a
// managed policy.
type detail struct {
	entity   *Entity
	groups   []*Entity // of a user
	profiles []filled  // of a role
	used     *Used     // of a role

	policy   *policyUse
	versions []policyVersion
}

// detailQuery says what is listed: kinds of entities, and policies of the customer's
// or of AWS's.
type detailQuery struct {
	kinds      []Kind
	local, aws bool
	listing    string // names the query in markers
}

// ref points to one thing of the account; refs sort by their keys.
type ref struct {
	key    string
	entity string
	policy *Policy
}

// details gives the account's entities and policies with all that belongs to them.
func (s *Service) details(ctx context.Context, q detailQuery, w window) (list []detail, marker string, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		refs, err := s.refs(r, q)
		if err != nil {
			return err
		}
		if refs, marker, err = paged("details "+q.listing, refs, func(r ref) string { return r.key }, w); err != nil {
			return err
		}
		list = nil
		for _, at := range refs {
			d, err := s.detail(r, at)
			if err != nil {
				return err
			}
			list = append(list, d)
		}
		return nil
	})
	return list, marker, err
}

// refs points to everything that a query asks for: to AWS's policies only where they
// are used, as AWS does.
func (s *Service) refs(r store.Reader, q detailQuery) ([]ref, error) {
	var refs []ref
	for _, k := range q.kinds {
		for p, err := range r.Scan(store.Prefix(below("name", string(k)))) {
			if err != nil {
				return nil, err
			}
			name, err := lastPart(p.Key)
			if err != nil {
				return nil, err
			}
			refs = append(refs, ref{key: "1" + string(k) + "/" + name, entity: string(p.Value)})
		}
	}
	found, err := s.policies(r, "All")
	if err != nil {
		return nil, err
	}
	for _, p := range found {
		if p.aws == "" && !q.local || p.aws != "" && !q.aws {
			continue
		}
		a, b, err := usage(r, s.PolicyARN(p))
		if err != nil {
			return nil, err
		}
		if p.aws == "" || a+b > 0 {
			refs = append(refs, ref{key: "2" + s.PolicyARN(p), policy: p})
		}
	}
	return refs, nil
}

func (s *Service) detail(r store.Reader, at ref) (d detail, err error) {
	if at.policy != nil {
		u, err := s.withUse(r, at.policy)
		if err != nil {
			return d, err
		}
		d.policy = &u
		d.versions, err = versions(r, at.policy)
		return d, err
	}
	if d.entity, err = byID(r, at.entity); err != nil {
		return d, err
	}
	if err = s.current(r, d.entity); err != nil {
		return d, err
	}
	if d.groups, err = entities(r, d.entity.Groups); err != nil || d.entity.Kind != Role {
		return d, err
	}
	if d.profiles, err = carriers(r, d.entity); err != nil {
		return d, err
	}
	d.used, err = s.lastUsed(r, d.entity.ID)
	return d, err
}
