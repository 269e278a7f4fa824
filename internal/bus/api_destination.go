package bus

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

func (a api) createAPIDestination(ctx context.Context, in *eventbridge.CreateApiDestinationInput) (*eventbridge.CreateApiDestinationOutput, error) {
	d, err := a.CreateDestination(ctx, Destination{
		Name: str(in.Name), Description: str(in.Description), ConnectionARN: str(in.ConnectionArn), Endpoint: str(in.InvocationEndpoint),
		Method: string(in.HttpMethod), Rate: int(aws.ToInt32(in.InvocationRateLimitPerSecond)),
	})
	if err != nil {
		return nil, err
	}
	return &eventbridge.CreateApiDestinationOutput{
		ApiDestinationArn: aws.String(a.destinationARN(d)), ApiDestinationState: types.ApiDestinationStateActive, CreationTime: &d.Created, LastModifiedTime: &d.Changed,
	}, nil
}

func (a api) describeAPIDestination(ctx context.Context, in *eventbridge.DescribeApiDestinationInput) (*eventbridge.DescribeApiDestinationOutput, error) {
	d, err := a.Destination(ctx, str(in.Name))
	if err != nil {
		return nil, err
	}
	return &eventbridge.DescribeApiDestinationOutput{
		ApiDestinationArn: aws.String(a.destinationARN(d)), Name: &d.Name, Description: text(d.Description), ConnectionArn: &d.ConnectionARN,
		InvocationEndpoint: &d.Endpoint, HttpMethod: types.ApiDestinationHttpMethod(d.Method), InvocationRateLimitPerSecond: aws.Int32(int32(d.Rate)),
		ApiDestinationState: types.ApiDestinationStateActive, CreationTime: &d.Created, LastModifiedTime: &d.Changed,
	}, nil
}

func (a api) updateAPIDestination(ctx context.Context, in *eventbridge.UpdateApiDestinationInput) (*eventbridge.UpdateApiDestinationOutput, error) {
	d, err := a.UpdateDestination(ctx, str(in.Name), func(d *Destination) {
		set(&d.Description, in.Description)
		set(&d.ConnectionARN, in.ConnectionArn)
		set(&d.Endpoint, in.InvocationEndpoint)
		set(&d.Rate, number(in.InvocationRateLimitPerSecond))
		if in.HttpMethod != "" {
			d.Method = string(in.HttpMethod)
		}
	})
	if err != nil {
		return nil, err
	}
	return &eventbridge.UpdateApiDestinationOutput{
		ApiDestinationArn: aws.String(a.destinationARN(d)), ApiDestinationState: types.ApiDestinationStateActive, CreationTime: &d.Created, LastModifiedTime: &d.Changed,
	}, nil
}

func (a api) deleteAPIDestination(ctx context.Context, in *eventbridge.DeleteApiDestinationInput) (*eventbridge.DeleteApiDestinationOutput, error) {
	return nil, a.DeleteDestination(ctx, str(in.Name))
}

func (a api) listAPIDestinations(ctx context.Context, in *eventbridge.ListApiDestinationsInput) (*eventbridge.ListApiDestinationsOutput, error) {
	q, err := listing(in.NamePrefix, in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	list, token, err := a.Destinations(ctx, str(in.ConnectionArn), q)
	out := &eventbridge.ListApiDestinationsOutput{ApiDestinations: []types.ApiDestination{}, NextToken: text(token)}
	for _, d := range list {
		out.ApiDestinations = append(out.ApiDestinations, types.ApiDestination{
			ApiDestinationArn: aws.String(a.destinationARN(d)), Name: &d.Name, ConnectionArn: &d.ConnectionARN, InvocationEndpoint: &d.Endpoint,
			HttpMethod: types.ApiDestinationHttpMethod(d.Method), InvocationRateLimitPerSecond: aws.Int32(int32(d.Rate)),
			ApiDestinationState: types.ApiDestinationStateActive, CreationTime: &d.Created, LastModifiedTime: &d.Changed,
		})
	}
	return out, err
}
