package function

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

func (s *Service) addPermission(ctx context.Context, in *lambda.AddPermissionInput) (*lambda.AddPermissionOutput, error) {
	st, err := s.AddPermission(ctx, str(in.FunctionName), str(in.Qualifier), Permission{
		Sid: str(in.StatementId), Action: str(in.Action), Principal: str(in.Principal),
		SourceARN: str(in.SourceArn), SourceAccount: str(in.SourceAccount), OrgID: str(in.PrincipalOrgID),
		EventSourceToken: str(in.EventSourceToken), URLAuthType: string(in.FunctionUrlAuthType),
		ViaURL: in.InvokedViaFunctionUrl, Revision: str(in.RevisionId),
	})
	if err != nil {
		return nil, err
	}
	statement, err := st.Text()
	return &lambda.AddPermissionOutput{Statement: &statement}, err
}

func (s *Service) removePermission(ctx context.Context, in *lambda.RemovePermissionInput) (*lambda.RemovePermissionOutput, error) {
	return nil, s.RemovePermission(ctx, str(in.FunctionName), str(in.Qualifier), str(in.StatementId), str(in.RevisionId))
}

func (s *Service) getPolicy(ctx context.Context, in *lambda.GetPolicyInput) (*lambda.GetPolicyOutput, error) {
	p, err := s.Policy(ctx, str(in.FunctionName), str(in.Qualifier))
	if err != nil {
		return nil, err
	}
	doc, err := p.Document()
	return &lambda.GetPolicyOutput{Policy: &doc, RevisionId: &p.Revision}, err
}

func (s *Service) tagResource(ctx context.Context, in *lambda.TagResourceInput) (*lambda.TagResourceOutput, error) {
	return nil, s.Tag(ctx, str(in.Resource), in.Tags)
}

func (s *Service) untagResource(ctx context.Context, in *lambda.UntagResourceInput) (*lambda.UntagResourceOutput, error) {
	return nil, s.Untag(ctx, str(in.Resource), in.TagKeys)
}

func (s *Service) listTags(ctx context.Context, in *lambda.ListTagsInput) (*lambda.ListTagsOutput, error) {
	tags, err := s.Tags(ctx, str(in.Resource))
	if tags == nil {
		tags = map[string]string{}
	}
	return &lambda.ListTagsOutput{Tags: tags}, err
}

func (s *Service) putEventInvokeConfig(ctx context.Context, in *lambda.PutFunctionEventInvokeConfigInput) (*lambda.PutFunctionEventInvokeConfigOutput, error) {
	a, err := s.SetAsync(ctx, str(in.FunctionName), str(in.Qualifier), asyncOf(in.MaximumEventAgeInSeconds, in.MaximumRetryAttempts, in.DestinationConfig), false)
	if err != nil {
		return nil, err
	}
	return as[lambda.PutFunctionEventInvokeConfigOutput](s.asyncConfiguration(a)), nil
}

func (s *Service) updateEventInvokeConfig(ctx context.Context, in *lambda.UpdateFunctionEventInvokeConfigInput) (*lambda.UpdateFunctionEventInvokeConfigOutput, error) {
	a, err := s.SetAsync(ctx, str(in.FunctionName), str(in.Qualifier), asyncOf(in.MaximumEventAgeInSeconds, in.MaximumRetryAttempts, in.DestinationConfig), true)
	if err != nil {
		return nil, err
	}
	return as[lambda.UpdateFunctionEventInvokeConfigOutput](s.asyncConfiguration(a)), nil
}

func asyncOf(age, retries *int32, d *types.DestinationConfig) AsyncChange {
	c := AsyncChange{MaxAge: whole(age), MaxRetries: whole(retries)}
	if d != nil && d.OnSuccess != nil {
		c.OnSuccess = d.OnSuccess.Destination
	}
	if d != nil && d.OnFailure != nil {
		c.OnFailure = d.OnFailure.Destination
	}
	return c
}

func (s *Service) getEventInvokeConfig(ctx context.Context, in *lambda.GetFunctionEventInvokeConfigInput) (*lambda.GetFunctionEventInvokeConfigOutput, error) {
	a, err := s.Async(ctx, str(in.FunctionName), str(in.Qualifier))
	if err != nil {
		return nil, err
	}
	return as[lambda.GetFunctionEventInvokeConfigOutput](s.asyncConfiguration(a)), nil
}

func (s *Service) deleteEventInvokeConfig(ctx context.Context, in *lambda.DeleteFunctionEventInvokeConfigInput) (*lambda.DeleteFunctionEventInvokeConfigOutput, error) {
	return nil, s.DeleteAsync(ctx, str(in.FunctionName), str(in.Qualifier))
}

