package bus_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	eb "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/mayfly-cloud/mayfly/internal/bus"
)

const shop = `{"source":["shop"]}`

func TestBuses(t *testing.T) {
	n := start(t)
	name := aws.String("orders/eu")
	made := ok[eb.CreateEventBusOutput](t)(n.CreateEventBus(ctx, &eb.CreateEventBusInput{Name: name, Description: aws.String("d"), Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}}))
	if *made.EventBusArn != prefix+"event-bus/orders/eu" {
		t.Errorf("got %s", *made.EventBusArn)
	}
	for _, ref := range []string{"orders/eu", *made.EventBusArn} {
		d := ok[eb.DescribeEventBusOutput](t)(n.DescribeEventBus(ctx, &eb.DescribeEventBusInput{Name: &ref}))
		if *d.Name != "orders/eu" || *d.Description != "d" || !d.CreationTime.Equal(noon) || d.Policy != nil {
			t.Errorf("got %+v", d)
		}
	}
	ok[eb.UpdateEventBusOutput](t)(n.UpdateEventBus(ctx, &eb.UpdateEventBusInput{Name: name, Description: aws.String("e"), DeadLetterConfig: &types.DeadLetterConfig{Arn: aws.String(queue)}}))
	d := ok[eb.DescribeEventBusOutput](t)(n.DescribeEventBus(ctx, &eb.DescribeEventBusInput{Name: name}))
	if *d.Description != "e" || *d.DeadLetterConfig.Arn != queue {
		t.Errorf("got %+v", d)
	}
	if d := ok[eb.DescribeEventBusOutput](t)(n.DescribeEventBus(ctx, &eb.DescribeEventBusInput{})); *d.Name != "default" || *d.Arn != prefix+"event-bus/default" {
		t.Errorf("got %+v", d)
	}
	refused(t, "again", second(n.CreateEventBus(ctx, &eb.CreateEventBusInput{Name: name})), "ResourceAlreadyExistsException", "Event bus orders/eu already exists.")
	refused(t, "default", second(n.CreateEventBus(ctx, &eb.CreateEventBusInput{Name: aws.String("default")})), "ResourceAlreadyExistsException", "")
	refused(t, "name", second(n.CreateEventBus(ctx, &eb.CreateEventBusInput{Name: aws.String("a b")})), "ValidationException", `[/\.\-_A-Za-z0-9]+`)
	refused(t, "key", second(n.CreateEventBus(ctx, &eb.CreateEventBusInput{Name: aws.String("k"), KmsKeyIdentifier: aws.String("k")})), "ValidationException", "not supported")
	refused(t, "none", second(n.DescribeEventBus(ctx, &eb.DescribeEventBusInput{Name: aws.String("no")})), "ResourceNotFoundException", "Event bus no does not exist.")
	refused(t, "delete default", second(n.DeleteEventBus(ctx, &eb.DeleteEventBusInput{Name: aws.String("default")})), "ValidationException", "Cannot delete event bus default.")
	ok[eb.PutRuleOutput](t)(n.PutRule(ctx, &eb.PutRuleInput{Name: aws.String("r"), EventBusName: name, EventPattern: aws.String(shop)}))
	refused(t, "with rules", second(n.DeleteEventBus(ctx, &eb.DeleteEventBusInput{Name: name})), "ValidationException", "has rules")
	ok[eb.DeleteRuleOutput](t)(n.DeleteRule(ctx, &eb.DeleteRuleInput{Name: aws.String("r"), EventBusName: name}))
	for range 2 {
		ok[eb.DeleteEventBusOutput](t)(n.DeleteEventBus(ctx, &eb.DeleteEventBusInput{Name: name}))
	}
}

