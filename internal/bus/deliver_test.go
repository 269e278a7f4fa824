package bus_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	eb "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/mayfly-cloud/mayfly/internal/bus"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

func TestDeliverHandsOver(t *testing.T) {
	n := start(t)
	n.rule(t, "r", shop, types.Target{RoleArn: aws.String("arn:aws:iam::1:role/r"), SqsParameters: &types.SqsParameters{MessageGroupId: aws.String("g")}})
	id := n.put(t, entry(`{}`))[0]
	d := n.queue.take(t)[0]
	if err := n.service.Deliver(ctx, d); err != nil {
		t.Fatal(err)
	}
	equal(t, "calls", []bus.Call{{ARN: queue, Payload: d.Payload, RoleARN: "arn:aws:iam::1:role/r", RuleARN: prefix + "rule/r", MessageGroupID: "g", EventID: id}}, n.targets.calls)
	if d.Attempts() != 186 || !d.Expires().Equal(noon.Add(24*time.Hour)) {
		t.Errorf("%d attempts until %s", d.Attempts(), d.Expires())
	}
}

func TestPermanentErrors(t *testing.T) {
	for what, test := range map[string]struct {
		err  error
		want bool
	}{
		"not there": {fault.New(404, "ResourceNotFoundException", "x"), true},
		"denied":    {fault.New(403, "AccessDeniedException", "x"), true},
		"throttled": {fault.New(429, "TooManyRequestsException", "x"), false},
		"failed":    {fault.New(500, "ServiceException", "x"), false},
		"unknown":   {errors.New("x"), false},
		"ours":      {&bus.DeliveryError{Code: "x", Permanent: true}, true},
		"wrapped":   {fmt.Errorf("deliver: %w", &bus.DeliveryError{Code: "x"}), false},
	} {
		if got := bus.Permanent(test.err); got != test.want {
			t.Errorf("%s: %v", what, got)
		}
	}
}

func TestDeadLetters(t *testing.T) {
	n := start(t)
	n.rule(t, "r", shop, types.Target{
		Input: aws.String(`"x"`), DeadLetterConfig: &types.DeadLetterConfig{Arn: aws.String(queue + "-dead")}, RetryPolicy: &types.RetryPolicy{MaximumRetryAttempts: aws.Int32(2)},
	})
	id := n.put(t, entry(`{"a":1}`))[0]
	d := n.queue.take(t)[0]
	for _, end := range []struct {
		attempts int
		cause    error
		words    string
	}{
		{1, fault.New(403, "AccessDeniedException", "may not"), "ERROR_CODE:AccessDeniedException ERROR_MESSAGE:may not RETRY_ATTEMPTS:0"},
		{3, &bus.DeliveryError{Code: "500", Message: "failed"}, "ERROR_CODE:500 ERROR_MESSAGE:failed EXHAUSTED_RETRY_CONDITION:MaximumRetryAttempts RETRY_ATTEMPTS:2"},
		{2, errors.New("lost"), "ERROR_CODE:InternalFailure ERROR_MESSAGE:" + fault.As(errors.New("x")).Message + " EXHAUSTED_RETRY_CONDITION:MaximumEventAgeInSeconds RETRY_ATTEMPTS:1"},
	} {
		n.targets.dead = nil
		if err := n.service.Undeliverable(ctx, d, end.attempts, end.cause); err != nil {
			t.Fatal(err)
		}
		whole := `{"version":"0","id":"` + id + `","detail-type":"order","source":"shop","account":"123456789012","time":"2026-05-04T12:00:00Z","region":"eu-central-1","resources":[],"detail":{"a":1}}`
		equal(t, end.words, []string{queue + "-dead " + whole + " map[" + end.words + " RULE_ARN:" + prefix + "rule/r TARGET_ARN:" + queue + "]"}, n.targets.dead)
	}
	n.targets.dead = nil
	d.Target.DeadLetter = ""
	if err := n.service.Undeliverable(ctx, d, 1, errors.New("x")); err != nil || n.targets.dead != nil {
		t.Errorf("%v, %v", err, n.targets.dead)
	}
}

