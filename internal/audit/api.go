package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/smithy-go/traits"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/page"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// api turns the SDK's inputs into calls of the Trail, and what comes back into its
// outputs.
type api struct{ *Trail }

// API lists CloudTrail's operations.
func (t *Trail) API() wire.API {
	a := api{t}
	return wire.API{
		Service:   "cloudtrail",
		Protocols: []wire.Protocol{wire.JSON11},
		Target:    "CloudTrail_20131101",
		Traits:    wire.Traits{"DescribeTrailsOutput.TrailList": {&traits.JSONName{Name: "trailList"}}},
		Operations: []wire.Operation{
			wire.Op(wire.Named("LookupEvents"), a.lookupEvents),
			wire.Op(wire.Named("DescribeTrails"), a.describeTrails),
			wire.Op(wire.Named("ListTrails"), a.listTrails),
		},
		Access: accessTable,
	}
}

// accessTable is what each operation asks of its caller: none is about one resource.
// Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudtrail.html
var accessTable = access.Table{
	"LookupEvents":   {Action: "cloudtrail:LookupEvents"},
	"DescribeTrails": {Action: "cloudtrail:DescribeTrails"},
	"ListTrails":     {Action: "cloudtrail:ListTrails"},
}

const (
	maxLookup = 50   // results of one request
	maxValue  = 2000 // characters of an attribute's value
)

func (a api) lookupEvents(ctx context.Context, in *cloudtrail.LookupEventsInput) (*cloudtrail.LookupEventsOutput, error) {
	out := &cloudtrail.LookupEventsOutput{Events: []types.Event{}}
	s, err := lookup(in)
	if err != nil {
		return nil, err
	}
	switch in.EventCategory {
	case "":
	case types.EventCategoryInsight:
		return out, nil // nobody looks for insights here
	default:
		return nil, refuse("InvalidEventCategoryException", "The event category %.100q is not valid: only insight is.", in.EventCategory)
	}
	list, token, err := a.find(ctx, s)
	if errors.Is(err, page.ErrInvalid) {
		return nil, errToken
	}
	if err != nil {
		return nil, err
	}
	for i := range list {
		e, err := a.event(&list[i])
		if err != nil {
			return nil, err
		}
		out.Events = append(out.Events, e)
	}
	if token != "" {
		out.NextToken = &token
	}
	return out, nil
}

// lookup reads what is asked for.
func lookup(in *cloudtrail.LookupEventsInput) (s search, err error) {
	s.limit, s.token = maxLookup, aws.ToString(in.NextToken)
	if in.MaxResults != nil {
		if s.limit = int(*in.MaxResults); s.limit < 1 || s.limit > maxLookup {
			return s, errMax
		}
	}
	if len(in.LookupAttributes) > 1 {
		return s, refuse("InvalidLookupAttributesException", "Only one lookup attribute can be given.")
	}
	for _, l := range in.LookupAttributes {
		value := aws.ToString(l.AttributeValue)
		if !slices.Contains(l.AttributeKey.Values(), l.AttributeKey) {
			return s, refuse("InvalidLookupAttributesException", "The lookup attribute %.100q is not valid: it is one of %v.", l.AttributeKey, l.AttributeKey.Values())
		}
		if value == "" || len(value) > maxValue {
			return s, refuse("InvalidLookupAttributesException", "The value of a lookup attribute has 1 to %d characters.", maxValue)
		}
		s.by = attribute{string(l.AttributeKey), clean(value)}
	}
	// Events are told by the second, so the last second counts as a whole.
	if in.StartTime != nil {
		s.from = in.StartTime.Truncate(time.Second)
	}
	if in.EndTime != nil {
		s.to = in.EndTime.Truncate(time.Second).Add(time.Second)
	}
	if in.StartTime != nil && in.EndTime != nil && in.StartTime.After(*in.EndTime) {
		return s, errTimes
	}
	s.name("LookupEvents", fmt.Sprint(s.by, s.from.Unix(), s.to.Unix()))
	return s, nil
}

// event is an entry as LookupEvents gives it.
func (a api) event(e *Entry) (types.Event, error) {
	text, err := a.record(e)
	if err != nil {
		return types.Event{}, err
	}
	out := types.Event{
		EventId: &e.ID, EventName: aws.String(e.eventName()), EventSource: aws.String(sourceOf(e.Service)),
		EventTime: aws.Time(e.Time.Truncate(time.Second)), ReadOnly: aws.String(fmt.Sprint(e.ReadOnly)),
		Username: &e.Who.Name, CloudTrailEvent: &text, Resources: []types.Resource{},
	}
	if e.Who.AccessKeyID != "" {
		out.AccessKeyId = &e.Who.AccessKeyID
	}
	for _, r := range e.Resources {
		one := types.Resource{ResourceName: aws.String(r.Name)}
		if r.Type != "" {
			one.ResourceType = aws.String(r.Type)
		}
		out.Resources = append(out.Resources, one)
	}
	return out, nil
}

func (a api) describeTrails(context.Context, *cloudtrail.DescribeTrailsInput) (*cloudtrail.DescribeTrailsOutput, error) {
	return &cloudtrail.DescribeTrailsOutput{TrailList: []types.Trail{}}, nil
}

func (a api) listTrails(context.Context, *cloudtrail.ListTrailsInput) (*cloudtrail.ListTrailsOutput, error) {
	return &cloudtrail.ListTrailsOutput{Trails: []types.TrailInfo{}}, nil
}