func TestListsByPages(t *testing.T) {
	n := start(t)
	for _, name := range []string{"alpha", "beta", "zeta"} {
		ok[eb.CreateEventBusOutput](t)(n.CreateEventBus(ctx, &eb.CreateEventBusInput{Name: &name}))
	}
	buses := func(p string) (names []string) {
		in := &eb.ListEventBusesInput{Limit: aws.Int32(1), NamePrefix: aws.String(p)}
		for {
			out := ok[eb.ListEventBusesOutput](t)(n.ListEventBuses(ctx, in))
			for _, b := range out.EventBuses {
				names = append(names, *b.Name)
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				return names
			}
		}
	}
	equal(t, "buses", []string{"alpha", "beta", "default", "zeta"}, buses(""))
	equal(t, "by prefix", []string{"default"}, buses("def"))
	ok[eb.UpdateEventBusOutput](t)(n.UpdateEventBus(ctx, &eb.UpdateEventBusInput{Description: aws.String("d")}))
	equal(t, "with a record", []string{"alpha", "beta", "default", "zeta"}, buses(""))

	for i := range 5 {
		n.rule(t, fmt.Sprint("r", i), shop, types.Target{Arn: aws.String(fmt.Sprint(queue, i%2))})
	}
	in := &eb.ListRuleNamesByTargetInput{TargetArn: aws.String(queue + "0"), Limit: aws.Int32(2)}
	one := ok[eb.ListRuleNamesByTargetOutput](t)(n.ListRuleNamesByTarget(ctx, in))
	in.NextToken = one.NextToken
	two := ok[eb.ListRuleNamesByTargetOutput](t)(n.ListRuleNamesByTarget(ctx, in))
	equal(t, "by target", []string{"r0", "r2", "r4"}, append(one.RuleNames, two.RuleNames...))
	if two.NextToken != nil {
		t.Error("a page too many")
	}
	rules := ok[eb.ListRulesOutput](t)(n.ListRules(ctx, &eb.ListRulesInput{Limit: aws.Int32(2), NamePrefix: aws.String("r")}))
	if len(rules.Rules) != 2 || *rules.Rules[1].Arn != prefix+"rule/r1" || *rules.Rules[1].EventBusName != "default" || *rules.Rules[0].EventPattern != shop {
		t.Errorf("got %+v", rules.Rules)
	}
	refused(t, "another listing's token", second(n.ListRules(ctx, &eb.ListRulesInput{NextToken: rules.NextToken})), "ValidationException", "NextToken")
	refused(t, "limit", second(n.ListRules(ctx, &eb.ListRulesInput{Limit: aws.Int32(101)})), "ValidationException", "limit")
	refused(t, "bus", second(n.ListRules(ctx, &eb.ListRulesInput{EventBusName: aws.String("no")})), "ResourceNotFoundException", "")
}