// An event goes from bus to bus as it is, and circles end.
func TestForwarding(t *testing.T) {
	n := start(t)
	other := prefix + "event-bus/other"
	ok[eb.CreateEventBusOutput](t)(n.CreateEventBus(ctx, &eb.CreateEventBusInput{Name: aws.String("other")}))
	n.rule(t, "there", shop, types.Target{Arn: &other})
	ok[eb.PutRuleOutput](t)(n.PutRule(ctx, &eb.PutRuleInput{Name: aws.String("back"), EventBusName: aws.String("other"), EventPattern: aws.String(shop)}))
	ok[eb.PutTargetsOutput](t)(n.PutTargets(ctx, &eb.PutTargetsInput{Rule: aws.String("back"), EventBusName: &other, Targets: []types.Target{{Id: aws.String("t"), Arn: aws.String(prefix + "event-bus/default")}}}))
	n.put(t, entry(`{}`))
	d := n.queue.take(t)[0]
	first := string(d.Payload)
	for hop := 0; ; hop++ {
		err := n.service.Deliver(ctx, d)
		list := n.queue.take(t)
		if hop == 16 {
			if !bus.Permanent(err) || len(list) != 0 {
				t.Errorf("hop %d: %v", hop, err)
			}
			break
		}
		if err != nil || len(list) != 1 || string(list[0].Payload) != first || list[0].EventID != d.EventID {
			t.Fatalf("hop %d: %v, %v", hop, err, list)
		}
		d = list[0]
	}
	d.Hops, d.Payload = 0, []byte(`{"a":1}`)
	if err := n.service.Deliver(ctx, d); !bus.Permanent(err) {
		t.Errorf("no event: %v", err)
	}
	d.Target.ARN = prefix + "event-bus/none"
	d.Payload = []byte(first)
	if err := n.service.Deliver(ctx, d); !bus.Permanent(err) {
		t.Errorf("no bus: %v", err)
	}
}

func TestScheduleRules(t *testing.T) {
	n := start(t)
	watch, stop := n.service.WatchSchedules()
	defer stop()
	ok[eb.PutRuleOutput](t)(n.PutRule(ctx, &eb.PutRuleInput{Name: aws.String("tick"), ScheduleExpression: aws.String("rate(5 minutes)")}))
	<-watch
	ok[eb.PutTargetsOutput](t)(n.PutTargets(ctx, &eb.PutTargetsInput{Rule: aws.String("tick"), Targets: []types.Target{{Id: aws.String("t"), Arn: aws.String(queue)}}}))
	n.rule(t, "other", shop)
	list, err := n.service.Schedules(ctx)
	equal(t, "schedules", []bus.Scheduled{{Name: "tick", Expression: "rate(5 minutes)", Created: noon}}, list)
	if err != nil {
		t.Error(err)
	}
	fire := func(name string) {
		t.Helper()
		if err := n.store.Update(ctx, func(tx store.Tx) error { return n.service.Fire(ctx, tx, name, noon.Add(5*time.Minute)) }); err != nil {
			t.Fatal(err)
		}
	}
	fire("tick")
	fire("other")
	fire("none")
	got := n.queue.take(t)
	if len(got) != 1 {
		t.Fatalf("got %v", got)
	}
	equal(t, "event", `{"version":"0","id":"`+got[0].EventID+`","detail-type":"Scheduled Event","source":"aws.events","account":"123456789012","time":"2026-05-04T12:05:00Z",`+
		`"region":"eu-central-1","resources":["`+prefix+`rule/tick"],"detail":{}}`, string(got[0].Payload))
	ok[eb.DisableRuleOutput](t)(n.DisableRule(ctx, &eb.DisableRuleInput{Name: aws.String("tick")}))
	fire("tick")
	if got := n.queue.take(t); len(got) != 0 {
		t.Errorf("a disabled one fired")
	}
}

// endpoint is a server that writes down requests and answers what it is told.
func endpoint(t *testing.T) (url string, seen *[]string, status *int) {
	seen, status = &[]string{}, new(int)
	*status = 200
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/token" {
			*seen = append(*seen, fmt.Sprint(r.Method, " ", r.URL, " ", string(body), " ", r.Header.Get("X-O")))
			json.NewEncoder(w).Encode(map[string]any{"access_token": fmt.Sprint("token", len(*seen)), "expires_in": 3600})
			return
		}
		*seen = append(*seen, fmt.Sprint(r.Method, " ", r.URL, " ", string(body), " ", r.Header.Get("Authorization"), " ", r.Header.Get("X-Key"), " ", r.Header.Get("X-H"), " ", r.Header.Get("Content-Type")))
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(*status)
	}))
	t.Cleanup(server.Close)
	return server.URL, seen, status
}

