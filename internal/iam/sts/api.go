package sts

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go/traits"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/iam"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// api turns the SDK's inputs into calls of the Service, and what comes back into its
// outputs.
type api struct{ *Service }

// API lists STS's operations.
func (s *Service) API() wire.API {
	a := api{s}
	return wire.API{
		Service:   "sts",
		Protocols: []wire.Protocol{wire.Query},
		Namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
		Traits:    wire.Traits{"PolicyDescriptorType.Arn": {&traits.XMLName{Name: "arn"}}},
		Operations: []wire.Operation{
			wire.Op(wire.Named("AssumeRole"), a.assumeRole),
			wire.Op(wire.Named("AssumeRoleWithWebIdentity"), a.assumeRoleWithWebIdentity),
			wire.Op(wire.Named("GetAccessKeyInfo"), a.getAccessKeyInfo),
			wire.Op(wire.Named("GetCallerIdentity"), a.getCallerIdentity),
			wire.Op(wire.Named("GetFederationToken"), a.getFederationToken),
			wire.Op(wire.Named("GetSessionToken"), a.getSessionToken),
		},
		Access: s.access(),
	}
}

func credentialsOut(c auth.Credentials) *types.Credentials {
	return &types.Credentials{AccessKeyId: &c.AccessKeyID, SecretAccessKey: &c.Secret, SessionToken: &c.Token, Expiration: &c.Expires}
}

func arnsIn(list []types.PolicyDescriptorType) (arns []string) {
	for _, p := range list {
		arns = append(arns, aws.ToString(p.Arn))
	}
	return arns
}

func tagsIn(list []types.Tag) (tags []iam.Tag) {
	for _, t := range list {
		tags = append(tags, iam.Tag{Key: aws.ToString(t.Key), Value: aws.ToString(t.Value)})
	}
	return tags
}

// checkMinimum refuses to make tokens longer than they are.
func checkMinimum(size *int32) error {
	if size != nil {
		return validation("MinimumSessionTokenSize is not supported.")
	}
	return nil
}

// checkCode refuses codes of devices, of which there are none.
func checkCode(serial, code *string) error {
	if serial != nil || code != nil {
		return denied("MultiFactorAuthentication failed with invalid MFA one time pass code.")
	}
	return nil
}

func (a api) assumeRole(ctx context.Context, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	if err := checkMinimum(in.MinimumSessionTokenSize); err != nil {
		return nil, err
	}
	if err := checkCode(in.SerialNumber, in.TokenCode); err != nil {
		return nil, err
	}
	if len(in.ProvidedContexts) > 0 {
		return nil, validation("ProvidedContexts are not supported.")
	}
	made, err := a.Service.assumeRole(ctx, auth.From(ctx), &assumption{
		role: aws.ToString(in.RoleArn), name: aws.ToString(in.RoleSessionName), external: aws.ToString(in.ExternalId),
		wish: wish{seconds: in.DurationSeconds, policy: aws.ToString(in.Policy), policyARNs: arnsIn(in.PolicyArns),
			tags: tagsIn(in.Tags), transitive: in.TransitiveTagKeys, source: aws.ToString(in.SourceIdentity)},
	})
	if err != nil {
		return nil, err
	}
	out := &sts.AssumeRoleOutput{
		Credentials:      credentialsOut(made.credentials),
		AssumedRoleUser:  &types.AssumedRoleUser{Arn: &made.arn, AssumedRoleId: &made.id},
		PackedPolicySize: packedOut(made.packed),
		SessionTokenSize: aws.Int32(int32(len(made.credentials.Token))),
	}
	if made.session.SourceIdentity != "" {
		out.SourceIdentity = &made.session.SourceIdentity
	}
	return out, nil
}

// packedOut is nil where nothing is carried.
func packedOut(percent int) *int32 {
	if percent == 0 {
		return nil
	}
	return aws.Int32(int32(percent))
}

