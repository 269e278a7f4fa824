package bus

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/arn"
)

// access is what each operation needs.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html
func (a api) access() access.Table {
	t := access.Table{
		"PutEvents":  {Action: "events:PutEvents", Resources: a.ofEntries, Keys: entryConditions},
		"PutRule":    {Action: "events:PutRule", Resources: a.ofRule("Name"), Keys: a.putRuleConditions, Also: a.putRuleToo},
		"PutTargets": {Action: "events:PutTargets", Resources: a.ofRule("Rule"), Keys: a.targetConditions, Also: passRoles},
	}
	for operation, resources := range map[string]func(context.Context, any) []string{
		"CreateEventBus": a.ofBus("Name"), "DescribeEventBus": a.ofBus("Name"), "UpdateEventBus": a.ofBus("Name"), "DeleteEventBus": a.ofBus("Name"),
		"PutPermission": a.ofBus("EventBusName"), "RemovePermission": a.ofBus("EventBusName"),
		"DescribeRule": a.ofRule("Name"), "EnableRule": a.ofRule("Name"), "DisableRule": a.ofRule("Name"), "DeleteRule": a.ofRule("Name"),
		"RemoveTargets": a.ofRule("Rule"), "ListTargetsByRule": a.ofRule("Rule"),
		"TagResource": ofARN, "UntagResource": ofARN, "ListTagsForResource": ofARN,
		"CreateArchive": a.ofNamed("archive/", "ArchiveName"), "DescribeArchive": a.ofNamed("archive/", "ArchiveName"),
		"UpdateArchive": a.ofNamed("archive/", "ArchiveName"), "DeleteArchive": a.ofNamed("archive/", "ArchiveName"),
		"StartReplay": a.ofNamed("replay/", "ReplayName"), "DescribeReplay": a.ofNamed("replay/", "ReplayName"), "CancelReplay": a.ofNamed("replay/", "ReplayName"),
		"CreateConnection": a.ofConnection, "DescribeConnection": a.ofConnection, "UpdateConnection": a.ofConnection,
		"DeauthorizeConnection": a.ofConnection, "DeleteConnection": a.ofConnection,
		"CreateApiDestination": a.ofDestination, "DescribeApiDestination": a.ofDestination, "UpdateApiDestination": a.ofDestination, "DeleteApiDestination": a.ofDestination,
		"ListEventBuses": nil, "ListRules": nil, "ListRuleNamesByTarget": nil, "TestEventPattern": nil,
		"ListArchives": nil, "ListReplays": nil, "ListConnections": nil, "ListApiDestinations": nil,
	} {
		t[operation] = access.Rule{Action: "events:" + operation, Resources: resources, Keys: a.conditions(resources)}
	}
	return t
}

// busOf is the ARN of the bus that a reference means.
func (a api) busOf(ref string) string {
	switch {
	case ref == "":
		return a.busARN(defaultBus)
	case arn.Is(ref):
		return ref
	}
	return a.busARN(ref)
}

func (a api) ofBus(member string) func(context.Context, any) []string {
	return func(_ context.Context, in any) []string { return []string{a.busOf(access.Text(in, member))} }
}

func (a api) ofNamed(prefix, member string) func(context.Context, any) []string {
	return func(_ context.Context, in any) []string { return []string{a.arn(prefix + access.Text(in, member))} }
}

func (a api) ofRule(member string) func(context.Context, any) []string {
	return func(_ context.Context, in any) []string {
		bus, err := a.bus(access.Text(in, "EventBusName"))
		if err != nil {
			bus = access.Text(in, "EventBusName") // refused by the operation
		}
		return []string{a.ruleARN(bus, access.Text(in, member))}
	}
}

func ofARN(_ context.Context, in any) []string { return []string{access.Text(in, "ResourceARN")} }

// ofConnection is a connection's ARN, with any id where it is not there.
func (a api) ofConnection(ctx context.Context, in any) []string {
	name := access.Text(in, "Name")
	if c, _, err := a.Connection(ctx, name); err == nil {
		return []string{a.connectionARN(c)}
	}
	return []string{a.arn("connection/" + name + "/*")}
}

