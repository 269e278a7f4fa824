package identity_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/mayfly-cloud/mayfly/test/node"
)

func TestUsersMayWhatTheirPoliciesSay(t *testing.T) {
	n := node.Start(t)
	n.CreateJS("one", answers)
	n.CreateJS("two", answers)

	t.Run("a narrow policy", func(t *testing.T) {
		ada := n.MakeUser("ada", allow("lambda:InvokeFunction", arn(n, "one")))
		wants(t, "invoke one", invoke(ada, t, "one"), "allowed")
		wants(t, "invoke two", invoke(ada, t, "two"), "AccessDeniedException: User: arn:aws:iam::"+n.Account+":user/ada is not authorized to perform: "+
			"lambda:InvokeFunction on resource: "+arn(n, "two")+" because no identity-based policy allows the lambda:InvokeFunction action")
		_, err := ada.Lambda().GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("one")})
		wants(t, "read one", err, "AccessDeniedException", "lambda:GetFunction")
		_, err = ada.IAM().ListUsers(t.Context(), &iam.ListUsersInput{})
		wants(t, "list users", err, "AccessDenied: ", "iam:ListUsers")
	})
	t.Run("an explicit deny", func(t *testing.T) {
		eve := n.MakeUser("eve", allow("*", "*"), node.Statement{Effect: "Deny", Action: "lambda:*", Resource: arn(n, "two") + "*"})
		wants(t, "invoke one", invoke(eve, t, "one"), "allowed")
		wants(t, "invoke two", invoke(eve, t, "two"), "AccessDeniedException", "with an explicit deny in an identity-based policy")
	})
	t.Run("a boundary", func(t *testing.T) {
		bob := n.MakeUser("bob", allow("*", "*"))
		made, err := n.IAM().CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("edge"), PolicyDocument: aws.String(node.PolicyOf(allow("lambda:List*", "*")))})
		if err == nil {
			_, err = n.IAM().PutUserPermissionsBoundary(t.Context(), &iam.PutUserPermissionsBoundaryInput{UserName: aws.String("bob"), PermissionsBoundary: made.Policy.Arn})
		}
		if err != nil {
			t.Fatal(err)
		}
		_, err = bob.Lambda().ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
		wants(t, "list", err, "allowed")
		wants(t, "invoke one", invoke(bob, t, "one"), "AccessDeniedException", "no permissions boundary allows")
	})
	t.Run("a function's own policy", func(t *testing.T) {
		kim := n.MakeUser("kim")
		wants(t, "before", invoke(kim, t, "one"), "AccessDeniedException")
		_, err := n.Lambda().AddPermission(t.Context(), &lambda.AddPermissionInput{FunctionName: aws.String("one"), StatementId: aws.String("kim"),
			Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("arn:aws:iam::" + n.Account + ":user/kim")})
		if err != nil {
			t.Fatal(err)
		}
		wants(t, "after", invoke(kim, t, "one"), "allowed")
	})
	t.Run("a condition", func(t *testing.T) {
		net := func(cidr string) node.Statement {
			return node.Statement{Effect: "Allow", Action: "lambda:InvokeFunction", Resource: "*", Condition: map[string]any{"IpAddress": map[string]string{"aws:SourceIp": cidr}}}
		}
		wants(t, "from here", invoke(n.MakeUser("near", net("127.0.0.0/8")), t, "one"), "allowed")
		wants(t, "from elsewhere", invoke(n.MakeUser("far", net("10.0.0.0/8")), t, "one"), "AccessDeniedException")
	})
	t.Run("tags", func(t *testing.T) {
		_, err := n.Lambda().TagResource(t.Context(), &lambda.TagResourceInput{Resource: aws.String(arn(n, "one")), Tags: map[string]string{"team": "red"}})
		if err != nil {
			t.Fatal(err)
		}
		red := n.MakeUser("red", node.Statement{Effect: "Allow", Action: "lambda:*", Resource: "*", Condition: map[string]any{"StringEquals": map[string]string{"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}})
		wants(t, "before it is in a team", invoke(red, t, "one"), "AccessDeniedException")
		if _, err := n.IAM().TagUser(t.Context(), &iam.TagUserInput{UserName: aws.String("red"), Tags: []iamtypes.Tag{{Key: aws.String("team"), Value: aws.String("red")}}}); err != nil {
			t.Fatal(err)
		}
		wants(t, "its team's", invoke(red, t, "one"), "allowed")
		wants(t, "nobody's", invoke(red, t, "two"), "AccessDeniedException")
	})
}

func TestAccessKeysEnd(t *testing.T) {
	n := node.Start(t)
	ada := n.MakeUser("ada", allow("lambda:ListFunctions", "*"))
	list := func() error {
		_, err := ada.Lambda().ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
		return err
	}
	set := func(status iamtypes.StatusType) {
		t.Helper()
		if _, err := n.IAM().UpdateAccessKey(t.Context(), &iam.UpdateAccessKeyInput{UserName: aws.String("ada"), AccessKeyId: &ada.AccessKey, Status: status}); err != nil {
			t.Fatal(err)
		}
	}
	wants(t, "active", list(), "allowed")
	set(iamtypes.StatusTypeInactive)
	wants(t, "inactive", list(), "UnrecognizedClientException")
	set(iamtypes.StatusTypeActive)
	wants(t, "active again", list(), "allowed")
	if _, err := n.IAM().DeleteAccessKey(t.Context(), &iam.DeleteAccessKeyInput{UserName: aws.String("ada"), AccessKeyId: &ada.AccessKey}); err != nil {
		t.Fatal(err)
	}
	wants(t, "deleted", list(), "UnrecognizedClientException")
}

// Whoever makes a function hands it a role, which takes a permission of its own: else
// anybody who may make functions could do whatever any role may.
func TestRolesArePassed(t *testing.T) {
	n := node.Start(t)
	create := func(as *node.Node, name, role string) error {
		_, err := as.Lambda().CreateFunction(t.Context(), &lambda.CreateFunctionInput{FunctionName: &name, Runtime: types.RuntimeNodejs20x, Handler: aws.String("index.handler"),
			Role: &role, Code: &types.FunctionCode{ZipFile: node.Zip(t, map[string]string{"index.js": answers})}})
		return err
	}
	ada := n.MakeUser("ada", allow([]string{"lambda:CreateFunction", "lambda:UpdateFunctionConfiguration"}, "*"),
		node.Statement{Effect: "Allow", Action: "iam:PassRole", Resource: n.Role, Condition: map[string]any{"StringEquals": map[string]string{"iam:PassedToService": "lambda.amazonaws.com"}}})
	admin := n.MakeRole("admin")
	wants(t, "a role that may be passed", create(ada, "one", n.Role), "allowed")
	wants(t, "another role", create(ada, "two", admin), "AccessDeniedException", "iam:PassRole on resource: "+admin)
	_, err := ada.Lambda().UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("one"), Role: &admin})
	wants(t, "changing to another role", err, "AccessDeniedException", "iam:PassRole")

	const cannot = "InvalidParameterValueException: The role defined for the function cannot be assumed by Lambda."
	wants(t, "a role that is not there", create(n, "three", admin+"-not"), cannot)
	if _, err := n.IAM().CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("ec2"), AssumeRolePolicyDocument: aws.String(
		strings.Replace(node.LambdaTrust, "lambda", "ec2", 1))}); err != nil {
		t.Fatal(err)
	}
	wants(t, "a role of another service", create(n, "four", "arn:aws:iam::"+n.Account+":role/ec2"), cannot)
	wants(t, "a role of another account", create(n, "five", "arn:aws:iam::210987654321:role/r"), "AccessDeniedException: Cross-account pass role is not allowed.")
}

