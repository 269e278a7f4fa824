package function_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/invoke"
	"github.com/mayfly-cloud/mayfly/internal/sdkhttp"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// client is AWS's own, in front of a world's API; nothing is signed.
func (w *world) client(t *testing.T) *lambda.Client {
	t.Helper()
	router, err := wire.New(w.API(w.invoker))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		requestID := id.UUID()
		call, err := router.Match(r)
		if err != nil {
			router.WriteError(rw, r, err, requestID)
			return
		}
		var body []byte
		if !call.Streams() {
			if body, err = io.ReadAll(r.Body); err != nil {
				t.Error(err)
			}
		}
		in, err := call.Decode(r, body)
		if err != nil {
			call.WriteError(rw, err, requestID)
			return
		}
		call.Serve(id.WithRequest(r.Context(), requestID), rw, in, requestID)
	}))
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
	})
	return lambda.New(lambda.Options{
		BaseEndpoint: &server.URL, Region: region, HTTPClient: &http.Client{Transport: sdkhttp.Over(transport)},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "secret"}, nil
		}),
		RetryMaxAttempts: 1,
	})
}

func (w *world) createInput(name string) *lambda.CreateFunctionInput {
	return &lambda.CreateFunctionInput{
		FunctionName: &name, Role: aws.String(role), Runtime: types.RuntimeNodejs22x, Handler: aws.String("index.handler"),
		Code: &types.FunctionCode{ZipFile: zipOf(w.t, "index.js", "exports.handler = async e => e")},
	}
}

func TestSDKCreatesAndReads(t *testing.T) {
	w := newWorld(t)
	c := w.client(t)
	ctx := context.Background()
	in := w.createInput("hello")
	in.Description, in.MemorySize, in.Timeout, in.Publish = aws.String("says hello"), aws.Int32(256), aws.Int32(10), true
	in.Environment = &types.Environment{Variables: map[string]string{"STAGE": "test"}}
	in.Tags = map[string]string{"team": "core"}
	created, err := c.CreateFunction(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	if *created.FunctionArn != prefix+"function:hello:1" || *created.Version != "1" {
		t.Errorf("got %s, version %s", *created.FunctionArn, *created.Version)
	}

	got, err := c.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("hello")})
	if err != nil {
		t.Fatal(err)
	}
	conf := got.Configuration
	if *conf.LastModified != "2026-01-02T03:04:05.006+0000" {
		t.Errorf("LastModified is %s", *conf.LastModified)
	}
	if diff := cmp.Diff(map[string]string{"team": "core"}, got.Tags); diff != "" {
		t.Error(diff)
	}
	if conf.State != types.StateActive || conf.LastUpdateStatus != types.LastUpdateStatusSuccessful {
		t.Errorf("state %s, last update %s", conf.State, conf.LastUpdateStatus)
	}
	if *conf.FunctionArn != prefix+"function:hello" || *conf.MemorySize != 256 || *conf.Timeout != 10 ||
		conf.PackageType != types.PackageTypeZip || *conf.EphemeralStorage.Size != 512 ||
		conf.Environment.Variables["STAGE"] != "test" || *conf.LoggingConfig.LogGroup != "/aws/lambda/hello" {
		t.Errorf("got %+v", conf)
	}
	if err := lambda.NewFunctionActiveV2Waiter(c).Wait(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("hello")}, time.Second); err != nil {
		t.Error(err)
	}
	if err := lambda.NewFunctionUpdatedV2Waiter(c).Wait(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("hello")}, time.Second); err != nil {
		t.Error(err)
	}
	if err := lambda.NewPublishedVersionActiveWaiter(c).Wait(ctx, &lambda.GetFunctionConfigurationInput{
		FunctionName: aws.String("hello"), Qualifier: aws.String("1")}, time.Second); err != nil {
		t.Error(err)
	}

	_, err = c.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("nobody")})
	var missing *types.ResourceNotFoundException
	if !errors.As(err, &missing) || *missing.Type != "User" || *missing.Message != "Function not found: "+prefix+"function:nobody" {
		t.Errorf("got %v", err)
	}
}

