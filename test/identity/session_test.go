package identity_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/mayfly-cloud/mayfly/test/node"
)

func TestAssumedRoles(t *testing.T) {
	n := node.Start(t)
	n.CreateJS("one", answers)
	n.CreateJS("two", answers)
	ctx := t.Context()
	role := "arn:aws:iam::" + n.Account + ":role/operator"
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + n.Account + `"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"42"}}}]}`
	if _, err := n.IAM().CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("operator"), AssumeRolePolicyDocument: &trust}); err != nil {
		t.Fatal(err)
	}
	n.AllowRole("operator", "own", allow("lambda:InvokeFunction", "*"))
	ada := n.MakeUser("ada", allow("sts:AssumeRole", role))
	assume := func(as *node.Node, external *string, policy *string) (*types.Credentials, error) {
		out, err := as.STS().AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("work"), ExternalId: external, Policy: policy})
		if err != nil {
			return nil, err
		}
		return out.Credentials, nil
	}
	call := func(c *types.Credentials, function string) error {
		client := lambda.New(lambda.Options{Region: node.Region, BaseEndpoint: aws.String(n.URL()), Retryer: aws.NopRetryer{},
			Credentials: credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)})
		_, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &function})
		return err
	}
	wants(t, "as herself", invoke(ada, t, "one"), "AccessDeniedException")
	_, err := assume(ada, nil, nil)
	wants(t, "without the external id", err, "AccessDenied: ", "sts:AssumeRole on resource: "+role)
	_, err = assume(n.MakeUser("eve"), aws.String("42"), nil)
	wants(t, "who may not assume it", err, "AccessDenied: ", "sts:AssumeRole")

	whole, err := assume(ada, aws.String("42"), nil)
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "the role's function", call(whole, "two"), "allowed")
	narrow, err := assume(ada, aws.String("42"), aws.String(node.PolicyOf(allow("lambda:*", arn(n, "one")))))
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "within the session policy", call(narrow, "one"), "allowed")
	wants(t, "outside of it", call(narrow, "two"), "AccessDeniedException: User: arn:aws:sts::"+n.Account+":assumed-role/operator/work", "because no session policy allows")

	if _, err := n.IAM().DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: aws.String("operator"), PolicyName: aws.String("own")}); err != nil {
		t.Fatal(err)
	}
	wants(t, "what the role may no longer", call(whole, "two"), "AccessDeniedException", "no identity-based policy allows")
	if _, err := n.IAM().DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: aws.String("operator")}); err != nil {
		t.Fatal(err)
	}
	wants(t, "of a role that is gone", call(whole, "two"), "UnrecognizedClientException")
}

func TestRootIsRotated(t *testing.T) {
	n := node.Start(t)
	list := func(as *node.Node) error {
		_, err := as.Lambda().ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
		return err
	}
	root := func() *node.Node {
		t.Helper()
		env := map[string]string{}
		n.JSON(&env, "env")
		return n.As(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"])
	}
	first := root()
	n.Must("rotate-root")
	second := root()
	wants(t, "the old keys", list(first), "UnrecognizedClientException")
	wants(t, "the new keys", list(second), "allowed")
	n.Stop()
	n.Must("rotate-root") // nobody there to ask
	n.Restart()
	wants(t, "the keys of before", list(second), "UnrecognizedClientException")
	wants(t, "those of now", list(root()), "allowed")
}
