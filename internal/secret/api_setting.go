package secret

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

func (a api) tagResource(ctx context.Context, in *secretsmanager.TagResourceInput) (*secretsmanager.TagResourceOutput, error) {
	return nil, a.AddTags(ctx, aws.ToString(in.SecretId), tagsOf(in.Tags))
}

func (a api) untagResource(ctx context.Context, in *secretsmanager.UntagResourceInput) (*secretsmanager.UntagResourceOutput, error) {
	return nil, a.RemoveTags(ctx, aws.ToString(in.SecretId), in.TagKeys)
}

func (a api) getResourcePolicy(ctx context.Context, in *secretsmanager.GetResourcePolicyInput) (*secretsmanager.GetResourcePolicyOutput, error) {
	var sec *Secret
	err := a.cfg.Store.View(ctx, func(r store.Reader) (err error) {
		sec, err = a.living(r, aws.ToString(in.SecretId))
		return err
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanager.GetResourcePolicyOutput{ARN: aws.String(a.arnOf(sec)), Name: &sec.Name, ResourcePolicy: text(sec.Policy)}, nil
}

func (a api) putResourcePolicy(ctx context.Context, in *secretsmanager.PutResourcePolicyInput) (*secretsmanager.PutResourcePolicyOutput, error) {
	sec, err := a.SetPolicy(ctx, aws.ToString(in.SecretId), aws.ToString(in.ResourcePolicy), aws.ToBool(in.BlockPublicPolicy))
	if err != nil {
		return nil, err
	}
	return &secretsmanager.PutResourcePolicyOutput{ARN: aws.String(a.arnOf(sec)), Name: &sec.Name}, nil
}

func (a api) deleteResourcePolicy(ctx context.Context, in *secretsmanager.DeleteResourcePolicyInput) (*secretsmanager.DeleteResourcePolicyOutput, error) {
	sec, err := a.RemovePolicy(ctx, aws.ToString(in.SecretId))
	if err != nil {
		return nil, err
	}
	return &secretsmanager.DeleteResourcePolicyOutput{ARN: aws.String(a.arnOf(sec)), Name: &sec.Name}, nil
}

func (a api) validateResourcePolicy(ctx context.Context, in *secretsmanager.ValidateResourcePolicyInput) (*secretsmanager.ValidateResourcePolicyOutput, error) {
	findings, err := a.ValidatePolicy(ctx, aws.ToString(in.SecretId), aws.ToString(in.ResourcePolicy))
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.ValidateResourcePolicyOutput{PolicyValidationPassed: len(findings) == 0, ValidationErrors: []types.ValidationErrorsEntry{}}
	for _, f := range findings {
		out.ValidationErrors = append(out.ValidationErrors, types.ValidationErrorsEntry{CheckName: &f.Check, ErrorMessage: &f.Message})
	}
	return out, nil
}