func TestSDKReadsWhatToolsRead(t *testing.T) {
	w := newWorld(t)
	c := w.client(t)
	ctx := context.Background()
	w.create("hello")
	name := aws.String("hello")
	if _, err := c.GetFunctionCodeSigningConfig(ctx, &lambda.GetFunctionCodeSigningConfigInput{FunctionName: name}); err != nil {
		t.Error(err)
	}
	management, err := c.GetRuntimeManagementConfig(ctx, &lambda.GetRuntimeManagementConfigInput{FunctionName: name})
	if err != nil || management.UpdateRuntimeOn != types.UpdateRuntimeOnAuto || *management.FunctionArn != prefix+"function:hello:$LATEST" {
		t.Errorf("got %+v, %v", management, err)
	}
	if _, err := c.PutRuntimeManagementConfig(ctx, &lambda.PutRuntimeManagementConfigInput{FunctionName: name, UpdateRuntimeOn: types.UpdateRuntimeOnFunctionUpdate}); err != nil {
		t.Error(err)
	}
	if management, _ = c.GetRuntimeManagementConfig(ctx, &lambda.GetRuntimeManagementConfigInput{FunctionName: name}); management.UpdateRuntimeOn != types.UpdateRuntimeOnFunctionUpdate {
		t.Errorf("got %+v", management)
	}
	if _, err := c.PutFunctionRecursionConfig(ctx, &lambda.PutFunctionRecursionConfigInput{FunctionName: name, RecursiveLoop: types.RecursiveLoopAllow}); err != nil {
		t.Error(err)
	}
	recursion, err := c.GetFunctionRecursionConfig(ctx, &lambda.GetFunctionRecursionConfigInput{FunctionName: name})
	if err != nil || recursion.RecursiveLoop != types.RecursiveLoopAllow {
		t.Errorf("got %+v, %v", recursion, err)
	}
	concurrency, err := c.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: name})
	if err != nil || concurrency.ReservedConcurrentExecutions != nil {
		t.Errorf("got %+v, %v", concurrency, err)
	}
	mappings, err := c.ListEventSourceMappings(ctx, &lambda.ListEventSourceMappingsInput{FunctionName: name})
	if err != nil || mappings.EventSourceMappings == nil || len(mappings.EventSourceMappings) > 0 {
		t.Errorf("got %+v, %v", mappings, err)
	}
	settings, err := c.GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if err != nil || settings.AccountUsage.FunctionCount != 1 || settings.AccountLimit.CodeSizeUnzipped != 262144000 {
		t.Errorf("got %+v, %v", settings, err)
	}
	_, err = c.CreateCapacityProvider(ctx, &lambda.CreateCapacityProviderInput{
		CapacityProviderName: name, PermissionsConfig: &types.CapacityProviderPermissionsConfig{CapacityProviderOperatorRoleArn: aws.String(role)},
		VpcConfig: &types.CapacityProviderVpcConfig{SecurityGroupIds: []string{"sg-12345678"}, SubnetIds: []string{"subnet-12345678"}},
	})
	if err == nil || !strings.Contains(err.Error(), "CreateCapacityProvider") {
		t.Errorf("got %v, want the operation named", err)
	}
}