func TestRules(t *testing.T) {
	n := start(t)
	name := aws.String("r")
	in := &eb.PutRuleInput{Name: name, EventPattern: aws.String(shop), Description: aws.String("d"), RoleArn: aws.String("arn:aws:iam::1:role/r"), State: "DISABLED",
		Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}}
	if out := ok[eb.PutRuleOutput](t)(n.PutRule(ctx, in)); *out.RuleArn != prefix+"rule/r" {
		t.Errorf("got %s", *out.RuleArn)
	}
	n.rule(t, "r", shop, types.Target{})
	// Replaced but for targets and tags; without a state it is enabled.
	d := ok[eb.DescribeRuleOutput](t)(n.DescribeRule(ctx, &eb.DescribeRuleInput{Name: name}))
	if d.Description != nil || d.State != "ENABLED" || *d.CreatedBy != account || *d.EventBusName != "default" {
		t.Errorf("got %+v", d)
	}
	tags := ok[eb.ListTagsForResourceOutput](t)(n.ListTagsForResource(ctx, &eb.ListTagsForResourceInput{ResourceARN: d.Arn})).Tags
	if len(tags) != 1 || *tags[0].Value != "v" {
		t.Errorf("got %+v", tags)
	}
	refused(t, "delete", second(n.DeleteRule(ctx, &eb.DeleteRuleInput{Name: name})), "ValidationException", "Rule can't be deleted since it has targets.")
	refused(t, "none", second(n.DescribeRule(ctx, &eb.DescribeRuleInput{Name: aws.String("no")})), "ResourceNotFoundException", "Rule no does not exist on EventBus default.")
	refused(t, "enable none", second(n.EnableRule(ctx, &eb.EnableRuleInput{Name: aws.String("no")})), "ResourceNotFoundException", "Rule no does not exist on EventBus default.")
	refused(t, "targets of none", second(n.PutTargets(ctx, &eb.PutTargetsInput{Rule: aws.String("no"), Targets: []types.Target{{Id: name, Arn: aws.String(queue)}}})), "ResourceNotFoundException", "")
	ok[eb.DeleteRuleOutput](t)(n.DeleteRule(ctx, &eb.DeleteRuleInput{Name: aws.String("no")}))

	ok[eb.CreateEventBusOutput](t)(n.CreateEventBus(ctx, &eb.CreateEventBusInput{Name: aws.String("b")}))
	put := func(fn func(*eb.PutRuleInput)) error {
		in := &eb.PutRuleInput{Name: aws.String("x"), EventPattern: aws.String(shop)}
		fn(in)
		return second(n.PutRule(ctx, in))
	}
	for what, test := range map[string]struct {
		fn          func(*eb.PutRuleInput)
		code, words string
	}{
		"neither":  {func(in *eb.PutRuleInput) { in.EventPattern = nil }, "ValidationException", "Parameter(s) EventPattern or ScheduleExpression must be specified."},
		"pattern":  {func(in *eb.PutRuleInput) { in.EventPattern = aws.String(`{"a":[{"like":1}]}`) }, "InvalidEventPatternException", "Event pattern is not valid. Reason: Unrecognized match type like\n at [Source: (String)"},
		"long":     {func(in *eb.PutRuleInput) { in.EventPattern = aws.String(`{"a":["` + strings.Repeat("x", 4096) + `"]}`) }, "InvalidEventPatternException", ""},
		"schedule": {func(in *eb.PutRuleInput) { in.ScheduleExpression = aws.String("rate(1 minutes)") }, "ValidationException", "Parameter ScheduleExpression is not valid."},
		"custom": {func(in *eb.PutRuleInput) {
			in.EventBusName, in.ScheduleExpression = aws.String("b"), aws.String("rate(1 minute)")
		}, "ValidationException", "ScheduleExpression is supported only on the default event bus."},
		"bus":   {func(in *eb.PutRuleInput) { in.EventBusName = aws.String("no") }, "ResourceNotFoundException", "Event bus no does not exist."},
		"name":  {func(in *eb.PutRuleInput) { in.Name = aws.String("a/b") }, "ValidationException", "name"},
		"state": {func(in *eb.PutRuleInput) { in.State = "ON" }, "ValidationException", "state"},
		"tags":  {func(in *eb.PutRuleInput) { in.Tags = []types.Tag{{Key: aws.String("aws:x"), Value: aws.String("")}} }, "ValidationException", "reserved"},
	} {
		refused(t, what, put(test.fn), test.code, test.words)
	}
}

// A rule of a service's own can be seen, and taken away by force.
func TestManagedRules(t *testing.T) {
	n := start(t)
	managed := bus.Rule{Name: "m", Pattern: shop, ManagedBy: "states.amazonaws.com", Targets: []bus.Target{{ID: "t", ARN: queue}}}
	for range 2 {
		if _, err := n.service.PutRule(ctx, "", managed, nil); err != nil {
			t.Fatal(err)
		}
	}
	name := aws.String("m")
	if d := ok[eb.DescribeRuleOutput](t)(n.DescribeRule(ctx, &eb.DescribeRuleInput{Name: name})); *d.ManagedBy != "states.amazonaws.com" {
		t.Errorf("got %+v", d)
	}
	n.put(t, entry("{}"))
	if got := n.queue.take(t); len(got) != 1 {
		t.Errorf("got %v", got)
	}
	refused(t, "put", second(n.PutRule(ctx, &eb.PutRuleInput{Name: name, EventPattern: aws.String(shop)})), "ManagedRuleException", "")
	refused(t, "disable", second(n.DisableRule(ctx, &eb.DisableRuleInput{Name: name})), "ManagedRuleException", "")
	refused(t, "targets", second(n.PutTargets(ctx, &eb.PutTargetsInput{Rule: name, Targets: []types.Target{{Id: name, Arn: aws.String(queue)}}})), "ManagedRuleException", "")
	refused(t, "remove", second(n.RemoveTargets(ctx, &eb.RemoveTargetsInput{Rule: name, Ids: []string{"t"}})), "ManagedRuleException", "Force")
	refused(t, "delete", second(n.DeleteRule(ctx, &eb.DeleteRuleInput{Name: name})), "ManagedRuleException", "Force")
	ok[eb.RemoveTargetsOutput](t)(n.RemoveTargets(ctx, &eb.RemoveTargetsInput{Rule: name, Ids: []string{"t"}, Force: true}))
	ok[eb.DeleteRuleOutput](t)(n.DeleteRule(ctx, &eb.DeleteRuleInput{Name: name, Force: true}))
}