func (a api) ofDestination(ctx context.Context, in any) []string {
	name := access.Text(in, "Name")
	if d, err := a.Destination(ctx, name); err == nil {
		return []string{a.destinationARN(d)}
	}
	return []string{a.arn("api-destination/" + name + "/*")}
}

// ofEntries are the buses that events are put on.
func (a api) ofEntries(_ context.Context, in any) (list []string) {
	seen := map[string]bool{}
	for _, e := range in.(*eventbridge.PutEventsInput).Entries {
		if ref := a.busOf(str(e.EventBusName)); !seen[ref] {
			seen[ref] = true
			list = append(list, ref)
		}
	}
	if list == nil {
		return []string{a.busARN(defaultBus)}
	}
	return list
}

func entryConditions(_ context.Context, in any) access.Keys {
	keys := access.Keys{}
	for _, e := range in.(*eventbridge.PutEventsInput).Entries {
		add(keys, "events:source", e.Source)
		add(keys, "events:detail-type", e.DetailType)
	}
	return keys
}

func add(keys access.Keys, key string, value *string) {
	if str(value) != "" {
		keys[key] = append(keys[key], *value)
	}
}

func (a api) putRuleConditions(ctx context.Context, in any) access.Keys {
	put := in.(*eventbridge.PutRuleInput)
	keys := a.conditions(a.ofRule("Name"))(ctx, in)
	if r, err := a.Rule(ctx, str(put.EventBusName), str(put.Name)); err == nil {
		keys["events:creatorAccount"] = []string{r.CreatedBy}
	}
	return keys
}

func tagConditions(keys access.Keys, tags []types.Tag) {
	for _, t := range tags {
		keys["aws:RequestTag/"+str(t.Key)] = []string{str(t.Value)}
		keys["aws:TagKeys"] = append(keys["aws:TagKeys"], str(t.Key))
	}
}

func (a api) targetConditions(ctx context.Context, in any) access.Keys {
	keys := a.conditions(a.ofRule("Rule"))(ctx, in)
	for _, t := range in.(*eventbridge.PutTargetsInput).Targets {
		add(keys, "events:TargetArn", t.Arn)
	}
	return keys
}

// conditions are the tags in a request, and those of what it is about.
func (a api) conditions(resources func(context.Context, any) []string) func(context.Context, any) access.Keys {
	return func(ctx context.Context, in any) access.Keys {
		keys := access.Keys{}
		switch in := in.(type) {
		case *eventbridge.CreateEventBusInput:
			tagConditions(keys, in.Tags)
		case *eventbridge.PutRuleInput:
			tagConditions(keys, in.Tags)
		case *eventbridge.TagResourceInput:
			tagConditions(keys, in.Tags)
		case *eventbridge.UntagResourceInput:
			if len(in.TagKeys) > 0 {
				keys["aws:TagKeys"] = in.TagKeys
			}
		}
		if resources == nil {
			return keys
		}
		if tags, err := a.Tags(ctx, resources(ctx, in)[0]); err == nil {
			for _, t := range tags {
				keys["aws:ResourceTag/"+t.Key] = []string{t.Value}
			}
		}
		return keys
	}
}

// putRuleToo is what a rule asks for besides: tagging, and handing over its role.
func (a api) putRuleToo(ctx context.Context, in any) (needs []access.Need) {
	put := in.(*eventbridge.PutRuleInput)
	if len(put.Tags) > 0 {
		needs = append(needs, access.Need{Action: "events:TagResource", Resource: a.ofRule("Name")(ctx, in)[0], Keys: a.putRuleConditions(ctx, in)})
	}
	return append(needs, passRole(put.RoleArn)...)
}

func passRole(role *string) []access.Need {
	if str(role) == "" {
		return nil
	}
	return []access.Need{{Action: "iam:PassRole", Resource: *role, Keys: access.Keys{"iam:PassedToService": {"events.amazonaws.com"}}}}
}

func passRoles(_ context.Context, in any) (needs []access.Need) {
	seen := map[string]bool{}
	for _, t := range in.(*eventbridge.PutTargetsInput).Targets {
		if !seen[str(t.RoleArn)] {
			seen[str(t.RoleArn)] = true
			needs = append(needs, passRole(t.RoleArn)...)
		}
	}
	return needs
}
