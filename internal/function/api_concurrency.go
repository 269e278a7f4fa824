package function

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

func (s *Service) putFunctionConcurrency(ctx context.Context, in *lambda.PutFunctionConcurrencyInput) (*lambda.PutFunctionConcurrencyOutput, error) {
	n := whole(in.ReservedConcurrentExecutions)
	if n == nil {
		return nil, invalid("ReservedConcurrentExecutions is required.")
	}
	if err := s.Reserve(ctx, str(in.FunctionName), n); err != nil {
		return nil, err
	}
	return &lambda.PutFunctionConcurrencyOutput{ReservedConcurrentExecutions: in.ReservedConcurrentExecutions}, nil
}

func (s *Service) getFunctionConcurrency(ctx context.Context, in *lambda.GetFunctionConcurrencyInput) (*lambda.GetFunctionConcurrencyOutput, error) {
	n, err := s.Reserved(ctx, str(in.FunctionName))
	if err != nil || n == nil {
		return nil, err
	}
	return &lambda.GetFunctionConcurrencyOutput{ReservedConcurrentExecutions: int32Of(*n)}, nil
}

func (s *Service) deleteFunctionConcurrency(ctx context.Context, in *lambda.DeleteFunctionConcurrencyInput) (*lambda.DeleteFunctionConcurrencyOutput, error) {
	return nil, s.Reserve(ctx, str(in.FunctionName), nil)
}

func (s *Service) putProvisionedConcurrency(ctx context.Context, in *lambda.PutProvisionedConcurrencyConfigInput) (*lambda.PutProvisionedConcurrencyConfigOutput, error) {
	n := 0
	set(&n, whole(in.ProvisionedConcurrentExecutions))
	p, err := s.SetProvisioned(ctx, str(in.FunctionName), str(in.Qualifier), n)
	if err != nil {
		return nil, err
	}
	return as[lambda.PutProvisionedConcurrencyConfigOutput](s.provisionedConfiguration(p)), nil
}

func (s *Service) getProvisionedConcurrency(ctx context.Context, in *lambda.GetProvisionedConcurrencyConfigInput) (*lambda.GetProvisionedConcurrencyConfigOutput, error) {
	p, err := s.GetProvisioned(ctx, str(in.FunctionName), str(in.Qualifier))
	if err != nil {
		return nil, err
	}
	return as[lambda.GetProvisionedConcurrencyConfigOutput](s.provisionedConfiguration(p)), nil
}

func (s *Service) deleteProvisionedConcurrency(ctx context.Context, in *lambda.DeleteProvisionedConcurrencyConfigInput) (*lambda.DeleteProvisionedConcurrencyConfigOutput, error) {
	return nil, s.DeleteProvisioned(ctx, str(in.FunctionName), str(in.Qualifier))
}

func (s *Service) listProvisionedConcurrency(ctx context.Context, in *lambda.ListProvisionedConcurrencyConfigsInput) (*lambda.ListProvisionedConcurrencyConfigsOutput, error) {
	p, err := pageOf(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	list, next, err := s.ListProvisioned(ctx, str(in.FunctionName), p)
	if err != nil {
		return nil, err
	}
	return &lambda.ListProvisionedConcurrencyConfigsOutput{
		ProvisionedConcurrencyConfigs: each(list, s.provisionedConfiguration), NextMarker: text(next),
	}, nil
}

func (s *Service) provisionedConfiguration(p *ProvisionStatus) types.ProvisionedConcurrencyConfigListItem {
	return types.ProvisionedConcurrencyConfigListItem{
		FunctionArn:                              text(s.arn(p.Function, p.Qualifier)),
		RequestedProvisionedConcurrentExecutions: int32Of(p.Requested),
		AllocatedProvisionedConcurrentExecutions: int32Of(p.Allocated),
		AvailableProvisionedConcurrentExecutions: int32Of(p.Available),
		Status:                                   types.ProvisionedConcurrencyStatusEnum(p.Status),
		StatusReason:                             text(p.Reason),
		LastModified:                             text(p.Modified.Format("2006-01-02T15:04:05-0700")),
	}
}