func (a api) assumeRoleWithWebIdentity(ctx context.Context, in *sts.AssumeRoleWithWebIdentityInput) (*sts.AssumeRoleWithWebIdentityOutput, error) {
	if err := checkMinimum(in.MinimumSessionTokenSize); err != nil {
		return nil, err
	}
	if in.ProviderId != nil {
		return nil, validation("ProviderId is for OAuth 2.0 access tokens, which are not supported.")
	}
	made, err := a.assumeWithToken(ctx, &assumption{
		role: aws.ToString(in.RoleArn), name: aws.ToString(in.RoleSessionName),
		wish: wish{seconds: in.DurationSeconds, policy: aws.ToString(in.Policy), policyARNs: arnsIn(in.PolicyArns)},
	}, aws.ToString(in.WebIdentityToken))
	if err != nil {
		return nil, err
	}
	out := &sts.AssumeRoleWithWebIdentityOutput{
		Credentials:                 credentialsOut(made.credentials),
		AssumedRoleUser:             &types.AssumedRoleUser{Arn: &made.arn, AssumedRoleId: &made.id},
		PackedPolicySize:            packedOut(made.packed),
		SessionTokenSize:            aws.Int32(int32(len(made.credentials.Token))),
		SubjectFromWebIdentityToken: &made.subject,
		Provider:                    &made.provider,
		Audience:                    &made.audience,
	}
	if made.session.SourceIdentity != "" {
		out.SourceIdentity = &made.session.SourceIdentity
	}
	return out, nil
}

func (a api) getCallerIdentity(ctx context.Context, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	p := auth.From(ctx)
	return &sts.GetCallerIdentityOutput{Account: &p.Account, Arn: &p.ARN, UserId: &p.UserID}, nil
}

func (a api) getSessionToken(ctx context.Context, in *sts.GetSessionTokenInput) (*sts.GetSessionTokenOutput, error) {
	if err := checkMinimum(in.MinimumSessionTokenSize); err != nil {
		return nil, err
	}
	if err := checkCode(in.SerialNumber, in.TokenCode); err != nil {
		return nil, err
	}
	c, err := a.sessionToken(auth.From(ctx), &wish{seconds: in.DurationSeconds})
	if err != nil {
		return nil, err
	}
	return &sts.GetSessionTokenOutput{Credentials: credentialsOut(c), SessionTokenSize: aws.Int32(int32(len(c.Token)))}, nil
}

func (a api) getFederationToken(ctx context.Context, in *sts.GetFederationTokenInput) (*sts.GetFederationTokenOutput, error) {
	if err := checkMinimum(in.MinimumSessionTokenSize); err != nil {
		return nil, err
	}
	made, err := a.federate(ctx, auth.From(ctx), aws.ToString(in.Name), &wish{
		seconds: in.DurationSeconds, policy: aws.ToString(in.Policy), policyARNs: arnsIn(in.PolicyArns), tags: tagsIn(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	return &sts.GetFederationTokenOutput{
		Credentials:      credentialsOut(made.credentials),
		FederatedUser:    &types.FederatedUser{Arn: &made.arn, FederatedUserId: &made.id},
		PackedPolicySize: packedOut(made.packed),
		SessionTokenSize: aws.Int32(int32(len(made.credentials.Token))),
	}, nil
}

// getAccessKeyInfo tells the account of an access key: of users here, and of the
// caller's own. Those of sessions say nothing by themselves.
func (a api) getAccessKeyInfo(ctx context.Context, in *sts.GetAccessKeyInfoInput) (*sts.GetAccessKeyInfoOutput, error) {
	id := aws.ToString(in.AccessKeyId)
	if len(id) < 16 || len(id) > 128 || strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		return nil, constraint(clip(id), "accessKeyId", `Member must have length between 16 and 128 and satisfy regular expression pattern: [\w]*`)
	}
	if p := auth.From(ctx); p.AccessKeyID != id {
		if _, err := a.cfg.Identities.KeyOwner(ctx, id); fault.Is(err, "NoSuchEntity") {
			return nil, validation("The access key %s is not known in this account.", id)
		} else if err != nil {
			return nil, err
		}
	}
	return &sts.GetAccessKeyInfoOutput{Account: aws.String(a.cfg.Identities.Account())}, nil
}
