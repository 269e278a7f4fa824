package identity_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/mayfly-cloud/mayfly/test/node"
)

// A compromised function reaches nothing but what its role names.
func TestFunctionsRunAsTheirRole(t *testing.T) {
	n := node.Start(t)
	n.CreateJS("one", answers)
	n.CreateJS("two", answers)
	group := "arn:aws:logs:" + node.Region + ":" + n.Account + ":log-group:/aws/lambda/caller:*"
	createCaller(n, t, "caller", allow("lambda:InvokeFunction", arn(n, "one")), allow([]string{"logs:FilterLogEvents", "logs:DescribeLogStreams"}, group))

	who := ask(n, t, "caller", "sts", "get_caller_identity", nil)
	if !strings.Contains(who, "arn:aws:sts::"+n.Account+":assumed-role/caller-role/caller") {
		t.Errorf("it is %s", who)
	}
	logged(n, t, "caller")
	invoke := func(name string) map[string]any { return map[string]any{"FunctionName": name} }
	read := func(name string) map[string]any { return map[string]any{"logGroupName": "/aws/lambda/" + name} }
	for _, tt := range []struct {
		what, service, call string
		with                map[string]any
		want                string
	}{
		{"the function it may call", "lambda", "invoke", invoke("one"), "allowed"},
		{"another function", "lambda", "invoke", invoke("two"), "AccessDeniedException: User: arn:aws:sts::" + n.Account + ":assumed-role/caller-role/caller is not authorized to perform: lambda:InvokeFunction on resource: " + arn(n, "two")},
		{"itself", "lambda", "invoke", invoke("caller"), "AccessDeniedException"},
		{"its own log", "logs", "filter_log_events", read("caller"), "allowed"},
		{"another's log", "logs", "filter_log_events", read("one"), "AccessDeniedException"},
		{"deleting its log", "logs", "delete_log_group", read("caller"), "AccessDeniedException"},
		{"more rights", "iam", "attach_role_policy", map[string]any{"RoleName": "caller-role", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}, "AccessDenied"},
		{"another role", "sts", "assume_role", map[string]any{"RoleArn": n.Role, "RoleSessionName": "more"}, "AccessDenied"},
	} {
		if got := ask(n, t, "caller", tt.service, tt.call, tt.with); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: got %s\nwant %s", tt.what, got, tt.want)
		}
	}
	n.AllowRole("caller-role", "more", allow("lambda:InvokeFunction", arn(n, "two")))
	if got := ask(n, t, "caller", "lambda", "invoke", invoke("two")); !strings.HasPrefix(got, "allowed") {
		t.Errorf("a permission counts at once, also in environments that run: %s", got)
	}
}

// A function gets its secrets by its role, and no others.
func TestFunctionsReadTheirSecretsAlone(t *testing.T) {
	n := node.Start(t)
	createCaller(n, t, "setup", allow([]string{"ssm:*", "secretsmanager:*", "kms:*"}, "*"))
	for _, name := range []string{"/app/password", "/other/password"} {
		if got := ask(n, t, "setup", "ssm", "put_parameter", map[string]any{"Name": name, "Value": "sesame", "Type": "SecureString"}); !strings.HasPrefix(got, "allowed") {
			t.Fatal(got)
		}
	}
	if got := ask(n, t, "setup", "secretsmanager", "create_secret", map[string]any{"Name": "app", "SecretString": "sesame"}); !strings.HasPrefix(got, "allowed") {
		t.Fatal(got)
	}
	createCaller(n, t, "app", allow("ssm:GetParameter", "arn:aws:ssm:"+node.Region+":"+n.Account+":parameter/app/*"),
		allow("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:"+node.Region+":"+n.Account+":secret:app-??????"))
	parameter := func(name string, decrypt bool) map[string]any {
		return map[string]any{"Name": name, "WithDecryption": decrypt}
	}
	for _, tt := range []struct {
		what, service, call string
		with                map[string]any
		want, has           string
	}{
		{"its parameter", "ssm", "get_parameter", parameter("/app/password", true), "allowed", "sesame"},
		{"another's", "ssm", "get_parameter", parameter("/other/password", true), "AccessDeniedException", "ssm:GetParameter"},
		{"its secret", "secretsmanager", "get_secret_value", map[string]any{"SecretId": "app"}, "allowed", "sesame"},
		{"all secrets", "secretsmanager", "list_secrets", nil, "AccessDeniedException", "secretsmanager:ListSecrets"},
		{"the keys", "kms", "list_keys", nil, "AccessDeniedException", "kms:ListKeys"},
	} {
		if got := ask(n, t, "app", tt.service, tt.call, tt.with); !strings.HasPrefix(got, tt.want) || !strings.Contains(got, tt.has) {
			t.Errorf("%s: got %s\nwant %s ... %s", tt.what, got, tt.want, tt.has)
		}
	}
}

