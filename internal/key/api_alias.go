package key

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

func (a api) createAlias(ctx context.Context, in *kms.CreateAliasInput) (*kms.CreateAliasOutput, error) {
	return nil, a.CreateAlias(ctx, aws.ToString(in.AliasName), aws.ToString(in.TargetKeyId))
}

func (a api) updateAlias(ctx context.Context, in *kms.UpdateAliasInput) (*kms.UpdateAliasOutput, error) {
	return nil, a.UpdateAlias(ctx, aws.ToString(in.AliasName), aws.ToString(in.TargetKeyId))
}

func (a api) deleteAlias(ctx context.Context, in *kms.DeleteAliasInput) (*kms.DeleteAliasOutput, error) {
	return nil, a.DeleteAlias(ctx, aws.ToString(in.AliasName))
}

func (a api) listAliases(ctx context.Context, in *kms.ListAliasesInput) (*kms.ListAliasesOutput, error) {
	n, after, err := pageOf("ListAliases", in.Limit, in.Marker)
	if err != nil {
		return nil, err
	}
	list, more, err := a.ListAliases(ctx, aws.ToString(in.KeyId), after, n)
	if err != nil {
		return nil, err
	}
	out := &kms.ListAliasesOutput{Aliases: []types.AliasListEntry{}, Truncated: more}
	last := ""
	for _, al := range list {
		entry := types.AliasListEntry{AliasName: &al.Name, AliasArn: aws.String(a.arn(al.Name))}
		if al.Key != "" {
			entry.TargetKeyId, entry.CreationDate, entry.LastUpdatedDate = &al.Key, &al.Created, &al.Updated
		}
		out.Aliases = append(out.Aliases, entry)
		last = al.Name
	}
	out.NextMarker = next("ListAliases", last, more)
	return out, nil
}
