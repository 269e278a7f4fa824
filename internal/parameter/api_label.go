package parameter

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

func (a api) labelParameterVersion(ctx context.Context, in *ssm.LabelParameterVersionInput) (*ssm.LabelParameterVersionOutput, error) {
	bad, at, err := a.Label(ctx, aws.ToString(in.Name), aws.ToInt64(in.ParameterVersion), in.Labels)
	if err != nil {
		return nil, err
	}
	return &ssm.LabelParameterVersionOutput{InvalidLabels: bad, ParameterVersion: at}, nil
}

func (a api) unlabelParameterVersion(ctx context.Context, in *ssm.UnlabelParameterVersionInput) (*ssm.UnlabelParameterVersionOutput, error) {
	if in.ParameterVersion == nil {
		return nil, violates("null", "parameterVersion", "Member must not be null")
	}
	removed, bad, err := a.Unlabel(ctx, aws.ToString(in.Name), *in.ParameterVersion, in.Labels)
	if err != nil {
		return nil, err
	}
	return &ssm.UnlabelParameterVersionOutput{RemovedLabels: removed, InvalidLabels: bad}, nil
}

func (a api) addTagsToResource(ctx context.Context, in *ssm.AddTagsToResourceInput) (*ssm.AddTagsToResourceOutput, error) {
	if err := checkKind(in.ResourceType); err != nil {
		return nil, err
	}
	return nil, a.AddTags(ctx, aws.ToString(in.ResourceId), tagsOf(in.Tags))
}

func (a api) removeTagsFromResource(ctx context.Context, in *ssm.RemoveTagsFromResourceInput) (*ssm.RemoveTagsFromResourceOutput, error) {
	if err := checkKind(in.ResourceType); err != nil {
		return nil, err
	}
	return nil, a.RemoveTags(ctx, aws.ToString(in.ResourceId), in.TagKeys)
}

func (a api) listTagsForResource(ctx context.Context, in *ssm.ListTagsForResourceInput) (*ssm.ListTagsForResourceOutput, error) {
	if err := checkKind(in.ResourceType); err != nil {
		return nil, err
	}
	tags, err := a.Tags(ctx, aws.ToString(in.ResourceId))
	if err != nil {
		return nil, err
	}
	out := &ssm.ListTagsForResourceOutput{TagList: []types.Tag{}}
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		out.TagList = append(out.TagList, types.Tag{Key: &name, Value: aws.String(tags[name])})
	}
	return out, nil
}

func checkKind(kind types.ResourceTypeForTagging) error {
	if kind != types.ResourceTypeForTaggingParameter {
		return refuse("InvalidResourceType", "The resource type %s is not valid: Mayfly offers Parameter.", clip(string(kind)))
	}
	return nil
}
