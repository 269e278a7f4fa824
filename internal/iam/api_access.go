package iam

import (
	"context"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/auth"
)

// access is what each operation asks of its caller. Resources are named as they are,
// with their paths, which takes a look at the store.
// Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
func (s *Service) access() access.Table {
	t := access.Table{}
	for _, group := range []struct {
		subject subject
		ops     string
	}{
		{s.userSubject, `CreateUser GetUser UpdateUser DeleteUser ListGroupsForUser PutUserPermissionsBoundary DeleteUserPermissionsBoundary
			CreateAccessKey UpdateAccessKey DeleteAccessKey ListAccessKeys PutUserPolicy GetUserPolicy DeleteUserPolicy ListUserPolicies
			AttachUserPolicy DetachUserPolicy ListAttachedUserPolicies TagUser UntagUser ListUserTags GetLoginProfile DeleteLoginProfile
			ListMFADevices ListSSHPublicKeys ListSigningCertificates ListServiceSpecificCredentials`},
		{s.keySubject, `GetAccessKeyLastUsed`},
		{s.groupSubject, `CreateGroup GetGroup UpdateGroup DeleteGroup AddUserToGroup RemoveUserFromGroup PutGroupPolicy GetGroupPolicy
			DeleteGroupPolicy ListGroupPolicies AttachGroupPolicy DetachGroupPolicy ListAttachedGroupPolicies`},
		{s.roleSubject, `CreateRole GetRole UpdateRole UpdateRoleDescription UpdateAssumeRolePolicy DeleteRole PutRolePermissionsBoundary
			DeleteRolePermissionsBoundary PutRolePolicy GetRolePolicy DeleteRolePolicy ListRolePolicies AttachRolePolicy DetachRolePolicy
			ListAttachedRolePolicies TagRole UntagRole ListRoleTags ListInstanceProfilesForRole DeleteServiceLinkedRole`},
		{s.linkedSubject, `CreateServiceLinkedRole GetServiceLinkedRoleDeletionStatus`},
		{s.policySubject, `CreatePolicy GetPolicy DeletePolicy CreatePolicyVersion GetPolicyVersion DeletePolicyVersion ListPolicyVersions
			SetDefaultPolicyVersion ListEntitiesForPolicy TagPolicy UntagPolicy ListPolicyTags`},
		{s.profileSubject, `CreateInstanceProfile GetInstanceProfile DeleteInstanceProfile AddRoleToInstanceProfile RemoveRoleFromInstanceProfile
			TagInstanceProfile UntagInstanceProfile ListInstanceProfileTags`},
		{s.providerSubject, `CreateOpenIDConnectProvider GetOpenIDConnectProvider DeleteOpenIDConnectProvider AddClientIDToOpenIDConnectProvider
			RemoveClientIDFromOpenIDConnectProvider UpdateOpenIDConnectProviderThumbprint TagOpenIDConnectProvider UntagOpenIDConnectProvider
			ListOpenIDConnectProviderTags`},
		{s.sourceSubject, `SimulatePrincipalPolicy GetContextKeysForPrincipalPolicy`},
		{s.below(string(User)), `ListUsers`},
		{s.below(string(Group)), `ListGroups`},
		{s.below(string(Role)), `ListRoles`},
		{s.below("instance-profile"), `ListInstanceProfiles`},
		{nil, `ListPolicies ListOpenIDConnectProviders GetAccountSummary
			GetAccountAuthorizationDetails ListAccountAliases CreateAccountAlias DeleteAccountAlias GetAccountPasswordPolicy
			SimulateCustomPolicy GetContextKeysForCustomPolicy ListVirtualMFADevices ListSAMLProviders ListServerCertificates`},
	} {
		for _, op := range strings.Fields(group.ops) {
			t[op] = group.subject.rule(op)
		}
	}
	add := t["AddRoleToInstanceProfile"]
	add.Also = s.passesRole
	t["AddRoleToInstanceProfile"] = add
	return t
}

// named is what an operation is about: its ARNs, the tags and boundary it has.
type named struct {
	arns     []string
	tags     map[string]string
	boundary string
}

// subject finds what a request is about.
type subject func(ctx context.Context, in any) named

// rule is that of an operation of IAM's.
func (f subject) rule(op string) access.Rule {
	r := access.Rule{Action: "iam:" + op}
	if f != nil {
		r.Resources = func(ctx context.Context, in any) []string { return f(ctx, in).arns }
		r.Keys = func(ctx context.Context, in any) access.Keys { return keysOf(op, f(ctx, in), in) }
	}
	return r
}

// keysOf are IAM's own condition keys of a request, and those about tags.
func keysOf(op string, about named, in any) access.Keys {
	k := access.Keys{}
	for key, v := range about.tags {
		k["aws:ResourceTag/"+key], k["iam:ResourceTag/"+key] = []string{v}, []string{v}
	}
	if tags, ok := member(in, "Tags").([]types.Tag); ok && len(tags) > 0 {
		for _, t := range tags {
			k["aws:RequestTag/"+aws.ToString(t.Key)] = []string{aws.ToString(t.Value)}
			k["aws:TagKeys"] = append(k["aws:TagKeys"], aws.ToString(t.Key))
		}
	}
	if keys, ok := member(in, "TagKeys").([]string); ok && len(keys) > 0 {
		k["aws:TagKeys"] = keys
	}
	if strings.HasPrefix(op, "Attach") || strings.HasPrefix(op, "Detach") {
		k["iam:PolicyARN"] = []string{access.Text(in, "PolicyArn")}
	}
	boundary := about.boundary
	if asked := access.Text(in, "PermissionsBoundary"); asked != "" {
		boundary = asked
	}
	if boundary != "" {
		k["iam:PermissionsBoundary"] = []string{boundary}
	}
	if service := access.Text(in, "AWSServiceName"); service != "" {
		k["iam:AWSServiceName"] = []string{service}
	}
	return k
}

