package bus

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

func (a api) putEvents(ctx context.Context, in *eventbridge.PutEventsInput) (*eventbridge.PutEventsOutput, error) {
	if str(in.EndpointId) != "" {
		return nil, unsupported("EndpointId")
	}
	entries := make([]Entry, len(in.Entries))
	for i, e := range in.Entries {
		entries[i] = Entry{
			Bus: str(e.EventBusName), Source: str(e.Source), DetailType: str(e.DetailType), Detail: str(e.Detail),
			Resources: e.Resources, Time: aws.ToTime(e.Time), Trace: str(e.TraceHeader),
		}
	}
	results, err := a.PutEvents(ctx, entries)
	if err != nil {
		return nil, err
	}
	out := &eventbridge.PutEventsOutput{Entries: []types.PutEventsResultEntry{}}
	for _, r := range results {
		if r.Refused != nil {
			out.FailedEntryCount++
			out.Entries = append(out.Entries, types.PutEventsResultEntry{ErrorCode: &r.Refused.Code, ErrorMessage: &r.Refused.Message})
			continue
		}
		out.Entries = append(out.Entries, types.PutEventsResultEntry{EventId: &r.ID})
	}
	return out, nil
}

func (a api) testEventPattern(_ context.Context, in *eventbridge.TestEventPatternInput) (*eventbridge.TestEventPatternOutput, error) {
	matches, err := TestPattern(str(in.EventPattern), str(in.Event))
	return &eventbridge.TestEventPatternOutput{Result: matches}, err
}

func (a api) putRule(ctx context.Context, in *eventbridge.PutRuleInput) (*eventbridge.PutRuleOutput, error) {
	r, err := a.PutRule(ctx, str(in.EventBusName), Rule{
		Name: str(in.Name), Description: str(in.Description), Pattern: str(in.EventPattern), Schedule: str(in.ScheduleExpression),
		State: string(in.State), RoleARN: str(in.RoleArn),
	}, tagsOf(in.Tags))
	if err != nil {
		return nil, err
	}
	return &eventbridge.PutRuleOutput{RuleArn: aws.String(a.ruleARN(r.Bus, r.Name))}, nil
}

func (a api) describeRule(ctx context.Context, in *eventbridge.DescribeRuleInput) (*eventbridge.DescribeRuleOutput, error) {
	r, err := a.Rule(ctx, str(in.EventBusName), str(in.Name))
	if err != nil {
		return nil, err
	}
	return &eventbridge.DescribeRuleOutput{
		Arn: aws.String(a.ruleARN(r.Bus, r.Name)), Name: &r.Name, EventBusName: &r.Bus, Description: text(r.Description), CreatedBy: text(r.CreatedBy),
		EventPattern: text(r.Pattern), ScheduleExpression: text(r.Schedule), State: types.RuleState(r.State), RoleArn: text(r.RoleARN), ManagedBy: text(r.ManagedBy),
	}, nil
}

func (a api) enableRule(ctx context.Context, in *eventbridge.EnableRuleInput) (*eventbridge.EnableRuleOutput, error) {
	return nil, a.SetState(ctx, str(in.EventBusName), str(in.Name), Enabled)
}

func (a api) disableRule(ctx context.Context, in *eventbridge.DisableRuleInput) (*eventbridge.DisableRuleOutput, error) {
	return nil, a.SetState(ctx, str(in.EventBusName), str(in.Name), Disabled)
}

func (a api) deleteRule(ctx context.Context, in *eventbridge.DeleteRuleInput) (*eventbridge.DeleteRuleOutput, error) {
	return nil, a.DeleteRule(ctx, str(in.EventBusName), str(in.Name), in.Force)
}

func (a api) listRules(ctx context.Context, in *eventbridge.ListRulesInput) (*eventbridge.ListRulesOutput, error) {
	q, err := listing(in.NamePrefix, in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	list, token, err := a.Rules(ctx, str(in.EventBusName), q)
	out := &eventbridge.ListRulesOutput{Rules: []types.Rule{}, NextToken: text(token)}
	for _, r := range list {
		out.Rules = append(out.Rules, types.Rule{
			Arn: aws.String(a.ruleARN(r.Bus, r.Name)), Name: &r.Name, EventBusName: &r.Bus, Description: text(r.Description),
			EventPattern: text(r.Pattern), ScheduleExpression: text(r.Schedule), State: types.RuleState(r.State), RoleArn: text(r.RoleARN), ManagedBy: text(r.ManagedBy),
		})
	}
	return out, err
}

func (a api) listRuleNamesByTarget(ctx context.Context, in *eventbridge.ListRuleNamesByTargetInput) (*eventbridge.ListRuleNamesByTargetOutput, error) {
	q, err := listing(nil, in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	list, token, err := a.RulesOf(ctx, str(in.EventBusName), str(in.TargetArn), q)
	out := &eventbridge.ListRuleNamesByTargetOutput{RuleNames: []string{}, NextToken: text(token)}
	for _, r := range list {
		out.RuleNames = append(out.RuleNames, r.Name)
	}
	return out, err
}