func TestFunctionURLsAskWhoCalls(t *testing.T) {
	n := node.Start(t)
	n.CreateJS("web", answers)
	made, err := n.Lambda().CreateFunctionUrlConfig(t.Context(), &lambda.CreateFunctionUrlConfigInput{FunctionName: aws.String("web"), AuthType: types.FunctionUrlAuthTypeAwsIam})
	if err != nil {
		t.Fatal(err)
	}
	get := func(as *node.Node) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, *made.FunctionUrl, nil)
		if err != nil {
			t.Fatal(err)
		}
		if as != nil {
			const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
			creds := aws.Credentials{AccessKeyID: as.AccessKey, SecretAccessKey: as.SecretKey}
			if err := v4.NewSigner().SignHTTP(t.Context(), creds, r, empty, "lambda", node.Region, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		res, err := n.Browser().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	both := []string{"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
	via := map[string]any{"Bool": map[string]string{"lambda:InvokedViaFunctionUrl": "true"}}
	urlOnly := n.MakeUser("only", node.Statement{Effect: "Allow", Action: both, Resource: arn(n, "web"), Condition: via})
	for name, tt := range map[string]struct {
		as   *node.Node
		want int
	}{
		"nobody":           {nil, 403},
		"without a policy": {n.MakeUser("none"), 403},
		"the URL alone":    {n.MakeUser("half", allow(both[0], arn(n, "web"))), 403},
		"both":             {n.MakeUser("both", allow(both, arn(n, "web"))), 200},
		"by the URL only":  {urlOnly, 200},
		"root":             {n, 200},
	} {
		if got := get(tt.as); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
	wants(t, "another way than the URL", invoke(urlOnly, t, "web"), "AccessDeniedException")
}
