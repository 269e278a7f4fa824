package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/mayfly-cloud/mayfly/test/node"
)

// tell answers with the credentials that the function runs under.
const tell = `export const handler = async () => ({id: process.env.AWS_ACCESS_KEY_ID,
	secret: process.env.AWS_SECRET_ACCESS_KEY, token: process.env.AWS_SESSION_TOKEN});`

// asFunction is a client with the credentials of a function.
func asFunction(t *testing.T, n *node.Node, function string) *lambda.Client {
	t.Helper()
	var c struct{ ID, Secret, Token string }
	at(t, n, "invoke", "-q", function).decode(t, &c)
	o := n.Lambda().Options()
	o.Credentials = credentials.NewStaticCredentialsProvider(c.ID, c.Secret, c.Token)
	return lambda.New(o)
}

// policies are the inline policies of a role, by name; nil if there is no such role.
func policies(t *testing.T, n *node.Node, role string) map[string]string {
	t.Helper()
	c := n.IAM()
	list, err := c.ListRolePolicies(t.Context(), &iam.ListRolePoliciesInput{RoleName: &role})
	if err != nil {
		return nil
	}
	all := map[string]string{}
	for _, name := range list.PolicyNames {
		p, err := c.GetRolePolicy(t.Context(), &iam.GetRolePolicyInput{RoleName: &role, PolicyName: &name})
		if err != nil {
			t.Fatal(err)
		}
		text, err := url.PathUnescape(aws.ToString(p.PolicyDocument))
		var out bytes.Buffer
		if err == nil {
			err = json.Compact(&out, []byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
		all[name] = out.String()
	}
	return all
}

// A new function may write its log and nothing else. What it is refused is on record,
// explained, and allowed by what the explanation prints.
func TestFromRefusalToPermission(t *testing.T) {
	n := node.Start(t)
	dir := folder(t, "teller", "index.mjs", tell)
	at(t, n, "deploy", dir).check(t, 0, "http://", "ready")
	at(t, n, "deploy", folder(t, "shout", "index.mjs", shout)).check(t, 0, "http://", "ready")
	if p := policies(t, n, "mayfly-teller"); len(p) != 1 || !strings.Contains(p["mayfly-logging"], "log-group:/aws/lambda/teller:*") || strings.Contains(p["mayfly-logging"], `"*"`) {
		t.Errorf("a new function's policies: %v", p)
	}
	teller := asFunction(t, n, "teller")
	call := func() error {
		_, err := teller.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("shout"), Payload: []byte(`{"word":"hi"}`)})
		return err
	}
	if err := call(); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Fatalf("the call was not refused: %v", err)
	}

	got := at(t, n, "audit", "--denied", "--user", "teller")
	got.check(t, 0, "teller (mayfly-teller)  lambda:Invoke  shout  127.0.0.1  denied: mayfly why-denied ", "")
	_, rest, _ := strings.Cut(got.stdout, "why-denied ")
	request := strings.TrimSpace(rest)

	why := at(t, n, "why-denied", request)
	for _, want := range []string{"teller was refused lambda:InvokeFunction\n", ":function:shout\n", "assumed-role/mayfly-teller/teller",
		"no identity-based policy allows it", "identity-based policy mayfly-logging\n", "lambda:InvokeFunction is not logs:CreateLogGroup",
		`{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:` + n.Account + `:function:shout"}`,
		"mayfly deploy DIR --name teller --allow 'lambda:InvokeFunction on arn:aws:lambda:"} {
		why.check(t, 0, want, "")
	}
	file := filepath.Join(t.TempDir(), "more.json")
	if err := os.WriteFile(file, []byte(at(t, n, "why-denied", "--policy", request).stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	at(t, n, "deploy", dir, "--policy", file).check(t, 0, "http://", "allowed what the policy says\n")
	if err := call(); err != nil {
		t.Errorf("with what was recommended: %v", err)
	}
	at(t, n, "why-denied", "0-0-0").check(t, 1, "", "mayfly audit --denied")
}

func TestDeployGrants(t *testing.T) {
	n := node.Start(t)
	dir := folder(t, "teller", "index.mjs", tell)
	own := func() map[string]string { return policies(t, n, "mayfly-teller") }

	at(t, n, "deploy", dir, "--allow", "s3:GetObject on shelf books").check(t, 1, "", "ACTION on RESOURCE")
	bad := filepath.Join(t.TempDir(), "bad.json")
	if err := os.WriteFile(bad, []byte(`{"Effect":"Maybe","Action":"s3:*","Resource":"*"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	at(t, n, "deploy", dir, "--policy", bad).check(t, 1, "", "olicy")
	if own() != nil {
		t.Error("a refused deployment left a role")
	}
	at(t, n, "deploy", dir, "--memory", "7", "--allow", "s3:GetObject on photos/*").check(t, 1, "", "memorySize")
	if own() != nil {
		t.Error("a refused function left a role")
	}

	var made struct{ Role string }
	at(t, n, "deploy", dir, "--allow", "s3:GetObject,s3:PutObject on photos/*", "--allow", "dynamodb:PutItem on table orders", "--json").decode(t, &made)
	const photos = `{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::photos/*"}`
	orders := `{"Effect":"Allow","Action":["dynamodb:PutItem"],"Resource":"arn:aws:dynamodb:us-east-1:` + n.Account + `:table/orders"}`
	has := func(what string, statements ...string) {
		t.Helper()
		want := ""
		if len(statements) > 0 {
			want = `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
		}
		if got := own()["mayfly-allow"]; got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	has("at first", photos, orders)
	if made.Role != "arn:aws:iam::"+n.Account+":role/mayfly-teller" {
		t.Errorf("role %s", made.Role)
	}
	at(t, n, "deploy", dir).check(t, 0, "http://", "the code is the same")
	has("without flags", photos, orders)
	at(t, n, "deploy", dir, "--revoke", "s3:PutObject,s3:GetObject on photos/*").check(t, 0, "http://", "no longer allowed s3:PutObject")
	has("with less", orders)
	for _, refused := range [][]string{{"--revoke", "s3:GetObject on photos/*"}, {"--policy", bad}, {"--allow", "s3:* on all/*", "--memory", "7"}} {
		got := at(t, n, append([]string{"deploy", dir, "--timeout", "9"}, refused...)...)
		if got.status != 1 || strings.Contains(got.stderr, "changed timeout") || len(own()) != 2 {
			t.Errorf("%v: %+v, policies %v", refused, got, own())
		}
	}
	has("after refusals", orders)
	at(t, n, "deploy", dir, "--revoke", "dynamodb:PutItem on orders").check(t, 0, "http://", "no longer allowed")
	has("with nothing")

	// A variable gives no permissions.
	command{args: []string{"deploy", dir}, env: []string{"MAYFLY_DATA=" + n.Data, "MAYFLY_LISTEN=" + n.Listen, "MAYFLY_ALLOW=* on *"}}.run(t).check(t, 0, "http://", "ready")
	has("by a variable")
	at(t, n, "rm", "teller").check(t, 0, "", "deleted teller\ndeleted its role mayfly-teller\n")
	if own() != nil {
		t.Error("the role is still there")
	}
}

// Roles that others made are neither changed nor removed.
func TestDeployLeavesOtherRolesAlone(t *testing.T) {
	n := node.Start(t)
	dir := folder(t, "teller", "index.mjs", tell)
	c := n.IAM()
	trust := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`
	role, err := c.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("mayfly-teller"), AssumeRolePolicyDocument: &trust})
	if err != nil {
		t.Fatal(err)
	}
	arn := aws.ToString(role.Role.Arn)
	at(t, n, "deploy", dir).check(t, 1, "", "--role "+arn)
	at(t, n, "deploy", dir, "--role", arn, "--allow", "s3:GetObject on b/*").check(t, 1, "", "[role allow]")
	at(t, n, "deploy", dir, "--role", arn).check(t, 0, "http://", "ready")
	at(t, n, "deploy", dir, "--allow", "s3:GetObject on b/*").check(t, 1, "", "did not make")
	at(t, n, "rm", "teller").check(t, 0, "", "deleted teller\n")
	if p := policies(t, n, "mayfly-teller"); p == nil || len(p) != 0 {
		t.Errorf("the role is gone, or has policies: %v", p)
	}
}

func TestAudit(t *testing.T) {
	n := node.Start(t)
	at(t, n, "deploy", folder(t, "shout", "index.mjs", shout)).check(t, 0, "http://", "ready")
	at(t, n, "invoke", "-q", "shout", `{"word":"hi"}`).check(t, 0, "HI", "")
	var list []struct{ Service, Operation, Kind, ErrorCode string }
	at(t, n, "audit", "--json", "--function", "shout", "--changes").decode(t, &list)
	var ops []string
	for _, e := range list {
		ops = append(ops, e.Operation)
	}
	if got := strings.Join(ops, " "); !strings.HasSuffix(got, "CreateFunction") || strings.Contains(got, "Invoke") || list[len(list)-1].Kind != "change" {
		t.Errorf("changes of the function: %s", got)
	}
	at(t, n, "audit", "-n", "1", "--changes").check(t, 0, "RESULT\n", "")
	at(t, n, "audit", "--user", "nobody").check(t, 0, "", "nothing like it")
	at(t, n, "audit", "--since", "1ns", "--changes", "--user", "nobody").check(t, 0, "", "nothing like it")
	at(t, n, "audit", "--denied", "--changes").check(t, 1, "", "[denied changes]")
	at(t, n, "audit", "-n", "-1").check(t, 1, "", "Leave it out")

	o := n.Lambda().Options()
	trail := cloudtrail.New(cloudtrail.Options{Region: o.Region, BaseEndpoint: o.BaseEndpoint, Retryer: o.Retryer, Credentials: o.Credentials})
	out, err := trail.LookupEvents(t.Context(), &cloudtrail.LookupEventsInput{LookupAttributes: []trailtypes.LookupAttribute{
		{AttributeKey: trailtypes.LookupAttributeKeyEventName, AttributeValue: aws.String("CreateFunction20150331")}}})
	if err != nil || len(out.Events) != 1 || aws.ToString(out.Events[0].Username) != "root" {
		t.Errorf("CloudTrail says %+v, %v", out, err)
	}
}

// What was changed and acknowledged is on record, however the node ends.
func TestAuditSurvivesKill(t *testing.T) {
	n := node.Start(t)
	user := aws.String("ada")
	if _, err := n.IAM().CreateUser(t.Context(), &iam.CreateUserInput{UserName: user}); err != nil {
		t.Fatal(err)
	}
	n.Kill()
	n.Restart()
	at(t, n, "audit", "--resource", "ada").check(t, 0, "iam:CreateUser", "")
}

func TestAuditFollows(t *testing.T) {
	n := node.Start(t)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), node.Binary(t), "audit", "-f", "--changes", "--data", n.Data, "--listen", n.Listen)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	lines := follow(out)
	for _, name := range []string{"ada", "bob"} {
		if _, err := n.IAM().CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name}); err != nil {
			t.Fatal(err)
		}
		expect(t, lines, "iam:CreateUser  "+name)
	}
	time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	cmd.Process.Signal(syscall.SIGINT)
	for range lines { // until it has ended
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("interrupted, it ended with %v", err)
	}
}