func TestSDKNamesWhatIsNotSupported(t *testing.T) {
	w := newWorld(t)
	c := w.client(t)
	tests := map[string]func(*lambda.CreateFunctionInput){
		"PackageType Image": func(in *lambda.CreateFunctionInput) { in.PackageType = types.PackageTypeImage },
		"Code.ImageUri":     func(in *lambda.CreateFunctionInput) { in.Code.ImageUri = aws.String("x") },
		"VpcConfig":         func(in *lambda.CreateFunctionInput) { in.VpcConfig = &types.VpcConfig{SubnetIds: []string{"subnet-1"}} },
		"FileSystemConfigs": func(in *lambda.CreateFunctionInput) {
			in.FileSystemConfigs = []types.FileSystemConfig{{Arn: aws.String("x"), LocalMountPath: aws.String("/mnt/x")}}
		},
		"KMSKeyArn": func(in *lambda.CreateFunctionInput) {
			in.KMSKeyArn = aws.String("arn:aws:kms:eu-central-1:123456789012:key/x")
		},
		"SnapStart": func(in *lambda.CreateFunctionInput) {
			in.SnapStart = &types.SnapStart{ApplyOn: types.SnapStartApplyOnPublishedVersions}
		},
		"CodeSigningConfigArn": func(in *lambda.CreateFunctionInput) { in.CodeSigningConfigArn = aws.String("x") },
		"ImageConfig":          func(in *lambda.CreateFunctionInput) { in.ImageConfig = &types.ImageConfig{} },
		"TenancyConfig": func(in *lambda.CreateFunctionInput) {
			in.TenancyConfig = &types.TenancyConfig{TenantIsolationMode: types.TenantIsolationModePerTenant}
		},
		"DurableConfig": func(in *lambda.CreateFunctionInput) { in.DurableConfig = &types.DurableConfig{} },
		"CapacityProviderConfig": func(in *lambda.CreateFunctionInput) {
			in.CapacityProviderConfig = &types.CapacityProviderConfig{LambdaManagedInstancesCapacityProviderConfig: &types.LambdaManagedInstancesCapacityProviderConfig{CapacityProviderArn: aws.String("x")}}
		},
	}
	for parameter, set := range tests {
		t.Run(parameter, func(t *testing.T) {
			in := w.createInput("hello")
			set(in)
			_, err := c.CreateFunction(context.Background(), in)
			var e smithy.APIError
			if !errors.As(err, &e) || e.ErrorCode() != "InvalidParameterValueException" || !strings.Contains(e.ErrorMessage(), parameter+" is not supported") {
				t.Errorf("got %v", err)
			}
		})
	}
	in := w.createInput("hello") // what says "none" passes
	in.VpcConfig, in.SnapStart, in.KMSKeyArn = &types.VpcConfig{}, &types.SnapStart{ApplyOn: types.SnapStartApplyOnNone}, aws.String("")
	if _, err := c.CreateFunction(context.Background(), in); err != nil {
		t.Error(err)
	}
}