func TestTargets(t *testing.T) {
	n := start(t)
	full := types.Target{
		Id: aws.String("full"), Arn: aws.String(queue + ".fifo"), RoleArn: aws.String("arn:aws:iam::1:role/r"), SqsParameters: &types.SqsParameters{MessageGroupId: aws.String("g")},
		InputTransformer: &types.InputTransformer{InputPathsMap: map[string]string{"a": "$.detail.a"}, InputTemplate: aws.String(`{"a":<a>}`)},
		RetryPolicy:      &types.RetryPolicy{MaximumRetryAttempts: aws.Int32(0), MaximumEventAgeInSeconds: aws.Int32(60)}, DeadLetterConfig: &types.DeadLetterConfig{Arn: aws.String(queue)},
		HttpParameters: &types.HttpParameters{PathParameterValues: []string{"p"}, HeaderParameters: map[string]string{"h": "1"}, QueryStringParameters: map[string]string{"q": "2"}},
	}
	n.rule(t, "r", shop, full, types.Target{Id: aws.String("other")})
	got := ok[eb.ListTargetsByRuleOutput](t)(n.ListTargetsByRule(ctx, &eb.ListTargetsByRuleInput{Rule: aws.String("r"), Limit: aws.Int32(1)}))
	if len(got.Targets) != 1 || got.NextToken == nil {
		t.Fatalf("got %+v", got)
	}
	same := got.Targets[0]
	equal(t, "target", fmt.Sprint(*full.Id, *full.Arn, *full.RoleArn, *full.SqsParameters.MessageGroupId, full.InputTransformer.InputPathsMap, *full.InputTransformer.InputTemplate, 0, 60, queue, full.HttpParameters.HeaderParameters),
		fmt.Sprint(*same.Id, *same.Arn, *same.RoleArn, *same.SqsParameters.MessageGroupId, same.InputTransformer.InputPathsMap, *same.InputTransformer.InputTemplate, *same.RetryPolicy.MaximumRetryAttempts, *same.RetryPolicy.MaximumEventAgeInSeconds, *same.DeadLetterConfig.Arn, same.HttpParameters.HeaderParameters))
	rest := ok[eb.ListTargetsByRuleOutput](t)(n.ListTargetsByRule(ctx, &eb.ListTargetsByRuleInput{Rule: aws.String("r"), NextToken: got.NextToken}))
	if len(rest.Targets) != 1 || *rest.Targets[0].Id != "other" {
		t.Errorf("got %+v", rest)
	}
	removed := ok[eb.RemoveTargetsOutput](t)(n.RemoveTargets(ctx, &eb.RemoveTargetsInput{Rule: aws.String("r"), Ids: []string{"full", "none"}}))
	if removed.FailedEntryCount != 1 || *removed.FailedEntries[0].TargetId != "none" || *removed.FailedEntries[0].ErrorCode != "ResourceNotFoundException" {
		t.Errorf("got %+v", removed)
	}
	n.put(t, entry("{}"))
	if got := n.queue.take(t); len(got) != 1 || got[0].Target.ID != "other" {
		t.Errorf("got %v", got)
	}
	four := make([]types.Target, 5)
	for i := range four {
		four[i] = types.Target{Id: aws.String(fmt.Sprint("t", i)), Arn: aws.String(queue)}
	}
	refused(t, "six", second(n.PutTargets(ctx, &eb.PutTargetsInput{Rule: aws.String("r"), Targets: four})), "LimitExceededException", "")
}

