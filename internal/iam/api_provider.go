package iam

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/mayfly-cloud/mayfly/internal/wire"
)

func (a api) providerOps() []wire.Operation {
	return []wire.Operation{
		wire.Op(wire.Named("CreateOpenIDConnectProvider"), a.createOIDCProvider),
		wire.Op(wire.Named("GetOpenIDConnectProvider"), a.getOIDCProvider),
		wire.Op(wire.Named("DeleteOpenIDConnectProvider"), a.deleteOIDCProvider),
		wire.Op(wire.Named("ListOpenIDConnectProviders"), a.listOIDCProviders),
		wire.Op(wire.Named("AddClientIDToOpenIDConnectProvider"), a.addClientID),
		wire.Op(wire.Named("RemoveClientIDFromOpenIDConnectProvider"), a.removeClientID),
		wire.Op(wire.Named("UpdateOpenIDConnectProviderThumbprint"), a.updateThumbprint),
	}
}

func (a api) createOIDCProvider(ctx context.Context, in *iam.CreateOpenIDConnectProviderInput) (*iam.CreateOpenIDConnectProviderOutput, error) {
	p := &Provider{URL: aws.ToString(in.Url), Clients: in.ClientIDList, Thumbprints: in.ThumbprintList}
	if err := a.createProvider(ctx, p, tagsIn(in.Tags)); err != nil {
		return nil, err
	}
	out := &iam.CreateOpenIDConnectProviderOutput{OpenIDConnectProviderArn: aws.String(a.ProviderARN(p.URL))}
	if len(p.Tags) > 0 {
		out.Tags = tagsOut(p.Tags)
	}
	return out, nil
}

func (a api) getOIDCProvider(ctx context.Context, in *iam.GetOpenIDConnectProviderInput) (*iam.GetOpenIDConnectProviderOutput, error) {
	p, err := a.provider(ctx, aws.ToString(in.OpenIDConnectProviderArn))
	if err != nil {
		return nil, err
	}
	return &iam.GetOpenIDConnectProviderOutput{
		Url: &p.URL, ClientIDList: each(p.Clients, itself), ThumbprintList: each(p.Thumbprints, itself), CreateDate: &p.Created, Tags: tagsOut(p.Tags),
	}, nil
}

func (a api) deleteOIDCProvider(ctx context.Context, in *iam.DeleteOpenIDConnectProviderInput) (*iam.DeleteOpenIDConnectProviderOutput, error) {
	return nil, a.deleteProvider(ctx, aws.ToString(in.OpenIDConnectProviderArn))
}

func (a api) listOIDCProviders(ctx context.Context, _ *iam.ListOpenIDConnectProvidersInput) (*iam.ListOpenIDConnectProvidersOutput, error) {
	list, err := a.listProviders(ctx)
	if err != nil {
		return nil, err
	}
	return &iam.ListOpenIDConnectProvidersOutput{OpenIDConnectProviderList: each(list, func(p Provider) types.OpenIDConnectProviderListEntry {
		return types.OpenIDConnectProviderListEntry{Arn: aws.String(a.ProviderARN(p.URL))}
	})}, nil
}

// addClientID adds a client; one that is there already is fine.
func (a api) addClientID(ctx context.Context, in *iam.AddClientIDToOpenIDConnectProviderInput) (*iam.AddClientIDToOpenIDConnectProviderOutput, error) {
	return nil, a.alterProvider(ctx, aws.ToString(in.OpenIDConnectProviderArn), func(p *Provider) error {
		if client := aws.ToString(in.ClientID); !slices.Contains(p.Clients, client) {
			p.Clients = append(p.Clients, client)
		}
		return nil
	})
}

// removeClientID removes a client; one that is not there is fine.
func (a api) removeClientID(ctx context.Context, in *iam.RemoveClientIDFromOpenIDConnectProviderInput) (*iam.RemoveClientIDFromOpenIDConnectProviderOutput, error) {
	return nil, a.alterProvider(ctx, aws.ToString(in.OpenIDConnectProviderArn), func(p *Provider) error {
		p.Clients = slices.DeleteFunc(p.Clients, func(c string) bool { return c == aws.ToString(in.ClientID) })
		return nil
	})
}

func (a api) updateThumbprint(ctx context.Context, in *iam.UpdateOpenIDConnectProviderThumbprintInput) (*iam.UpdateOpenIDConnectProviderThumbprintOutput, error) {
	return nil, a.alterProvider(ctx, aws.ToString(in.OpenIDConnectProviderArn), func(p *Provider) error {
		p.Thumbprints = in.ThumbprintList
		return nil
	})
}
