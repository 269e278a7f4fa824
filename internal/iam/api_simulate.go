package iam

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

func (a api) simulateOps() []wire.Operation {
	return []wire.Operation{
		wire.Op(wire.Named("SimulatePrincipalPolicy"), a.simulatePrincipalPolicy),
		wire.Op(wire.Named("SimulateCustomPolicy"), a.simulateCustomPolicy),
		wire.Op(wire.Named("GetContextKeysForCustomPolicy"), a.getContextKeysForCustom),
		wire.Op(wire.Named("GetContextKeysForPrincipalPolicy"), a.getContextKeysForPrincipal),
	}
}

func (a api) simulatePrincipalPolicy(ctx context.Context, in *iam.SimulatePrincipalPolicyInput) (*iam.SimulatePrincipalPolicyOutput, error) {
	if len(in.PolicyExclusionList) > 0 {
		return nil, invalidInput("PolicyExclusionList is not supported.")
	}
	if in.PolicySourceArn == nil {
		return nil, validation("PolicySourceArn is missing.")
	}
	list, marker, err := a.outcomes(ctx, simulation{
		source: *in.PolicySourceArn, policies: in.PolicyInputList, boundary: in.PermissionsBoundaryPolicyInputList,
		resourcePolicy: aws.ToString(in.ResourcePolicy), actions: in.ActionNames, resources: in.ResourceArns,
		caller: aws.ToString(in.CallerArn), resourceOwner: aws.ToString(in.ResourceOwner), keys: contextIn(in.ContextEntries),
	}, windowOf(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	return &iam.SimulatePrincipalPolicyOutput{EvaluationResults: list, IsTruncated: marker != "", Marker: optional(marker)}, nil
}

func (a api) simulateCustomPolicy(ctx context.Context, in *iam.SimulateCustomPolicyInput) (*iam.SimulateCustomPolicyOutput, error) {
	if len(in.OrderedOrganizationPolicyInputList) > 0 {
		return nil, invalidInput("OrderedOrganizationPolicyInputList is not supported: there are no organizations.")
	}
	list, marker, err := a.outcomes(ctx, simulation{
		policies: in.PolicyInputList, boundary: in.PermissionsBoundaryPolicyInputList, resourcePolicy: aws.ToString(in.ResourcePolicy),
		actions: in.ActionNames, resources: in.ResourceArns, caller: aws.ToString(in.CallerArn),
		resourceOwner: aws.ToString(in.ResourceOwner), keys: contextIn(in.ContextEntries),
	}, windowOf(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	return &iam.SimulateCustomPolicyOutput{EvaluationResults: list, IsTruncated: marker != "", Marker: optional(marker)}, nil
}

func contextIn(entries []types.ContextEntry) []conditionKey {
	return each(entries, func(e types.ContextEntry) conditionKey {
		return conditionKey{aws.ToString(e.ContextKeyName), e.ContextKeyValues}
	})
}

// outcomes answers a simulation, a window of it at a time.
func (a api) outcomes(ctx context.Context, q simulation, w window) ([]types.EvaluationResult, string, error) {
	list, err := a.simulate(ctx, q)
	if err != nil {
		return nil, "", err
	}
	type numbered struct {
		outcome
		n int
	}
	var all []numbered
	for n, o := range list {
		all = append(all, numbered{o, n})
	}
	part, marker, err := paged("simulation", all, func(x numbered) string { return fmt.Sprintf("%06d", x.n) }, w)
	if err != nil {
		return nil, "", err
	}
	return each(part, func(x numbered) types.EvaluationResult { return outcomeOut(q, x.outcome) }), marker, nil
}

func outcomeOut(q simulation, o outcome) types.EvaluationResult {
	decision := types.PolicyEvaluationDecisionTypeImplicitDeny
	switch {
	case o.decision.Allowed:
		decision = types.PolicyEvaluationDecisionTypeAllowed
	case o.decision.Explicit:
		decision = types.PolicyEvaluationDecisionTypeExplicitDeny
	}
	matched := each(o.matched, func(s policy.Source) types.Statement {
		return types.Statement{SourcePolicyId: &s.Policy, SourcePolicyType: types.PolicySourceType(sourceType(q, s.Policy))}
	})
	out := types.EvaluationResult{
		EvalActionName: &o.action, EvalResourceName: &o.resource, EvalDecision: decision,
		MatchedStatements: matched, MissingContextValues: []string{},
	}
	if o.boundary {
		out.PermissionsBoundaryDecisionDetail = &types.PermissionsBoundaryDecisionDetail{
			AllowedByPermissionsBoundary: o.decision.Allowed || o.decision.By.Kind != policy.Boundary,
		}
	}
	if len(q.resources) > 0 {
		out.ResourceSpecificResults = []types.ResourceSpecificResult{{
			EvalResourceName: &o.resource, EvalResourceDecision: decision, MatchedStatements: matched, MissingContextValues: []string{},
			PermissionsBoundaryDecisionDetail: out.PermissionsBoundaryDecisionDetail,
		}}
	}
	return out
}

func (a api) getContextKeysForCustom(_ context.Context, in *iam.GetContextKeysForCustomPolicyInput) (*iam.GetContextKeysForCustomPolicyOutput, error) {
	keys, err := contextKeys(in.PolicyInputList)
	return &iam.GetContextKeysForCustomPolicyOutput{ContextKeyNames: each(keys, itself)}, err
}

func (a api) getContextKeysForPrincipal(ctx context.Context, in *iam.GetContextKeysForPrincipalPolicyInput) (*iam.GetContextKeysForPrincipalPolicyOutput, error) {
	docs, err := a.documentsOf(ctx, aws.ToString(in.PolicySourceArn))
	if err != nil {
		return nil, err
	}
	keys, err := contextKeys(append(docs, in.PolicyInputList...))
	return &iam.GetContextKeysForPrincipalPolicyOutput{ContextKeyNames: each(keys, itself)}, err
}