func TestAPIDestinations(t *testing.T) {
	url, seen, status := endpoint(t)
	n := start(t)
	var last *string
	for name, test := range map[string]struct {
		kind types.ConnectionAuthorizationType
		auth *types.CreateConnectionAuthRequestParameters
		want []string
	}{
		"basic": {"BASIC", &types.CreateConnectionAuthRequestParameters{BasicAuthParameters: &types.CreateConnectionBasicAuthRequestParameters{Username: aws.String("u"), Password: aws.String("p")}},
			[]string{`POST /x/7?q=shop&r=1 {"a":7} Basic dTpw  mine application/json; charset=utf-8`}},
		"key": {"API_KEY", &types.CreateConnectionAuthRequestParameters{
			ApiKeyAuthParameters: &types.CreateConnectionApiKeyAuthRequestParameters{ApiKeyName: aws.String("X-Key"), ApiKeyValue: aws.String("k3y")},
			InvocationHttpParameters: &types.ConnectionHttpParameters{
				HeaderParameters: []types.ConnectionHeaderParameter{{Key: aws.String("X-H"), Value: aws.String("theirs"), IsValueSecret: true}}, QueryStringParameters: []types.ConnectionQueryStringParameter{{Key: aws.String("r"), Value: aws.String("2")}},
				BodyParameters: []types.ConnectionBodyParameter{{Key: aws.String("b"), Value: aws.String("\"3\"")}},
			}}, []string{`POST /x/7?q=shop&r=2 {"a":7,"b":"\"3\""}  k3y theirs application/json; charset=utf-8`}},
		"oauth": {"OAUTH_CLIENT_CREDENTIALS", &types.CreateConnectionAuthRequestParameters{OAuthParameters: &types.CreateConnectionOAuthRequestParameters{
			AuthorizationEndpoint: aws.String(url + "/token"), HttpMethod: "POST", ClientParameters: &types.CreateConnectionOAuthClientRequestParameters{ClientID: aws.String("c"), ClientSecret: aws.String("s")},
			OAuthHttpParameters: &types.ConnectionHttpParameters{HeaderParameters: []types.ConnectionHeaderParameter{{Key: aws.String("X-O"), Value: aws.String("o")}}, BodyParameters: []types.ConnectionBodyParameter{{Key: aws.String("scope"), Value: aws.String("all")}}},
		}}, []string{`POST /token client_id=c&client_secret=s&grant_type=client_credentials&scope=all o`, `POST /x/7?q=shop&r=1 {"a":7} Bearer token1  mine application/json; charset=utf-8`}},
	} {
		c := ok[eb.CreateConnectionOutput](t)(n.CreateConnection(ctx, &eb.CreateConnectionInput{Name: &name, AuthorizationType: test.kind, AuthParameters: test.auth}))
		d := ok[eb.CreateApiDestinationOutput](t)(n.CreateApiDestination(ctx, &eb.CreateApiDestinationInput{Name: &name, ConnectionArn: c.ConnectionArn, HttpMethod: "POST", InvocationEndpoint: aws.String(url + "/x/*")}))
		last = d.ApiDestinationArn
		n.rule(t, name, shop, types.Target{Arn: d.ApiDestinationArn, InputPath: aws.String("$.detail"), HttpParameters: &types.HttpParameters{
			PathParameterValues: []string{"$.detail.a"}, HeaderParameters: map[string]string{"X-H": "mine"}, QueryStringParameters: map[string]string{"q": "$.source", "r": "1"},
		}})
		n.put(t, entry(`{"a":7}`))
		list := n.queue.take(t)
		for _, delivery := range list {
			if delivery.RuleARN != prefix+"rule/"+name {
				continue
			}
			*seen, *status = nil, 200
			if err := n.service.Deliver(ctx, delivery); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			equal(t, name, test.want, *seen)
			for code, permanent := range map[int]bool{400: true, 404: true, 401: false, 407: false, 409: false, 429: false, 500: false, 503: false} {
				*status = code
				err := n.service.Deliver(ctx, delivery)
				var e *bus.DeliveryError
				if !errors.As(err, &e) || bus.Permanent(err) != permanent || !permanent && e.After != 7*time.Second || e.Code != fmt.Sprint(code) {
					t.Errorf("%s: %d: %v", name, code, err)
				}
			}
		}
	}
	// A value that would end its header is no request.
	n.rule(t, "basic", shop, types.Target{Id: aws.String("bad"), Arn: last, HttpParameters: &types.HttpParameters{HeaderParameters: map[string]string{"X-H": "$.detail.h"}}})
	n.put(t, entry(`{"h":"a\r\nb: c"}`))
	for _, delivery := range n.queue.take(t) {
		if delivery.Target.ID == "bad" {
			if err := n.service.Deliver(ctx, delivery); !bus.Permanent(err) {
				t.Errorf("a header with a line of its own: %v", err)
			}
		}
	}
	// No secret is in the store, nor given back.
	equal(t, "secrets", "", secretsIn(t, n, "k3y", "theirs", `"p"`))
	got := ok[eb.DescribeConnectionOutput](t)(n.DescribeConnection(ctx, &eb.DescribeConnectionInput{Name: aws.String("key")}))
	h := got.AuthParameters.InvocationHttpParameters
	if *got.AuthParameters.ApiKeyAuthParameters.ApiKeyName != "X-Key" || h.HeaderParameters[0].Value != nil || *h.BodyParameters[0].Value != `"3"` || got.ConnectionState != "AUTHORIZED" {
		t.Errorf("got %+v", got.AuthParameters)
	}
}

