package parameter

import (
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/page"
)

// maxNames is how many parameters one request may name.
const maxNames = 10

func (a api) putParameter(ctx context.Context, in *ssm.PutParameterInput) (*ssm.PutParameterOutput, error) {
	if p := aws.ToString(in.Policies); p != "" && p != "[]" {
		return nil, refuse("InvalidPolicyTypeException", "Policies of parameters (expiration and notifications) are not offered by Mayfly.")
	}
	facts, err := a.Put(ctx, Draft{
		Name: aws.ToString(in.Name), Value: aws.ToString(in.Value), Description: aws.ToString(in.Description), Kind: Kind(in.Type),
		KeyID: aws.ToString(in.KeyId), AllowedPattern: aws.ToString(in.AllowedPattern), DataType: aws.ToString(in.DataType),
		Tier: Tier(in.Tier), Tags: tagsOf(in.Tags), Overwrite: aws.ToBool(in.Overwrite),
	})
	if err != nil {
		return nil, err
	}
	return &ssm.PutParameterOutput{Version: facts.Version, Tier: types.ParameterTier(facts.Tier)}, nil
}

func (a api) getParameter(ctx context.Context, in *ssm.GetParameterInput) (*ssm.GetParameterOutput, error) {
	v, err := a.Get(ctx, aws.ToString(in.Name), aws.ToBool(in.WithDecryption))
	if err != nil {
		return nil, err
	}
	p := a.parameter(v)
	return &ssm.GetParameterOutput{Parameter: &p}, nil
}

func (a api) parameter(v *Value) types.Parameter {
	return types.Parameter{
		Name: &v.Name, ARN: aws.String(a.arn(v.Path)), Type: types.ParameterType(v.Kind), Value: &v.Text, Version: v.Facts.Version,
		DataType: &v.Facts.DataType, LastModifiedDate: &v.Facts.Modified, Selector: text(v.Selector),
	}
}

func (a api) getParameters(ctx context.Context, in *ssm.GetParametersInput) (*ssm.GetParametersOutput, error) {
	if err := checkNames(in.Names); err != nil {
		return nil, err
	}
	out := &ssm.GetParametersOutput{Parameters: []types.Parameter{}, InvalidParameters: []string{}}
	for _, name := range in.Names {
		v, err := a.Get(ctx, name, aws.ToBool(in.WithDecryption))
		switch {
		case err == nil:
			out.Parameters = append(out.Parameters, a.parameter(v))
		case isNoSuch(err):
			out.InvalidParameters = append(out.InvalidParameters, name)
		default:
			return nil, err
		}
	}
	return out, nil
}

// isNoSuch says whether an error is that there is no such parameter or version.
func isNoSuch(err error) bool {
	return fault.Is(err, "ParameterNotFound") || fault.Is(err, "ParameterVersionNotFound")
}

func checkNames(names []string) error {
	if n := len(names); n < 1 || n > maxNames {
		return violates(n, "names", "Member must have length between 1 and 10")
	}
	sorted := slices.Sorted(slices.Values(names))
	if len(slices.Compact(sorted)) < len(names) {
		return invalid("Duplicate parameters are not allowed in a request.")
	}
	return nil
}

func (a api) getParametersByPath(ctx context.Context, in *ssm.GetParametersByPathInput) (*ssm.GetParametersByPathOutput, error) {
	q, err := pathQuery(in)
	if err != nil {
		return nil, err
	}
	list, token, err := a.ByPath(ctx, aws.ToString(in.Path), aws.ToBool(in.Recursive), aws.ToBool(in.WithDecryption), q)
	if err != nil {
		return nil, err
	}
	out := &ssm.GetParametersByPathOutput{Parameters: []types.Parameter{}, NextToken: text(token)}
	for _, v := range list {
		out.Parameters = append(out.Parameters, a.parameter(v))
	}
	return out, nil
}

func pathQuery(in *ssm.GetParametersByPathInput) (Query, error) {
	n, err := limitOf(in.MaxResults, 10)
	return Query{Filters: filtersOf(in.ParameterFilters), Limit: n, Token: aws.ToString(in.NextToken)}, err
}