func TestTargetsRefused(t *testing.T) {
	n := start(t)
	n.rule(t, "r", shop)
	for what, test := range map[string]struct {
		fn    func(*types.Target)
		words string
	}{
		"id":          {func(g *types.Target) { g.Id = aws.String("a b") }, "id"},
		"arn":         {func(g *types.Target) { g.Arn = aws.String("q") }, "Parameter q is not valid. Reason: Provided Arn is not in correct format."},
		"service":     {func(g *types.Target) { g.Arn = aws.String("arn:aws:ecs:r:1:cluster/c") }, "this node does not serve ecs"},
		"ecs":         {func(g *types.Target) { g.EcsParameters = &types.EcsParameters{TaskDefinitionArn: aws.String("arn:x")} }, "EcsParameters is not supported"},
		"foreign bus": {func(g *types.Target) { g.Arn = aws.String("arn:aws:events:eu-central-1:999999999999:event-bus/x") }, "not supported"},
		"group":       {func(g *types.Target) { g.Arn = aws.String(queue + ".fifo") }, "Parameter(s) SqsParameters must be specified for target: t."},
		"two inputs":  {func(g *types.Target) { g.Input, g.InputPath = aws.String("{}"), aws.String("$") }, "Only one of Input, InputPath, or InputTransformer must be provided for target t."},
		"input":       {func(g *types.Target) { g.Input = aws.String("{") }, "JSON syntax error in input for target t."},
		"path":        {func(g *types.Target) { g.InputPath = aws.String("detail") }, "InputPath"},
		"placeholder": {func(g *types.Target) {
			g.InputTransformer = &types.InputTransformer{InputTemplate: aws.String(`"<notdefinedkey>"`)}
		}, "InputTemplate for target t contains invalid placeholder notdefinedkey."},
		"template": {func(g *types.Target) {
			g.InputTransformer = &types.InputTransformer{InputTemplate: aws.String(`hello`)}
		}, "Invalid InputTemplate for target t"},
		"attempts": {func(g *types.Target) { g.RetryPolicy = &types.RetryPolicy{MaximumRetryAttempts: aws.Int32(186)} }, "185"},
		"age":      {func(g *types.Target) { g.RetryPolicy = &types.RetryPolicy{MaximumEventAgeInSeconds: aws.Int32(59)} }, "86400"},
		"dead letter": {func(g *types.Target) {
			g.DeadLetterConfig = &types.DeadLetterConfig{Arn: aws.String("arn:aws:sns:r:1:t")}
		}, "DeadLetterConfig"},
	} {
		g := types.Target{Id: aws.String("t"), Arn: aws.String(queue)}
		test.fn(&g)
		refused(t, what, second(n.PutTargets(ctx, &eb.PutTargetsInput{Rule: aws.String("r"), Targets: []types.Target{g}})), "ValidationException", test.words)
	}
	refused(t, "none", second(n.PutTargets(ctx, &eb.PutTargetsInput{Rule: aws.String("r"), Targets: []types.Target{}})), "ValidationException", "targets")
}

