package sts

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/mayfly-cloud/mayfly/internal/access"
)

// access is what each operation asks of its caller.
// Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
func (s *Service) access() access.Table {
	role := func(_ context.Context, in any) []string { return []string{access.Text(in, "RoleArn")} }
	return access.Table{
		"GetCallerIdentity": {}, // nobody needs a permission to learn who they are, and no policy takes it away
		"AssumeRole":        {Action: "sts:AssumeRole", Resources: role, Itself: true, Keys: assumeKeys, Also: assumeNeeds},
		"AssumeRoleWithWebIdentity": {Action: "sts:AssumeRoleWithWebIdentity", Resources: role, Itself: true, Unsigned: true,
			Keys: func(_ context.Context, in any) access.Keys {
				return access.Keys{"sts:RoleSessionName": {access.Text(in, "RoleSessionName")}}
			}},
		"GetAccessKeyInfo": {Action: "sts:GetAccessKeyInfo"},
		"GetFederationToken": {Action: "sts:GetFederationToken", Keys: federationKeys, Also: s.federationNeeds,
			Resources: func(_ context.Context, in any) []string {
				return []string{federatedARN(s.cfg.Identities, access.Text(in, "Name"))}
			}},
		"GetSessionToken": {}, // as AWS has it: the session can do no more than its user
	}
}

func assumeKeys(_ context.Context, in any) access.Keys {
	a, ok := in.(*sts.AssumeRoleInput)
	if !ok {
		return nil
	}
	k := tagKeys(a.Tags)
	k["sts:RoleSessionName"] = []string{aws.ToString(a.RoleSessionName)}
	if a.ExternalId != nil {
		k["sts:ExternalId"] = []string{*a.ExternalId}
	}
	if a.SourceIdentity != nil {
		k["sts:SourceIdentity"] = []string{*a.SourceIdentity}
	}
	if len(a.TransitiveTagKeys) > 0 {
		k["sts:TransitiveTagKeys"] = a.TransitiveTagKeys
	}
	return k
}

// assumeNeeds is what tags and a source identity ask for besides.
func assumeNeeds(ctx context.Context, in any) (needs []access.Need) {
	a, ok := in.(*sts.AssumeRoleInput)
	if !ok {
		return nil
	}
	role, keys := aws.ToString(a.RoleArn), assumeKeys(ctx, in)
	if len(a.Tags) > 0 {
		needs = append(needs, access.Need{Action: "sts:TagSession", Resource: role, Keys: keys})
	}
	if a.SourceIdentity != nil {
		needs = append(needs, access.Need{Action: "sts:SetSourceIdentity", Resource: role, Keys: keys})
	}
	return needs
}

func federationKeys(_ context.Context, in any) access.Keys {
	f, ok := in.(*sts.GetFederationTokenInput)
	if !ok {
		return nil
	}
	return tagKeys(f.Tags)
}

func (s *Service) federationNeeds(ctx context.Context, in any) []access.Need {
	f, ok := in.(*sts.GetFederationTokenInput)
	if !ok || len(f.Tags) == 0 {
		return nil
	}
	return []access.Need{{Action: "sts:TagSession", Resource: federatedARN(s.cfg.Identities, aws.ToString(f.Name)), Keys: federationKeys(ctx, in)}}
}

func tagKeys(tags []types.Tag) access.Keys {
	k := access.Keys{}
	for _, t := range tags {
		k["aws:RequestTag/"+aws.ToString(t.Key)] = []string{aws.ToString(t.Value)}
		k["aws:TagKeys"] = append(k["aws:TagKeys"], aws.ToString(t.Key))
	}
	return k
}
