package parameter

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/schemas"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// api turns the SDK's inputs into calls of the Service, and what comes back into
// its outputs.
type api struct{ *Service }

// API lists Systems Manager's operations: those served, which are Parameter Store's,
// and those AWS has and this node has not, whose callers are told so.
func (s *Service) API() wire.API {
	a := api{s}
	return wire.API{
		Service:   "ssm",
		Protocols: []wire.Protocol{wire.JSON11},
		Target:    "AmazonSSM",
		Errors:    ssm.TypeRegistry,
		Access:    a.access(),
		Absent:    absent,
		Operations: []wire.Operation{
			wire.Op(schemas.PutParameter, a.putParameter),
			wire.Op(schemas.GetParameter, a.getParameter),
			wire.Op(schemas.GetParameters, a.getParameters),
			wire.Op(schemas.GetParametersByPath, a.getParametersByPath),
			wire.Op(schemas.GetParameterHistory, a.getParameterHistory),
			wire.Op(schemas.DescribeParameters, a.describeParameters),
			wire.Op(schemas.DeleteParameter, a.deleteParameter),
			wire.Op(schemas.DeleteParameters, a.deleteParameters),
			wire.Op(schemas.LabelParameterVersion, a.labelParameterVersion),
			wire.Op(schemas.UnlabelParameterVersion, a.unlabelParameterVersion),
			wire.Op(schemas.AddTagsToResource, a.addTagsToResource),
			wire.Op(schemas.RemoveTagsFromResource, a.removeTagsFromResource),
			wire.Op(schemas.ListTagsForResource, a.listTagsForResource),
		},
	}
}

// text makes an optional text of an output: nil for an empty one.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// limitOf checks the number of items asked for; absent is the most.
func limitOf(n *int32, most int) (int, error) {
	if n == nil {
		return most, nil
	}
	if *n < 1 || int(*n) > most {
		return 0, invalid("1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: Member must have value between 1 and %d", *n, most)
	}
	return int(*n), nil
}

func tagsOf(list []types.Tag) []Tag {
	tags := make([]Tag, len(list))
	for i, t := range list {
		tags[i] = Tag{aws.ToString(t.Key), aws.ToString(t.Value)}
	}
	return tags
}

func filtersOf(list []types.ParameterStringFilter) []Filter {
	filters := make([]Filter, len(list))
	for i, f := range list {
		filters[i] = Filter{aws.ToString(f.Key), aws.ToString(f.Option), f.Values}
	}
	return filters
}
