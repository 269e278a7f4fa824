package secret

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/page"
)

func (a api) putSecretValue(ctx context.Context, in *secretsmanager.PutSecretValueInput) (*secretsmanager.PutSecretValueOutput, error) {
	if in.RotationToken != nil {
		return nil, unsupported("RotationToken")
	}
	content, err := contentOf(in.SecretBinary, in.SecretString)
	if err == nil && content == nil {
		err = wrongState("You must provide either SecretString or SecretBinary.")
	}
	if err != nil {
		return nil, err
	}
	sec, version, err := a.Put(ctx, aws.ToString(in.SecretId), aws.ToString(in.ClientRequestToken), *content, in.VersionStages)
	if err != nil {
		return nil, err
	}
	return &secretsmanager.PutSecretValueOutput{ARN: aws.String(a.arnOf(sec)), Name: &sec.Name, VersionId: &version, VersionStages: sec.stagesOf(version)}, nil
}

func (a api) getSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput) (*secretsmanager.GetSecretValueOutput, error) {
	v, err := a.Get(ctx, aws.ToString(in.SecretId), aws.ToString(in.VersionId), aws.ToString(in.VersionStage))
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.GetSecretValueOutput{
		ARN: aws.String(a.arnOf(v.Secret)), Name: &v.Secret.Name, VersionId: &v.Version.ID,
		VersionStages: v.Secret.stagesOf(v.Version.ID), CreatedDate: &v.Version.Created,
	}
	out.SecretBinary, out.SecretString = v.Content.members()
	return out, nil
}

// maxBatch is how many secrets one request may read.
const maxBatch = 20

// batch is what a request to read many is about: the secrets' names or ARNs.
func (a api) batch(ctx context.Context, in *secretsmanager.BatchGetSecretValueInput) (ids []string, token string, err error) {
	switch {
	case len(in.SecretIdList) > 0 && len(in.Filters) > 0:
		return nil, "", invalid("Either 'SecretIdList' or 'Filters' must be provided, but not both.")
	case len(in.SecretIdList) > 0 && in.MaxResults != nil:
		return nil, "", invalid("You can't specify 'MaxResults' with 'SecretIdList'; it is for 'Filters'.")
	case len(in.SecretIdList) > maxBatch:
		return nil, "", violates(len(in.SecretIdList), "secretIdList", "Member must have length less than or equal to 20")
	case len(in.SecretIdList) > 0:
		return in.SecretIdList, "", nil
	case len(in.Filters) == 0:
		return nil, "", invalid("Either 'SecretIdList' or 'Filters' must be provided.")
	}
	n, err := limitOf(in.MaxResults, maxBatch)
	if err != nil {
		return nil, "", err
	}
	list, token, err := a.List(ctx, "BatchGetSecretValue", Query{Filters: filtersOf(in.Filters), Limit: n, Token: aws.ToString(in.NextToken)})
	for _, sec := range list {
		ids = append(ids, a.arnOf(sec))
	}
	return ids, token, err
}

func (a api) batchGetSecretValue(ctx context.Context, in *secretsmanager.BatchGetSecretValueInput) (*secretsmanager.BatchGetSecretValueOutput, error) {
	ids, token, err := a.batch(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.BatchGetSecretValueOutput{SecretValues: []types.SecretValueEntry{}, Errors: []types.APIErrorType{}, NextToken: text(token)}
	for _, id := range ids {
		v, err := a.Get(ctx, id, "", "")
		if err != nil {
			f := fault.As(err)
			if f.Status >= 500 {
				return nil, err
			}
			out.Errors = append(out.Errors, types.APIErrorType{SecretId: &id, ErrorCode: &f.Code, Message: &f.Message})
			continue
		}
		entry := types.SecretValueEntry{
			ARN: aws.String(a.arnOf(v.Secret)), Name: &v.Secret.Name, VersionId: &v.Version.ID,
			VersionStages: v.Secret.stagesOf(v.Version.ID), CreatedDate: &v.Version.Created,
		}
		entry.SecretBinary, entry.SecretString = v.Content.members()
		out.SecretValues = append(out.SecretValues, entry)
	}
	return out, nil
}

func (a api) listSecretVersionIDs(ctx context.Context, in *secretsmanager.ListSecretVersionIdsInput) (*secretsmanager.ListSecretVersionIdsOutput, error) {
	const listing = "ListSecretVersionIds"
	n, err := limitOf(in.MaxResults, 100)
	if err != nil {
		return nil, err
	}
	after, err := page.After(listing, aws.ToString(in.NextToken))
	if err != nil {
		return nil, errToken
	}
	sec, list, err := a.Versions(ctx, aws.ToString(in.SecretId), aws.ToBool(in.IncludeDeprecated))
	if err != nil {
		return nil, err
	}
	list = list[slices.IndexFunc(list, func(v *Version) bool { return v.ID == after })+1:]
	out := &secretsmanager.ListSecretVersionIdsOutput{ARN: aws.String(a.arnOf(sec)), Name: &sec.Name, Versions: []types.SecretVersionsListEntry{}}
	for _, v := range list[:min(n, len(list))] {
		key := v.KeyID
		if key == "" {
			key = "DefaultEncryptionKey"
		}
		out.Versions = append(out.Versions, types.SecretVersionsListEntry{
			VersionId: &v.ID, VersionStages: sec.stagesOf(v.ID), CreatedDate: date(v.Created), LastAccessedDate: date(v.Accessed), KmsKeyIds: []string{key},
		})
	}
	if len(list) > n {
		token := page.Token(listing, list[n-1].ID)
		out.NextToken = &token
	}
	return out, nil
}

func (a api) updateSecretVersionStage(ctx context.Context, in *secretsmanager.UpdateSecretVersionStageInput) (*secretsmanager.UpdateSecretVersionStageOutput, error) {
	sec, err := a.Stage(ctx, aws.ToString(in.SecretId), aws.ToString(in.VersionStage), aws.ToString(in.RemoveFromVersionId), aws.ToString(in.MoveToVersionId))
	if err != nil {
		return nil, err
	}
	return &secretsmanager.UpdateSecretVersionStageOutput{ARN: aws.String(a.arnOf(sec)), Name: &sec.Name}, nil
}

func (a api) getRandomPassword(_ context.Context, in *secretsmanager.GetRandomPasswordInput) (*secretsmanager.GetRandomPasswordOutput, error) {
	w := Wish{
		Length: usualPassword, Exclude: aws.ToString(in.ExcludeCharacters),
		NoLower: aws.ToBool(in.ExcludeLowercase), NoUpper: aws.ToBool(in.ExcludeUppercase),
		NoDigits: aws.ToBool(in.ExcludeNumbers), NoSymbols: aws.ToBool(in.ExcludePunctuation),
		Space: aws.ToBool(in.IncludeSpace), Any: in.RequireEachIncludedType != nil && !*in.RequireEachIncludedType,
	}
	if in.PasswordLength != nil {
		w.Length = int(max(min(*in.PasswordLength, maxPassword+1), 0))
	}
	p, err := Password(w)
	if err != nil {
		return nil, err
	}
	return &secretsmanager.GetRandomPasswordOutput{RandomPassword: &p}, nil
}