func TestSDKInvokes(t *testing.T) {
	w := newWorld(t)
	c := w.client(t)
	ctx := context.Background()
	w.create("hello")
	w.invoker.answer = func(r invoke.Request) (*invoke.Response, error) {
		return &invoke.Response{Payload: []byte(`{"errorType":"Error"}`), FunctionError: "Unhandled", Version: "3", LogTail: []byte("REPORT")}, nil
	}
	out, err := c.Invoke(ctx, &lambda.InvokeInput{
		FunctionName: aws.String("hello"), Qualifier: aws.String("live"), Payload: []byte(`{"a":1}`), LogType: types.LogTypeTail,
		ClientContext: aws.String(base64.StdEncoding.EncodeToString([]byte(`{"custom":{}}`))),
	})
	if err != nil {
		t.Fatal(err)
	}
	tail, _ := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
	if out.StatusCode != 200 || string(out.Payload) != `{"errorType":"Error"}` || *out.FunctionError != "Unhandled" ||
		*out.ExecutedVersion != "3" || string(tail) != "REPORT" {
		t.Errorf("got %+v", out)
	}
	asked := w.invoker.last()
	if len(asked.ID) != 36 {
		t.Errorf("the id is %q", asked.ID)
	}
	asked.ID = ""
	want := invoke.Request{Function: "hello", Qualifier: "live", Payload: []byte(`{"a":1}`), ClientContext: `{"custom":{}}`, Tail: true}
	if diff := cmp.Diff(want, asked, cmpopts.IgnoreUnexported(asked)); diff != "" {
		t.Error(diff)
	}

	event, err := c.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("hello"), InvocationType: types.InvocationTypeEvent})
	if err != nil || event.StatusCode != 202 || len(event.Payload) > 0 {
		t.Errorf("got %+v, %v", event, err)
	}
	asked2, err := c.InvokeAsync(ctx, &lambda.InvokeAsyncInput{FunctionName: aws.String("hello"), InvokeArgs: strings.NewReader(`{"b":2}`)})
	if err != nil || asked2.Status != 202 || string(w.invoker.last().Payload) != `{"b":2}` {
		t.Errorf("got %+v, %v", asked2, err)
	}
	dry, err := c.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("hello"), InvocationType: types.InvocationTypeDryRun})
	if err != nil || dry.StatusCode != 204 {
		t.Errorf("got %+v, %v", dry, err)
	}
	for name, in := range map[string]*lambda.InvokeInput{
		"ResourceNotFoundException":      {FunctionName: aws.String("nobody"), InvocationType: types.InvocationTypeDryRun},
		"ValidationException":            {FunctionName: aws.String("hello"), InvocationType: "Soon"},
		"InvalidRequestContentException": {FunctionName: aws.String("hello"), ClientContext: aws.String("{}")},
		"InvalidParameterValueException": {FunctionName: aws.String("hello"), TenantId: aws.String("x")},
	} {
		_, err := c.Invoke(ctx, in)
		var e smithy.APIError
		if !errors.As(err, &e) || e.ErrorCode() != name {
			t.Errorf("got %v, want %s", err, name)
		}
	}
	w.invoker.answer = func(invoke.Request) (*invoke.Response, error) {
		e := fault.New(429, "TooManyRequestsException", "Rate Exceeded.").With("Reason", "ReservedFunctionConcurrentInvocationLimitExceeded")
		return nil, e
	}
	_, err = c.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("hello")})
	var throttled *types.TooManyRequestsException
	if !errors.As(err, &throttled) || throttled.Reason != types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded {
		t.Errorf("got %v", err)
	}
}

func TestSDKStreams(t *testing.T) {
	w := newWorld(t)
	c := w.client(t)
	w.create("hello")
	w.invoker.stream = func(_ invoke.Request, s invoke.Stream) (*invoke.Response, error) {
		if err := s.Begin("text/plain"); err != nil {
			return nil, err
		}
		for _, part := range []string{"one ", "two"} {
			if _, err := io.WriteString(s, part); err != nil {
				return nil, err
			}
		}
		return &invoke.Response{FunctionError: "Unhandled", Payload: []byte(`{"errorType":"Boom","errorMessage":"x"}`), LogTail: []byte("log")}, nil
	}
	out, err := c.InvokeWithResponseStream(context.Background(), &lambda.InvokeWithResponseStreamInput{
		FunctionName: aws.String("hello"), LogType: types.LogTypeTail,
	})
	if err != nil {
		t.Fatal(err)
	}
	if out.StatusCode != 200 || *out.ExecutedVersion != "$LATEST" || *out.ResponseStreamContentType != "application/vnd.amazon.eventstream" {
		t.Errorf("got %+v", out)
	}
	var body string
	var done types.InvokeWithResponseStreamCompleteEvent
	for e := range out.GetStream().Events() {
		switch e := e.(type) {
		case *types.InvokeWithResponseStreamResponseEventMemberPayloadChunk:
			body += string(e.Value.Payload)
		case *types.InvokeWithResponseStreamResponseEventMemberInvokeComplete:
			done = e.Value
		}
	}
	if err := out.GetStream().Close(); err != nil {
		t.Error(err)
	}
	if body != "one two" || aws.ToString(done.ErrorCode) != "Boom" || !json.Valid([]byte(aws.ToString(done.ErrorDetails))) || aws.ToString(done.LogResult) != "bG9n" {
		t.Errorf("got %q, %+v", body, done)
	}

	w.invoker.stream = func(invoke.Request, invoke.Stream) (*invoke.Response, error) {
		return nil, fault.New(429, "TooManyRequestsException", "Rate Exceeded.")
	}
	_, err = c.InvokeWithResponseStream(context.Background(), &lambda.InvokeWithResponseStreamInput{FunctionName: aws.String("hello")})
	var throttled *types.TooManyRequestsException
	if !errors.As(err, &throttled) {
		t.Errorf("got %v", err)
	}
}

