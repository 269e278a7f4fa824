package iam

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// api turns the SDK's inputs into calls of the Service, and what comes back into its
// outputs.
type api struct{ *Service }

// API lists IAM's operations.
func (s *Service) API() wire.API {
	a := api{s}
	var ops []wire.Operation
	for _, more := range [][]wire.Operation{
		a.userOps(), a.keyOps(), a.groupOps(), a.roleOps(), a.policyOps(), a.inlineOps(), a.attachOps(),
		a.tagOps(), a.profileOps(), a.providerOps(), a.accountOps(), a.simulateOps(), a.emptyOps(),
	} {
		ops = append(ops, more...)
	}
	return wire.API{
		Service:   "iam",
		Protocols: []wire.Protocol{wire.Query},
		Namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
		Unions: []wire.Union{wire.Variants[types.PolicyIdentifier](
			&types.PolicyIdentifierMemberInlinePolicyIdentifier{},
			&types.PolicyIdentifierMemberPolicyArn{},
			&types.PolicyIdentifierMemberPolicyType{},
		)},
		Operations: ops,
		Access:     s.access(),
	}
}

func windowOf(marker *string, max *int32) window {
	return window{marker: aws.ToString(marker), max: aws.ToInt32(max), set: max != nil}
}

// optional is nil for none.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func tagsIn(list []types.Tag) []Tag {
	tags := make([]Tag, 0, len(list))
	for _, t := range list {
		tags = append(tags, Tag{aws.ToString(t.Key), aws.ToString(t.Value)})
	}
	return tags
}

func tagsOut(tags map[string]string) []types.Tag {
	list := []types.Tag{}
	for _, t := range tagList(tags) {
		list = append(list, types.Tag{Key: &t.Key, Value: &t.Value})
	}
	return list
}

// each converts a list; the answer has the member even where it is empty.
func each[A, B any](list []A, convert func(A) B) []B {
	out := make([]B, 0, len(list))
	for _, x := range list {
		out = append(out, convert(x))
	}
	return out
}

func boundaryOut(arn string) *types.AttachedPermissionsBoundary {
	if arn == "" {
		return nil
	}
	return &types.AttachedPermissionsBoundary{
		PermissionsBoundaryArn: &arn, PermissionsBoundaryType: types.PermissionsBoundaryAttachmentTypePolicy,
	}
}

func (a api) userOut(e *Entity) types.User {
	arn, created := a.ARN(e), e.Created
	return types.User{Arn: &arn, CreateDate: &created, Path: &e.Path, UserId: &e.ID, UserName: &e.Name, PermissionsBoundary: boundaryOut(e.Boundary)}
}

func (a api) groupOut(e *Entity) types.Group {
	arn, created := a.ARN(e), e.Created
	return types.Group{Arn: &arn, CreateDate: &created, GroupId: &e.ID, GroupName: &e.Name, Path: &e.Path}
}

func (a api) roleOut(e *Entity) types.Role {
	arn, created := a.ARN(e), e.Created
	return types.Role{
		Arn: &arn, CreateDate: &created, Path: &e.Path, RoleId: &e.ID, RoleName: &e.Name,
		AssumeRolePolicyDocument: aws.String(Escape(e.Trust)), Description: optional(e.Description),
		MaxSessionDuration: aws.Int32(int32(e.MaxSession)), PermissionsBoundary: boundaryOut(e.Boundary),
	}
}

// userOf gives the name of the user that a request is about: the one it names, or the
// one that calls.
func (a api) userOf(ctx context.Context, name *string) (string, error) {
	if name != nil {
		return *name, nil
	}
	p := auth.From(ctx)
	if p.Kind != auth.User {
		return "", validation("Must specify userName when calling with non-User credentials")
	}
	resource, _, own, ok := a.splitARN(p.ARN)
	if !ok || resource != string(User) {
		return "", validation("Must specify userName when calling with non-User credentials")
	}
	return own, nil
}

func usedAt(u *Used) *time.Time {
	if u == nil {
		return nil
	}
	return &u.At
}
