package secret

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

func (a api) createSecret(ctx context.Context, in *secretsmanager.CreateSecretInput) (*secretsmanager.CreateSecretOutput, error) {
	switch {
	case len(in.AddReplicaRegions) > 0:
		return nil, unsupported("AddReplicaRegions")
	case aws.ToString(in.Type) != "":
		return nil, unsupported("Type")
	}
	content, err := contentOf(in.SecretBinary, in.SecretString)
	if err != nil {
		return nil, err
	}
	sec, version, err := a.Create(ctx, Draft{
		Name: aws.ToString(in.Name), Description: aws.ToString(in.Description), KeyID: aws.ToString(in.KmsKeyId),
		Content: content, Token: aws.ToString(in.ClientRequestToken), Tags: tagsOf(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanager.CreateSecretOutput{ARN: aws.String(a.arnOf(sec)), Name: &sec.Name, VersionId: text(version)}, nil
}

func (a api) updateSecret(ctx context.Context, in *secretsmanager.UpdateSecretInput) (*secretsmanager.UpdateSecretOutput, error) {
	if aws.ToString(in.Type) != "" {
		return nil, unsupported("Type")
	}
	content, err := contentOf(in.SecretBinary, in.SecretString)
	if err != nil {
		return nil, err
	}
	sec, version, err := a.Update(ctx, aws.ToString(in.SecretId), Update{
		Description: in.Description, KeyID: in.KmsKeyId, Content: content, Token: aws.ToString(in.ClientRequestToken),
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanager.UpdateSecretOutput{ARN: aws.String(a.arnOf(sec)), Name: &sec.Name, VersionId: text(version)}, nil
}

// date is an optional time of an output.
func date(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (a api) describeSecret(ctx context.Context, in *secretsmanager.DescribeSecretInput) (*secretsmanager.DescribeSecretOutput, error) {
	sec, err := a.Secret(ctx, aws.ToString(in.SecretId))
	if err != nil {
		return nil, err
	}
	return &secretsmanager.DescribeSecretOutput{
		ARN: aws.String(a.arnOf(sec)), Name: &sec.Name, Description: text(sec.Description), KmsKeyId: text(sec.KeyID),
		CreatedDate: date(sec.Created), LastChangedDate: date(sec.Changed), LastAccessedDate: date(sec.Accessed), DeletedDate: date(sec.Deleted),
		Tags: sec.tagList(), VersionIdsToStages: sec.stagesByVersion(),
	}, nil
}

func (a api) listSecrets(ctx context.Context, in *secretsmanager.ListSecretsInput) (*secretsmanager.ListSecretsOutput, error) {
	n, err := limitOf(in.MaxResults, 100)
	switch {
	case err != nil:
		return nil, err
	case !known(in.SortBy, in.SortBy.Values()):
		return nil, violates(clip(string(in.SortBy)), "sortBy", "Member must satisfy enum value set: [created-date, last-accessed-date, last-changed-date, name]")
	case !known(in.SortOrder, in.SortOrder.Values()):
		return nil, violates(clip(string(in.SortOrder)), "sortOrder", "Member must satisfy enum value set: [asc, desc]")
	}
	list, token, err := a.List(ctx, "ListSecrets", Query{
		Filters: filtersOf(in.Filters), Deleted: aws.ToBool(in.IncludePlannedDeletion), By: string(in.SortBy),
		Rising: in.SortOrder == types.SortOrderTypeAsc, Limit: n, Token: aws.ToString(in.NextToken),
	})
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.ListSecretsOutput{SecretList: []types.SecretListEntry{}, NextToken: text(token)}
	for _, sec := range list {
		out.SecretList = append(out.SecretList, types.SecretListEntry{
			ARN: aws.String(a.arnOf(sec)), Name: &sec.Name, Description: text(sec.Description), KmsKeyId: text(sec.KeyID),
			CreatedDate: date(sec.Created), LastChangedDate: date(sec.Changed), LastAccessedDate: date(sec.Accessed), DeletedDate: date(sec.Deleted),
			Tags: sec.tagList(), SecretVersionsToStages: sec.stagesByVersion(),
		})
	}
	return out, nil
}

// known says whether a choice is one of those there are, or none.
func known[E ~string](choice E, all []E) bool {
	for _, e := range all {
		if choice == e {
			return true
		}
	}
	return choice == ""
}

func (a api) deleteSecret(ctx context.Context, in *secretsmanager.DeleteSecretInput) (*secretsmanager.DeleteSecretOutput, error) {
	if aws.ToBool(in.ForceDeleteWithoutRecovery) {
		if in.RecoveryWindowInDays != nil {
			return nil, invalid("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
		}
		return a.destroySecret(ctx, aws.ToString(in.SecretId))
	}
	var days *int
	if in.RecoveryWindowInDays != nil {
		n := int(max(min(*in.RecoveryWindowInDays, 1000), -1))
		days = &n
	}
	sec, err := a.Delete(ctx, aws.ToString(in.SecretId), days)
	if err != nil {
		return nil, err
	}
	return &secretsmanager.DeleteSecretOutput{ARN: aws.String(a.arnOf(sec)), Name: &sec.Name, DeletionDate: &sec.Deleted}, nil
}

// destroySecret succeeds for a secret that is not there too, as AWS does.
func (a api) destroySecret(ctx context.Context, ref string) (*secretsmanager.DeleteSecretOutput, error) {
	now := a.now()
	sec, err := a.Destroy(ctx, ref)
	switch {
	case err != nil:
		return nil, err
	case sec == nil:
		return &secretsmanager.DeleteSecretOutput{Name: &ref, DeletionDate: &now}, nil
	}
	return &secretsmanager.DeleteSecretOutput{ARN: aws.String(a.arnOf(sec)), Name: &sec.Name, DeletionDate: &now}, nil
}

func (a api) restoreSecret(ctx context.Context, in *secretsmanager.RestoreSecretInput) (*secretsmanager.RestoreSecretOutput, error) {
	sec, err := a.Restore(ctx, aws.ToString(in.SecretId))
	if err != nil {
		return nil, err
	}
	return &secretsmanager.RestoreSecretOutput{ARN: aws.String(a.arnOf(sec)), Name: &sec.Name}, nil
}
