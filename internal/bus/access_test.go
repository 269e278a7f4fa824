package bus_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	eb "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

func TestEveryOperationSaysWhatItNeeds(t *testing.T) {
	n := start(t)
	api := n.service.API()
	router, err := wire.New(api)
	if err != nil {
		t.Fatal(err)
	}
	for _, operation := range router.Operations() {
		if api.Access[operation].Action != "events:"+operation {
			t.Errorf("%s asks for %q", operation, api.Access[operation].Action)
		}
	}
	if len(api.Access) != len(router.Operations()) {
		t.Errorf("%d rules for %d operations", len(api.Access), len(router.Operations()))
	}
}

func TestNeeds(t *testing.T) {
	n := start(t)
	rules := n.service.API().Access
	c := ok[eb.CreateConnectionOutput](t)(n.CreateConnection(ctx, &eb.CreateConnectionInput{Name: aws.String("c"), AuthorizationType: "API_KEY", AuthParameters: &types.CreateConnectionAuthRequestParameters{
		ApiKeyAuthParameters: &types.CreateConnectionApiKeyAuthRequestParameters{ApiKeyName: aws.String("k"), ApiKeyValue: aws.String("v")}}}))
	role := aws.String("arn:aws:iam::1:role/r")
	tags := []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}}
	foreign := "arn:aws:events:eu-central-1:999999999999:event-bus/x"
	for name, test := range map[string]struct {
		operation string
		in        any
		want      []string
	}{
		"put": {"PutEvents", &eb.PutEventsInput{Entries: []types.PutEventsRequestEntry{{}, {EventBusName: aws.String("b")}, {EventBusName: &foreign}, {EventBusName: aws.String(prefix + "event-bus/b")}}},
			[]string{"events:PutEvents " + prefix + "event-bus/default", "events:PutEvents " + prefix + "event-bus/b", "events:PutEvents " + foreign}},
		"put nothing": {"PutEvents", &eb.PutEventsInput{}, []string{"events:PutEvents " + prefix + "event-bus/default"}},
		"rule": {"PutRule", &eb.PutRuleInput{Name: aws.String("r"), EventBusName: aws.String("b"), Tags: tags, RoleArn: role},
			[]string{"events:PutRule " + prefix + "rule/b/r", "events:TagResource " + prefix + "rule/b/r", "iam:PassRole " + *role}},
		"targets": {"PutTargets", &eb.PutTargetsInput{Rule: aws.String("r"), Targets: []types.Target{{RoleArn: role}, {RoleArn: role}, {}}},
			[]string{"events:PutTargets " + prefix + "rule/r", "iam:PassRole " + *role}},
		"bus":            {"DescribeEventBus", &eb.DescribeEventBusInput{}, []string{"events:DescribeEventBus " + prefix + "event-bus/default"}},
		"archive":        {"DeleteArchive", &eb.DeleteArchiveInput{ArchiveName: aws.String("a")}, []string{"events:DeleteArchive " + prefix + "archive/a"}},
		"replay":         {"StartReplay", &eb.StartReplayInput{ReplayName: aws.String("r")}, []string{"events:StartReplay " + prefix + "replay/r"}},
		"connection":     {"DescribeConnection", &eb.DescribeConnectionInput{Name: aws.String("c")}, []string{"events:DescribeConnection " + *c.ConnectionArn}},
		"no connection":  {"DescribeConnection", &eb.DescribeConnectionInput{Name: aws.String("x")}, []string{"events:DescribeConnection " + prefix + "connection/x/*"}},
		"no destination": {"CreateApiDestination", &eb.CreateApiDestinationInput{Name: aws.String("x")}, []string{"events:CreateApiDestination " + prefix + "api-destination/x/*"}},
		"tags":           {"TagResource", &eb.TagResourceInput{ResourceARN: aws.String(prefix + "rule/r")}, []string{"events:TagResource " + prefix + "rule/r"}},
		"list":           {"ListRules", &eb.ListRulesInput{}, []string{"events:ListRules *"}},
	} {
		var got []string
		for _, need := range rules[test.operation].Needs(ctx, test.in) {
			got = append(got, need.Action+" "+need.Resource)
		}
		equal(t, name, test.want, got)
	}
}

func TestConditions(t *testing.T) {
	n := start(t)
	rules := n.service.API().Access
	tags := []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}}
	ok[eb.PutRuleOutput](t)(n.PutRule(ctx, &eb.PutRuleInput{Name: aws.String("r"), EventPattern: aws.String(shop), Tags: tags}))
	ok[eb.TagResourceOutput](t)(n.TagResource(ctx, &eb.TagResourceInput{ResourceARN: aws.String(prefix + "event-bus/default"), Tags: tags}))
	of := access.Keys{"aws:ResourceTag/team": {"red"}}
	for name, test := range map[string]struct {
		operation string
		in        any
		want      access.Keys
	}{
		"entries": {"PutEvents", &eb.PutEventsInput{Entries: []types.PutEventsRequestEntry{entry("{}"), {Source: aws.String("bank")}}},
			access.Keys{"events:source": {"shop", "bank"}, "events:detail-type": {"order"}}},
		"rule": {"PutRule", &eb.PutRuleInput{Name: aws.String("r"), Tags: tags},
			access.Keys{"aws:ResourceTag/team": {"red"}, "aws:RequestTag/team": {"red"}, "aws:TagKeys": {"team"}, "events:creatorAccount": {account}}},
		"describe": {"DescribeRule", &eb.DescribeRuleInput{Name: aws.String("r")}, of},
		"bus":      {"DescribeEventBus", &eb.DescribeEventBusInput{Name: aws.String("default")}, of},
		"targets": {"PutTargets", &eb.PutTargetsInput{Rule: aws.String("r"), Targets: []types.Target{{Arn: aws.String(queue)}}},
			access.Keys{"aws:ResourceTag/team": {"red"}, "events:TargetArn": {queue}}},
		"untag": {"UntagResource", &eb.UntagResourceInput{ResourceARN: aws.String(prefix + "rule/r"), TagKeys: []string{"x"}},
			access.Keys{"aws:ResourceTag/team": {"red"}, "aws:TagKeys": {"x"}}},
		"none": {"DescribeArchive", &eb.DescribeArchiveInput{ArchiveName: aws.String("a")}, access.Keys{}},
	} {
		equal(t, name, test.want, rules[test.operation].Needs(ctx, test.in)[0].Keys)
	}
}