// secretsIn gives those of the texts that the store has.
func secretsIn(t *testing.T, n *node, texts ...string) (found string) {
	t.Helper()
	err := n.store.View(ctx, func(r store.Reader) error {
		for p, err := range r.Scan(store.Range{}) {
			if err != nil {
				return err
			}
			for _, s := range texts {
				if strings.Contains(string(p.Value), s) {
					found += s + " "
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestConnectionsAndDestinations(t *testing.T) {
	n := start(t)
	name := aws.String("c")
	basic := func(user, password string) *types.CreateConnectionAuthRequestParameters {
		return &types.CreateConnectionAuthRequestParameters{BasicAuthParameters: &types.CreateConnectionBasicAuthRequestParameters{Username: &user, Password: &password}}
	}
	in := &eb.CreateConnectionInput{Name: name, AuthorizationType: "BASIC", AuthParameters: basic("u", "p"), Description: aws.String("d")}
	c := ok[eb.CreateConnectionOutput](t)(n.CreateConnection(ctx, in))
	refused(t, "again", second(n.CreateConnection(ctx, in)), "ResourceAlreadyExistsException", "Connection c already exists.")
	in.Name, in.AuthorizationType = aws.String("x"), "INVALID"
	refused(t, "type", second(n.CreateConnection(ctx, in)), "ValidationException", "Value 'INVALID' at 'authorizationType' failed to satisfy constraint: Member must satisfy enum value set: [BASIC, OAUTH_CLIENT_CREDENTIALS, API_KEY]")
	in.AuthorizationType = "API_KEY"
	refused(t, "parameters", second(n.CreateConnection(ctx, in)), "ValidationException", "ApiKeyAuthParameters")
	ok[eb.UpdateConnectionOutput](t)(n.UpdateConnection(ctx, &eb.UpdateConnectionInput{Name: name, AuthParameters: &types.UpdateConnectionAuthRequestParameters{BasicAuthParameters: &types.UpdateConnectionBasicAuthRequestParameters{Username: aws.String("v")}}}))
	got := ok[eb.DescribeConnectionOutput](t)(n.DescribeConnection(ctx, &eb.DescribeConnectionInput{Name: name}))
	if *got.AuthParameters.BasicAuthParameters.Username != "v" || *got.Description != "d" || *got.ConnectionArn != *c.ConnectionArn {
		t.Errorf("got %+v", got)
	}
	d := &eb.CreateApiDestinationInput{Name: aws.String("d"), ConnectionArn: c.ConnectionArn, HttpMethod: "PUT", InvocationEndpoint: aws.String("https://example.com/*")}
	ok[eb.CreateApiDestinationOutput](t)(n.CreateApiDestination(ctx, d))
	refused(t, "destination again", second(n.CreateApiDestination(ctx, d)), "ResourceAlreadyExistsException", "An api-destination 'd' already exists.")
	ok[eb.UpdateApiDestinationOutput](t)(n.UpdateApiDestination(ctx, &eb.UpdateApiDestinationInput{Name: d.Name, InvocationRateLimitPerSecond: aws.Int32(5)}))
	shown := ok[eb.DescribeApiDestinationOutput](t)(n.DescribeApiDestination(ctx, &eb.DescribeApiDestinationInput{Name: d.Name}))
	if *shown.InvocationRateLimitPerSecond != 5 || shown.HttpMethod != "PUT" || shown.ApiDestinationState != "ACTIVE" {
		t.Errorf("got %+v", shown)
	}
	for what, fn := range map[string]func(*eb.UpdateApiDestinationInput){
		"url":    func(in *eb.UpdateApiDestinationInput) { in.InvocationEndpoint = aws.String("file:///etc/passwd") },
		"user":   func(in *eb.UpdateApiDestinationInput) { in.InvocationEndpoint = aws.String("https://u:p@example.com") },
		"rate":   func(in *eb.UpdateApiDestinationInput) { in.InvocationRateLimitPerSecond = aws.Int32(301) },
		"method": func(in *eb.UpdateApiDestinationInput) { in.HttpMethod = "TRACE" },
	} {
		in := &eb.UpdateApiDestinationInput{Name: d.Name}
		fn(in)
		refused(t, what, second(n.UpdateApiDestination(ctx, in)), "ValidationException", "")
	}
	d.Name, d.ConnectionArn = aws.String("e"), aws.String(prefix+"connection/c/other-id")
	refused(t, "connection", second(n.CreateApiDestination(ctx, d)), "ResourceNotFoundException", "Connection")
	if list := ok[eb.ListApiDestinationsOutput](t)(n.ListApiDestinations(ctx, &eb.ListApiDestinationsInput{ConnectionArn: c.ConnectionArn})); len(list.ApiDestinations) != 1 {
		t.Errorf("got %+v", list)
	}
	if out := ok[eb.DeauthorizeConnectionOutput](t)(n.DeauthorizeConnection(ctx, &eb.DeauthorizeConnectionInput{Name: name})); out.ConnectionState != "DEAUTHORIZED" {
		t.Errorf("got %+v", out)
	}
	if list := ok[eb.ListConnectionsOutput](t)(n.ListConnections(ctx, &eb.ListConnectionsInput{ConnectionState: "DEAUTHORIZED"})); len(list.Connections) != 1 {
		t.Errorf("got %+v", list)
	}
	n.rule(t, "r", shop, types.Target{Arn: shown.ApiDestinationArn})
	n.put(t, entry("{}"))
	delivery := n.queue.take(t)[0]
	if err := n.service.Deliver(ctx, delivery); !bus.Permanent(err) {
		t.Errorf("deauthorized: %v", err)
	}
	if out := ok[eb.DeleteConnectionOutput](t)(n.DeleteConnection(ctx, &eb.DeleteConnectionInput{Name: name})); out.ConnectionState != "DELETING" {
		t.Errorf("got %+v", out)
	}
	refused(t, "deleted", second(n.DescribeConnection(ctx, &eb.DescribeConnectionInput{Name: name})), "ResourceNotFoundException", "Failed to describe the connection(s). Connection 'c' does not exist.")
	ok[eb.DeleteApiDestinationOutput](t)(n.DeleteApiDestination(ctx, &eb.DeleteApiDestinationInput{Name: aws.String("d")}))
	refused(t, "destination deleted", second(n.DescribeApiDestination(ctx, &eb.DescribeApiDestinationInput{Name: aws.String("d")})), "ResourceNotFoundException", "An api-destination 'd' does not exist.")
	if err := n.service.Deliver(ctx, delivery); !bus.Permanent(err) {
		t.Errorf("deleted: %v", err)
	}
}

// A destination takes a second's worth of requests at once, and then one after another.
func TestRateOfDestinations(t *testing.T) {
	url, seen, _ := endpoint(t)
	n := start(t)
	c := ok[eb.CreateConnectionOutput](t)(n.CreateConnection(ctx, &eb.CreateConnectionInput{Name: aws.String("c"), AuthorizationType: "API_KEY", AuthParameters: &types.CreateConnectionAuthRequestParameters{
		ApiKeyAuthParameters: &types.CreateConnectionApiKeyAuthRequestParameters{ApiKeyName: aws.String("k"), ApiKeyValue: aws.String("v")}}}))
	d := ok[eb.CreateApiDestinationOutput](t)(n.CreateApiDestination(ctx, &eb.CreateApiDestinationInput{Name: aws.String("d"), ConnectionArn: c.ConnectionArn, HttpMethod: "POST", InvocationEndpoint: &url, InvocationRateLimitPerSecond: aws.Int32(1)}))
	n.rule(t, "r", shop, types.Target{Arn: d.ApiDestinationArn})
	n.put(t, entry("{}"))
	delivery := n.queue.take(t)[0]
	busy := 0
	for range 5 {
		var e *bus.DeliveryError
		if err := n.service.Deliver(ctx, delivery); errors.As(err, &e) && e.Code == "RATE_EXCEEDED" && e.After > 0 && !bus.Permanent(err) {
			busy++
		} else if err != nil {
			t.Error(err)
		}
	}
	if busy < 2 || len(*seen)+busy != 5 {
		t.Errorf("%d were too many, %d arrived", busy, len(*seen))
	}
}