func (a api) getParameterHistory(ctx context.Context, in *ssm.GetParameterHistoryInput) (*ssm.GetParameterHistoryOutput, error) {
	n, after, err := historyQuery(in)
	if err != nil {
		return nil, err
	}
	list, more, err := a.History(ctx, aws.ToString(in.Name), after, n, aws.ToBool(in.WithDecryption))
	if err != nil {
		return nil, err
	}
	out := &ssm.GetParameterHistoryOutput{Parameters: []types.ParameterHistory{}}
	for _, v := range list {
		f := v.Facts
		out.Parameters = append(out.Parameters, types.ParameterHistory{
			Name: &v.Name, Type: types.ParameterType(v.Kind), Value: &v.Text, Version: f.Version, Labels: v.labelsOf(f.Version),
			Tier: types.ParameterTier(f.Tier), DataType: &f.DataType, Description: text(f.Description), AllowedPattern: text(f.AllowedPattern),
			KeyId: text(f.KeyID), LastModifiedDate: &f.Modified, LastModifiedUser: text(f.User), Policies: []types.ParameterInlinePolicy{},
		})
		after = f.Version
	}
	if more {
		token := page.Token(history, strconv.FormatInt(after, 10))
		out.NextToken = &token
	}
	return out, nil
}

const history = "GetParameterHistory"

func historyQuery(in *ssm.GetParameterHistoryInput) (n int, after int64, err error) {
	if n, err = limitOf(in.MaxResults, 50); err != nil {
		return 0, 0, err
	}
	if token := aws.ToString(in.NextToken); token != "" {
		key, err := page.After(history, token)
		if err != nil {
			return 0, 0, errToken
		}
		if after, err = strconv.ParseInt(key, 10, 64); err != nil {
			return 0, 0, errToken
		}
	}
	return n, after, nil
}

func (a api) describeParameters(ctx context.Context, in *ssm.DescribeParametersInput) (*ssm.DescribeParametersOutput, error) {
	n, err := limitOf(in.MaxResults, 50)
	switch {
	case err != nil:
		return nil, err
	case len(in.Filters) > 0 && len(in.ParameterFilters) > 0:
		return nil, invalid("You can use either Filters or ParameterFilters in a single request.")
	}
	q := Query{Filters: filtersOf(in.ParameterFilters), Limit: n, Token: aws.ToString(in.NextToken)}
	for _, f := range in.Filters { // the older form, which compares beginnings
		q.Filters = append(q.Filters, Filter{string(f.Key), "BeginsWith", f.Values})
	}
	out := &ssm.DescribeParametersOutput{Parameters: []types.ParameterMetadata{}}
	if aws.ToBool(in.Shared) {
		return out, nil // nothing is shared with this account
	}
	list, token, err := a.List(ctx, q)
	if err != nil {
		return nil, err
	}
	out.NextToken = text(token)
	for _, p := range list {
		f := p.Newest
		out.Parameters = append(out.Parameters, types.ParameterMetadata{
			Name: &p.Name, ARN: aws.String(a.arn(p.Path)), Type: types.ParameterType(p.Kind), Version: f.Version,
			Tier: types.ParameterTier(f.Tier), DataType: &f.DataType, Description: text(f.Description), AllowedPattern: text(f.AllowedPattern),
			KeyId: text(f.KeyID), LastModifiedDate: &f.Modified, LastModifiedUser: text(f.User), Policies: []types.ParameterInlinePolicy{},
		})
	}
	return out, nil
}

func (a api) deleteParameter(ctx context.Context, in *ssm.DeleteParameterInput) (*ssm.DeleteParameterOutput, error) {
	return nil, a.Delete(ctx, aws.ToString(in.Name))
}

func (a api) deleteParameters(ctx context.Context, in *ssm.DeleteParametersInput) (*ssm.DeleteParametersOutput, error) {
	if err := checkNames(in.Names); err != nil {
		return nil, err
	}
	out := &ssm.DeleteParametersOutput{DeletedParameters: []string{}, InvalidParameters: []string{}}
	for _, name := range in.Names {
		switch err := a.Delete(ctx, name); {
		case err == nil:
			out.DeletedParameters = append(out.DeletedParameters, name)
		case isNoSuch(err):
			out.InvalidParameters = append(out.InvalidParameters, name)
		default:
			return nil, err
		}
	}
	return out, nil
}