func (s *Service) listEventInvokeConfigs(ctx context.Context, in *lambda.ListFunctionEventInvokeConfigsInput) (*lambda.ListFunctionEventInvokeConfigsOutput, error) {
	p, err := pageOf(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	list, next, err := s.ListAsync(ctx, str(in.FunctionName), p)
	if err != nil {
		return nil, err
	}
	return &lambda.ListFunctionEventInvokeConfigsOutput{
		FunctionEventInvokeConfigs: each(list, s.asyncConfiguration), NextMarker: text(next),
	}, nil
}

func (s *Service) asyncConfiguration(a *AsyncSettings) types.FunctionEventInvokeConfig {
	c := types.FunctionEventInvokeConfig{
		FunctionArn: text(s.arn(a.Function, a.Qualifier)), LastModified: &a.Modified,
		DestinationConfig: &types.DestinationConfig{
			OnSuccess: &types.OnSuccess{Destination: text(a.OnSuccess)},
			OnFailure: &types.OnFailure{Destination: text(a.OnFailure)},
		},
	}
	if a.MaxAge != nil {
		c.MaximumEventAgeInSeconds = int32Of(*a.MaxAge)
	}
	if a.MaxRetries != nil {
		c.MaximumRetryAttempts = int32Of(*a.MaxRetries)
	}
	return c
}

func (s *Service) getAccountSettings(ctx context.Context, _ *lambda.GetAccountSettingsInput) (*lambda.GetAccountSettingsOutput, error) {
	a, err := s.Account(ctx)
	if err != nil {
		return nil, err
	}
	return &lambda.GetAccountSettingsOutput{
		AccountLimit: &types.AccountLimit{
			CodeSizeUnzipped: s.cfg.Limits.UnpackedBytes, CodeSizeZipped: s.cfg.Limits.ZippedBytes, TotalCodeSize: maxCodeStorage,
			ConcurrentExecutions: int32(a.Concurrency), UnreservedConcurrentExecutions: int32Of(a.Unreserved),
		},
		AccountUsage: &types.AccountUsage{FunctionCount: a.Functions, TotalCodeSize: a.CodeBytes},
	}, nil
}

// getCodeSigningConfig answers what AWS does for a function without one.
func (s *Service) getCodeSigningConfig(ctx context.Context, in *lambda.GetFunctionCodeSigningConfigInput) (*lambda.GetFunctionCodeSigningConfigOutput, error) {
	name, _, err := s.functionOf(ctx, str(in.FunctionName), "")
	return &lambda.GetFunctionCodeSigningConfigOutput{FunctionName: &name.Function}, err
}

func (s *Service) putRuntimeManagementConfig(ctx context.Context, in *lambda.PutRuntimeManagementConfigInput) (*lambda.PutRuntimeManagementConfigOutput, error) {
	name, err := s.SetRuntimeUpdates(ctx, str(in.FunctionName), str(in.Qualifier), RuntimeUpdate{string(in.UpdateRuntimeOn), str(in.RuntimeVersionArn)})
	if err != nil {
		return nil, err
	}
	return &lambda.PutRuntimeManagementConfigOutput{
		FunctionArn: text(s.arn(name.Function, orLatest(name.Qualifier))), UpdateRuntimeOn: in.UpdateRuntimeOn, RuntimeVersionArn: in.RuntimeVersionArn,
	}, nil
}

func (s *Service) getRuntimeManagementConfig(ctx context.Context, in *lambda.GetRuntimeManagementConfigInput) (*lambda.GetRuntimeManagementConfigOutput, error) {
	name, u, err := s.RuntimeUpdates(ctx, str(in.FunctionName), str(in.Qualifier))
	if err != nil {
		return nil, err
	}
	return &lambda.GetRuntimeManagementConfigOutput{
		FunctionArn: text(s.arn(name.Function, orLatest(name.Qualifier))), UpdateRuntimeOn: types.UpdateRuntimeOn(u.On), RuntimeVersionArn: text(u.VersionARN),
	}, nil
}

func (s *Service) putRecursionConfig(ctx context.Context, in *lambda.PutFunctionRecursionConfigInput) (*lambda.PutFunctionRecursionConfigOutput, error) {
	err := s.SetRecursion(ctx, str(in.FunctionName), string(in.RecursiveLoop))
	return &lambda.PutFunctionRecursionConfigOutput{RecursiveLoop: in.RecursiveLoop}, err
}

func (s *Service) getRecursionConfig(ctx context.Context, in *lambda.GetFunctionRecursionConfigInput) (*lambda.GetFunctionRecursionConfigOutput, error) {
	mode, err := s.Recursion(ctx, str(in.FunctionName))
	return &lambda.GetFunctionRecursionConfigOutput{RecursiveLoop: types.RecursiveLoop(mode)}, err
}

// getScalingConfig answers for a function without a capacity provider, which
// every function here is.
func (s *Service) getScalingConfig(ctx context.Context, in *lambda.GetFunctionScalingConfigInput) (*lambda.GetFunctionScalingConfigOutput, error) {
	name, _, err := s.functionOf(ctx, str(in.FunctionName), str(in.Qualifier))
	return &lambda.GetFunctionScalingConfigOutput{FunctionArn: text(s.arn(name.Function, name.Qualifier))}, err
}

// listEventSourceMappings answers the tools that look for mappings before they
// delete a function; there is no service of mappings yet.
func (s *Service) listEventSourceMappings(ctx context.Context, in *lambda.ListEventSourceMappingsInput) (*lambda.ListEventSourceMappingsOutput, error) {
	if in.FunctionName != nil {
		if _, err := s.Parse(*in.FunctionName, ""); err != nil {
			return nil, err
		}
	}
	return &lambda.ListEventSourceMappingsOutput{EventSourceMappings: []types.EventSourceMappingConfiguration{}}, nil
}