// What a deleted role's credentials could do, they can do no more; and nothing starts
// under it.
func TestDeletedRolesAreWorthless(t *testing.T) {
	n := node.Start(t)
	createCaller(n, t, "caller", allow("lambda:ListFunctions", "*"))
	if got := ask(n, t, "caller", "lambda", "list_functions", nil); !strings.HasPrefix(got, "allowed") {
		t.Fatal(got)
	}
	ctx, client, role := t.Context(), n.IAM(), aws.String("caller-role")
	_, err := client.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: role, PolicyArn: aws.String("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")})
	if err == nil {
		_, err = client.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: role, PolicyName: aws.String("own")})
	}
	if err == nil {
		_, err = client.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: role})
	}
	if err != nil {
		t.Fatal(err)
	}
	const cannot = "AccessDeniedException: The role defined for the function cannot be assumed by Lambda."
	refused := func() string {
		out, err := n.Lambda().Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("caller"), Payload: []byte(`{"service":"lambda","call":"list_functions"}`)})
		if err != nil {
			return said(err)
		}
		return string(out.Payload)
	}
	const worthless = "UnrecognizedClientException: The security token included in the request is invalid."
	if got := refused(); !strings.Contains(got, worthless) {
		t.Errorf("in the environment that was there: %s", got)
	}
	replace := func() { // the environment, by one of other settings
		t.Helper()
		if _, err := n.Lambda().UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("caller"), MemorySize: aws.Int32(512)}); err != nil {
			t.Fatal(err)
		}
	}
	replace()
	if got := refused(); got != cannot {
		t.Errorf("in a new environment: %s", got)
	}
	n.MakeRole("caller-role")
	if got := refused(); !strings.Contains(got, "AccessDeniedException: User:") {
		t.Errorf("under a new role of the name: %s", got)
	}
}

// It is the function's role that hands on what an asynchronous call leaves behind.
func TestDestinationsAskTheRole(t *testing.T) {
	n := node.Start(t)
	n.CreateJS("next", `exports.handler = async (event) => { console.log('got', event.responsePayload) }`)
	n.CreateJS("first", answers)
	_, err := n.Lambda().PutFunctionEventInvokeConfig(t.Context(), &lambda.PutFunctionEventInvokeConfigInput{FunctionName: aws.String("first"),
		DestinationConfig: &types.DestinationConfig{OnSuccess: &types.OnSuccess{Destination: aws.String(arn(n, "next"))}}})
	if err != nil {
		t.Fatal(err)
	}
	send := func() {
		t.Helper()
		if _, err := n.Lambda().Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("first"), InvocationType: types.InvocationTypeEvent, Payload: []byte(`{}`)}); err != nil {
			t.Fatal(err)
		}
	}
	send()
	logged(n, t, "first")
	n.AllowRole("test", "hand-on", allow("lambda:InvokeFunction", arn(n, "next")))
	logged(n, t, "next") // what was refused is tried again
}

// Nobody writes into another function's log by configuring their own for it: that takes
// the role's permission.
func TestOthersLogsAskTheRole(t *testing.T) {
	n := node.Start(t)
	role := n.MakeRole("writer-role")
	_, err := n.IAM().DetachRolePolicy(t.Context(), &iam.DetachRolePolicyInput{RoleName: aws.String("writer-role"), PolicyArn: aws.String("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")})
	if err != nil {
		t.Fatal(err)
	}
	n.Create("writer", types.RuntimeNodejs20x, node.Zip(t, map[string]string{"index.js": `exports.handler = async () => console.log('for another')`}), func(in *lambda.CreateFunctionInput) {
		in.Role = &role
		in.LoggingConfig = &types.LoggingConfig{LogGroup: aws.String("/aws/lambda/victim")}
	})
	n.CreateJS("after", answers)
	n.Invoke("writer", `{}`)
	n.Invoke("after", `{}`)
	logged(n, t, "after") // and what was logged before it
	out, err := n.Logs().DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/aws/lambda/victim")})
	if err != nil || len(out.LogGroups) > 0 {
		t.Errorf("without permission: %v, %v", out, err)
	}
	n.AllowRole("writer-role", "log", allow("logs:PutLogEvents", "arn:aws:logs:"+node.Region+":"+n.Account+":log-group:/aws/lambda/victim:*"))
	_, err = n.Lambda().UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("writer"), Description: aws.String("in a new environment")})
	if err != nil {
		t.Fatal(err)
	}
	n.Invoke("writer", `{}`)
	logged(n, t, "victim")
}