// member reads any member of an SDK input; nil where there is none.
func member(in any, name string) any {
	v := reflect.ValueOf(in)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return nil
	}
	f := v.Elem().FieldByName(name)
	if !f.IsValid() {
		return nil
	}
	return f.Interface()
}

// below names what a listing is about: all below a path, as AWS does in its refusals.
func (s *Service) below(resource string) subject {
	return func(_ context.Context, in any) named {
		path := access.Text(in, "PathPrefix")
		if path == "" {
			path = "/"
		}
		return named{arns: []string{s.arn(resource, path, "")}}
	}
}

// entitySubject names an entity; where there is none of the name, the one that would
// be made.
func (s *Service) entitySubject(ctx context.Context, k Kind, name string, in any) named {
	e, err := s.Find(ctx, k, name)
	if err != nil {
		path := access.Text(in, "Path")
		if path == "" {
			path = "/"
		}
		return named{arns: []string{s.arn(string(k), path, name)}}
	}
	n := named{[]string{s.ARN(e)}, e.Tags, e.Boundary}
	renamed := *e
	if to := access.Text(in, "New"+e.rules().title+"Name"); to != "" {
		renamed.Name = to
	}
	if to := access.Text(in, "NewPath"); to != "" {
		renamed.Path = to
	}
	if arn := s.ARN(&renamed); arn != n.arns[0] {
		n.arns = append(n.arns, arn) // one must be allowed to change what is, into what will be
	}
	return n
}

func (s *Service) userSubject(ctx context.Context, in any) named {
	name := access.Text(in, "UserName")
	if name == "" {
		p := auth.From(ctx)
		resource, _, own, ok := s.splitARN(p.ARN)
		if !ok || resource != string(User) {
			return named{arns: []string{"*"}}
		}
		name = own
	}
	return s.entitySubject(ctx, User, name, in)
}

func (s *Service) keySubject(ctx context.Context, in any) named {
	e, err := s.KeyOwner(ctx, access.Text(in, "AccessKeyId"))
	if err != nil {
		return named{arns: []string{"*"}}
	}
	return named{[]string{s.ARN(e)}, e.Tags, e.Boundary}
}

func (s *Service) groupSubject(ctx context.Context, in any) named {
	return s.entitySubject(ctx, Group, access.Text(in, "GroupName"), in)
}

func (s *Service) roleSubject(ctx context.Context, in any) named {
	return s.entitySubject(ctx, Role, access.Text(in, "RoleName"), in)
}

// linkedSubject names a role of a service, by what it will be or by the task that
// deleted it.
func (s *Service) linkedSubject(_ context.Context, in any) named {
	if task, ok := strings.CutPrefix(access.Text(in, "DeletionTaskId"), "task"); ok {
		at := strings.LastIndexByte(task, '/')
		return named{arns: []string{s.arn(string(Role), task[:max(at, 0)], "")}}
	}
	e := linkedRole(access.Text(in, "AWSServiceName"), access.Text(in, "CustomSuffix"))
	return named{arns: []string{s.ARN(e)}}
}

func (s *Service) policySubject(ctx context.Context, in any) named {
	arn := access.Text(in, "PolicyArn")
	if arn == "" {
		path := access.Text(in, "Path")
		if path == "" {
			path = "/"
		}
		return named{arns: []string{s.arn("policy", path, access.Text(in, "PolicyName"))}}
	}
	n := named{arns: []string{arn}}
	if p, err := s.policy(ctx, arn); err == nil {
		n.tags = p.Tags
	}
	return n
}

func (s *Service) profileSubject(ctx context.Context, in any) named {
	name := access.Text(in, "InstanceProfileName")
	f, err := s.profile(ctx, name)
	if err != nil {
		path := access.Text(in, "Path")
		if path == "" {
			path = "/"
		}
		return named{arns: []string{s.arn("instance-profile", path, name)}}
	}
	return named{arns: []string{s.ProfileARN(f.Profile)}, tags: f.Tags}
}

func (s *Service) providerSubject(ctx context.Context, in any) named {
	arn := access.Text(in, "OpenIDConnectProviderArn")
	if arn == "" {
		url, err := parseProvider(access.Text(in, "Url"))
		if err != nil {
			url = clip(access.Text(in, "Url")) // the operation refuses it
		}
		return named{arns: []string{s.ProviderARN(url)}}
	}
	n := named{arns: []string{arn}}
	if p, err := s.provider(ctx, arn); err == nil {
		n.tags = p.Tags
	}
	return n
}

// sourceSubject is the user, group or role whose policies are simulated.
func (s *Service) sourceSubject(_ context.Context, in any) named {
	return named{arns: []string{access.Text(in, "PolicySourceArn")}}
}

// passesRole is what a role in an instance profile asks for.
func (s *Service) passesRole(ctx context.Context, in any) []access.Need {
	return []access.Need{{
		Action: "iam:PassRole", Resource: s.roleSubject(ctx, in).arns[0],
		Keys: access.Keys{"iam:PassedToService": {"ec2.amazonaws.com"}, "iam:AssociatedResourceArn": s.profileSubject(ctx, in).arns},
	}}
}