func TestPermissions(t *testing.T) {
	n := start(t)
	permit := func(sid, principal, action string) error {
		return second(n.PutPermission(ctx, &eb.PutPermissionInput{StatementId: &sid, Principal: &principal, Action: &action}))
	}
	policy := func() string {
		t.Helper()
		return aws.ToString(ok[eb.DescribeEventBusOutput](t)(n.DescribeEventBus(ctx, &eb.DescribeEventBusInput{})).Policy)
	}
	for _, sid := range []string{"one", "two", "one"} {
		if err := permit(sid, "999999999999", "events:PutEvents"); err != nil {
			t.Fatal(err)
		}
	}
	st := func(sid, principal string) string {
		return `{"Sid":"` + sid + `","Effect":"Allow","Principal":` + principal + `,"Action":"events:PutEvents","Resource":"` + prefix + `event-bus/default"}`
	}
	other := `{"AWS":"arn:aws:iam::999999999999:root"}`
	equal(t, "policy", `{"Version":"2012-10-17","Statement":[`+st("two", other)+`,`+st("one", other)+`]}`, policy())
	got, err := n.service.ResourcePolicy(ctx, prefix+"event-bus/default")
	equal(t, "resource policy", policy(), string(got))
	if err != nil {
		t.Error(err)
	}
	forbid := func(sid string) error {
		return second(n.RemovePermission(ctx, &eb.RemovePermissionInput{StatementId: &sid}))
	}
	if err := forbid("two"); err != nil {
		t.Error(err)
	}
	refused(t, "none", forbid("two"), "ResourceNotFoundException", "Statement with the provided id does not exist.")
	equal(t, "one left", `{"Version":"2012-10-17","Statement":[`+st("one", other)+`]}`, policy())
	ok[eb.RemovePermissionOutput](t)(n.RemovePermission(ctx, &eb.RemovePermissionInput{RemoveAllPermissions: true}))
	equal(t, "none left", "", policy())
	document := `{"Version":"2012-10-17","Statement":{"Sid":"x"}}`
	ok[eb.PutPermissionOutput](t)(n.PutPermission(ctx, &eb.PutPermissionInput{Policy: &document}))
	if err := permit("all", "*", "events:PutEvents"); err != nil {
		t.Error(err)
	}
	equal(t, "beside", `{"Version":"2012-10-17","Statement":[{"Sid":"x"},`+st("all", `"*"`)+`]}`, policy())
	refused(t, "principal", permit("x", "someone", "events:PutEvents"), "ValidationException", "principal")
	refused(t, "action", permit("x", "*", "events:*"), "ValidationException", "action")
	refused(t, "sid", permit("", "*", "events:PutEvents"), "ValidationException", "statementId")
	refused(t, "document", second(n.PutPermission(ctx, &eb.PutPermissionInput{Policy: aws.String("{}")})), "ValidationException", "Missing required field Statement")
	refused(t, "long", second(n.PutPermission(ctx, &eb.PutPermissionInput{Policy: aws.String(`{"Statement":"` + strings.Repeat("x", 10240) + `"}`)})), "PolicyLengthExceededException", "")
	refused(t, "bus", second(n.PutPermission(ctx, &eb.PutPermissionInput{EventBusName: aws.String("no"), Policy: &document})), "ResourceNotFoundException", "Event bus no does not exist.")
	for _, arn := range []string{prefix + "event-bus/none", prefix + "rule/x", "nonsense"} {
		if got, err := n.service.ResourcePolicy(ctx, arn); got != nil || err != nil {
			t.Errorf("%s: %s, %v", arn, got, err)
		}
	}
}

func TestTags(t *testing.T) {
	n := start(t)
	n.rule(t, "r", shop)
	for _, arn := range []string{prefix + "rule/r", prefix + "event-bus/default"} {
		tag := func(k string) types.Tag { return types.Tag{Key: &k, Value: aws.String("v")} }
		ok[eb.TagResourceOutput](t)(n.TagResource(ctx, &eb.TagResourceInput{ResourceARN: &arn, Tags: []types.Tag{tag("a"), tag("b")}}))
		ok[eb.UntagResourceOutput](t)(n.UntagResource(ctx, &eb.UntagResourceInput{ResourceARN: &arn, TagKeys: []string{"a", "none"}}))
		got := ok[eb.ListTagsForResourceOutput](t)(n.ListTagsForResource(ctx, &eb.ListTagsForResourceInput{ResourceARN: &arn})).Tags
		if len(got) != 1 || *got[0].Key != "b" {
			t.Errorf("%s: %+v", arn, got)
		}
	}
	for _, arn := range []string{prefix + "rule/none", prefix + "rule/none/r", prefix + "archive/a", "x"} {
		refused(t, arn, second(n.ListTagsForResource(ctx, &eb.ListTagsForResourceInput{ResourceARN: &arn})), "ResourceNotFoundException", "")
		refused(t, arn, second(n.TagResource(ctx, &eb.TagResourceInput{ResourceARN: &arn, Tags: []types.Tag{}})), "ResourceNotFoundException", "")
	}
}
