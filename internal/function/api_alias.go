package function

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

func (s *Service) createAlias(ctx context.Context, in *lambda.CreateAliasInput) (*lambda.CreateAliasOutput, error) {
	version := str(in.FunctionVersion)
	a, err := s.CreateAlias(ctx, str(in.FunctionName), str(in.Name), AliasChange{
		Version: &version, Description: in.Description, Weights: weightsOf(in.RoutingConfig),
	})
	if err != nil {
		return nil, err
	}
	return as[lambda.CreateAliasOutput](s.aliasConfiguration(a)), nil
}

func (s *Service) updateAlias(ctx context.Context, in *lambda.UpdateAliasInput) (*lambda.UpdateAliasOutput, error) {
	a, err := s.UpdateAlias(ctx, str(in.FunctionName), str(in.Name), AliasChange{
		Version: in.FunctionVersion, Description: in.Description,
		Weights: weightsOf(in.RoutingConfig), Revision: str(in.RevisionId),
	})
	if err != nil {
		return nil, err
	}
	return as[lambda.UpdateAliasOutput](s.aliasConfiguration(a)), nil
}

// weightsOf keeps the difference between no routing config and an empty one.
func weightsOf(c *types.AliasRoutingConfiguration) map[string]float64 {
	switch {
	case c == nil:
		return nil
	case c.AdditionalVersionWeights == nil:
		return map[string]float64{}
	}
	return c.AdditionalVersionWeights
}

func (s *Service) getAlias(ctx context.Context, in *lambda.GetAliasInput) (*lambda.GetAliasOutput, error) {
	a, err := s.Alias(ctx, str(in.FunctionName), str(in.Name))
	if err != nil {
		return nil, err
	}
	return as[lambda.GetAliasOutput](s.aliasConfiguration(a)), nil
}

func (s *Service) deleteAlias(ctx context.Context, in *lambda.DeleteAliasInput) (*lambda.DeleteAliasOutput, error) {
	return nil, s.DeleteAlias(ctx, str(in.FunctionName), str(in.Name))
}

func (s *Service) listAliases(ctx context.Context, in *lambda.ListAliasesInput) (*lambda.ListAliasesOutput, error) {
	p, err := pageOf(in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	list, next, err := s.Aliases(ctx, str(in.FunctionName), str(in.FunctionVersion), p)
	if err != nil {
		return nil, err
	}
	return &lambda.ListAliasesOutput{Aliases: each(list, s.aliasConfiguration), NextMarker: text(next)}, nil
}

func (s *Service) aliasConfiguration(a *Alias) types.AliasConfiguration {
	c := types.AliasConfiguration{
		AliasArn: text(s.arn(a.Function, a.Name)), Name: &a.Name, Description: &a.Description,
		FunctionVersion: text(number(a.Version)), RevisionId: &a.Revision,
	}
	if a.Other > 0 {
		c.RoutingConfig = &types.AliasRoutingConfiguration{
			AdditionalVersionWeights: map[string]float64{strconv.FormatUint(a.Other, 10): a.Weight},
		}
	}
	return c
}
