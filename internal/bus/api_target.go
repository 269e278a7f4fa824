package bus

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/mayfly-cloud/mayfly/internal/page"
)

func (a api) putTargets(ctx context.Context, in *eventbridge.PutTargetsInput) (*eventbridge.PutTargetsOutput, error) {
	targets := make([]Target, len(in.Targets))
	for i := range in.Targets {
		var err error
		if targets[i], err = targetOf(&in.Targets[i]); err != nil {
			return nil, err
		}
	}
	if err := a.PutTargets(ctx, str(in.EventBusName), str(in.Rule), targets); err != nil {
		return nil, err
	}
	return &eventbridge.PutTargetsOutput{FailedEntries: []types.PutTargetsResultEntry{}}, nil
}

// targetOf reads a target, and refuses parameters of services that are not here.
func targetOf(in *types.Target) (t Target, err error) {
	for name, given := range map[string]bool{
		"AppSyncParameters": in.AppSyncParameters != nil, "BatchParameters": in.BatchParameters != nil, "EcsParameters": in.EcsParameters != nil,
		"KinesisParameters": in.KinesisParameters != nil, "RedshiftDataParameters": in.RedshiftDataParameters != nil,
		"RunCommandParameters": in.RunCommandParameters != nil, "SageMakerPipelineParameters": in.SageMakerPipelineParameters != nil,
	} {
		if given {
			return t, unsupported(name)
		}
	}
	t = Target{
		ID: str(in.Id), ARN: str(in.Arn), RoleARN: str(in.RoleArn), Input: str(in.Input), InputPath: str(in.InputPath),
		DeadLetter: queueOf(in.DeadLetterConfig),
	}
	if x := in.InputTransformer; x != nil {
		if t.Template, t.Paths = str(x.InputTemplate), x.InputPathsMap; t.Template == "" {
			return t, violates("", "inputTransformer.inputTemplate", "Member must have length greater than or equal to 1")
		}
	}
	if in.SqsParameters != nil {
		t.Group = str(in.SqsParameters.MessageGroupId)
	}
	if h := in.HttpParameters; h != nil {
		t.HTTP = &HTTPParameters{PathValues: h.PathParameterValues, Header: h.HeaderParameters, Query: h.QueryStringParameters}
	}
	if p := in.RetryPolicy; p != nil {
		t.MaxAttempts, t.MaxAge = number(p.MaximumRetryAttempts), number(p.MaximumEventAgeInSeconds)
	}
	return t, nil
}

func number(n *int32) *int {
	if n == nil {
		return nil
	}
	return aws.Int(int(*n))
}

func number32(n *int) *int32 {
	if n == nil {
		return nil
	}
	return aws.Int32(int32(*n))
}

// out is a target as it is given back.
func (t *Target) out() types.Target {
	o := types.Target{
		Id: &t.ID, Arn: &t.ARN, RoleArn: text(t.RoleARN), Input: text(t.Input), InputPath: text(t.InputPath), DeadLetterConfig: deadLetter(t.DeadLetter),
	}
	if t.Template != "" {
		o.InputTransformer = &types.InputTransformer{InputTemplate: &t.Template, InputPathsMap: t.Paths}
	}
	if t.Group != "" {
		o.SqsParameters = &types.SqsParameters{MessageGroupId: &t.Group}
	}
	if h := t.HTTP; h != nil {
		o.HttpParameters = &types.HttpParameters{PathParameterValues: h.PathValues, HeaderParameters: h.Header, QueryStringParameters: h.Query}
	}
	if t.MaxAttempts != nil || t.MaxAge != nil {
		o.RetryPolicy = &types.RetryPolicy{MaximumRetryAttempts: number32(t.MaxAttempts), MaximumEventAgeInSeconds: number32(t.MaxAge)}
	}
	return o
}

func (a api) removeTargets(ctx context.Context, in *eventbridge.RemoveTargetsInput) (*eventbridge.RemoveTargetsOutput, error) {
	failed, err := a.RemoveTargets(ctx, str(in.EventBusName), str(in.Rule), in.Ids, in.Force)
	if err != nil {
		return nil, err
	}
	out := &eventbridge.RemoveTargetsOutput{FailedEntries: []types.RemoveTargetsResultEntry{}, FailedEntryCount: int32(len(failed))}
	for _, id := range slices.Sorted(maps.Keys(failed)) {
		out.FailedEntries = append(out.FailedEntries, types.RemoveTargetsResultEntry{TargetId: &id, ErrorCode: &failed[id].Code, ErrorMessage: &failed[id].Message})
	}
	return out, nil
}

func (a api) listTargetsByRule(ctx context.Context, in *eventbridge.ListTargetsByRuleInput) (*eventbridge.ListTargetsByRuleOutput, error) {
	q, err := listing(nil, in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	r, err := a.Rule(ctx, str(in.EventBusName), str(in.Rule))
	if err != nil {
		return nil, err
	}
	name := "ListTargetsByRule " + r.Bus + " " + r.Name
	after, err := page.After(name, q.Token)
	if err != nil {
		return nil, errToken
	}
	slices.SortFunc(r.Targets, func(x, y Target) int { return strings.Compare(x.ID, y.ID) })
	out := &eventbridge.ListTargetsByRuleOutput{Targets: []types.Target{}}
	for i := range r.Targets {
		switch t := &r.Targets[i]; {
		case t.ID <= after:
		case len(out.Targets) == q.Limit:
			out.NextToken = aws.String(page.Token(name, *out.Targets[q.Limit-1].Id))
			return out, nil
		default:
			out.Targets = append(out.Targets, t.out())
		}
	}
	return out, nil
}