func TestSDKAliasesURLsAndLayers(t *testing.T) {
	w := newWorld(t)
	c := w.client(t)
	ctx := context.Background()
	w.create("hello")
	w.publish("hello")
	w.changeAndPublish("hello", 5)
	name := aws.String("hello")
	alias, err := c.CreateAlias(ctx, &lambda.CreateAliasInput{
		FunctionName: name, Name: aws.String("live"), FunctionVersion: aws.String("1"),
		RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 0.1}},
	})
	if err != nil || *alias.AliasArn != prefix+"function:hello:live" || alias.RoutingConfig.AdditionalVersionWeights["2"] != 0.1 {
		t.Fatalf("got %+v, %v", alias, err)
	}
	url, err := c.CreateFunctionUrlConfig(ctx, &lambda.CreateFunctionUrlConfigInput{
		FunctionName: name, Qualifier: aws.String("live"), AuthType: types.FunctionUrlAuthTypeNone,
		Cors: &types.Cors{AllowOrigins: []string{"*"}, MaxAge: aws.Int32(60)},
	})
	if err != nil || !strings.HasSuffix(*url.FunctionUrl, ".lambda-url."+region+".localhost:4566/") || *url.Cors.MaxAge != 60 {
		t.Fatalf("got %+v, %v", url, err)
	}
	urls, err := c.ListFunctionUrlConfigs(ctx, &lambda.ListFunctionUrlConfigsInput{FunctionName: name})
	if err != nil || len(urls.FunctionUrlConfigs) != 1 || *urls.FunctionUrlConfigs[0].FunctionUrl != *url.FunctionUrl {
		t.Errorf("got %+v, %v", urls, err)
	}
	layer, err := c.PublishLayerVersion(ctx, &lambda.PublishLayerVersionInput{
		LayerName: aws.String("tools"), Content: &types.LayerVersionContentInput{ZipFile: zipOf(t, "bin/x", "y")},
		CompatibleRuntimes: []types.Runtime{types.RuntimeNodejs22x},
	})
	if err != nil || *layer.LayerVersionArn != prefix+"layer:tools:1" || layer.Version != 1 || *layer.Content.CodeSha256 == "" {
		t.Fatalf("got %+v, %v", layer, err)
	}
	byARN, err := c.GetLayerVersionByArn(ctx, &lambda.GetLayerVersionByArnInput{Arn: layer.LayerVersionArn})
	if err != nil || *byARN.Content.CodeSha256 != *layer.Content.CodeSha256 {
		t.Errorf("got %+v, %v", byARN, err)
	}
	updated, err := c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: name, Layers: []string{*layer.LayerVersionArn}})
	if err != nil || len(updated.Layers) != 1 || *updated.Layers[0].Arn != *layer.LayerVersionArn {
		t.Errorf("got %+v, %v", updated, err)
	}
	without, err := c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: name, Layers: []string{}})
	if err != nil || len(without.Layers) != 0 {
		t.Errorf("got %+v, %v", without, err)
	}
	permission, err := c.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: name, StatementId: aws.String("s3"), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("s3.amazonaws.com"), SourceArn: aws.String("arn:aws:s3:::bucket"), SourceAccount: aws.String(account),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"Sid":"s3","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + prefix +
		`function:hello","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::bucket"},"StringEquals":{"AWS:SourceAccount":"123456789012"}}}`
	if diff := cmp.Diff(want, *permission.Statement); diff != "" {
		t.Error(diff)
	}
	policy, err := c.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: name})
	if err != nil || *policy.Policy != `{"Version":"2012-10-17","Id":"default","Statement":[`+want+`]}` {
		t.Errorf("got %+v, %v", policy, err)
	}
	if _, err := c.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: name}); err != nil {
		t.Error(err)
	}
}
