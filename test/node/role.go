package node

import (
	"encoding/json"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// LambdaTrust lets functions assume a role.
const LambdaTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

// MakeRole makes a role that functions may run under, and that may write logs; it
// gives its ARN. One that is there is left as it is.
func (n *Node) MakeRole(name string) string {
	n.t.Helper()
	ctx, client := n.t.Context(), n.IAM()
	_, err := client.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(LambdaTrust)})
	var there *types.EntityAlreadyExistsException
	if err == nil {
		_, err = client.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &name,
			PolicyArn: aws.String("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")})
	} else if errors.As(err, &there) {
		err = nil
	}
	if err != nil {
		n.t.Fatalf("make role %s: %v", name, err)
	}
	return "arn:aws:iam::" + n.Account + ":role/" + name
}

// Statement is one of a policy.
type Statement struct {
	Effect    string
	Action    any
	Resource  any
	Condition any `json:",omitempty"`
}

// PolicyOf makes a document of statements.
func PolicyOf(statements ...Statement) string {
	b, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		panic(err) // texts always have an encoding
	}
	return string(b)
}

// AllowRole gives a role one more permission, as an inline policy.
func (n *Node) AllowRole(role, policy string, statements ...Statement) {
	n.t.Helper()
	_, err := n.IAM().PutRolePolicy(n.t.Context(), &iam.PutRolePolicyInput{RoleName: &role, PolicyName: &policy, PolicyDocument: aws.String(PolicyOf(statements...))})
	if err != nil {
		n.t.Fatalf("allow role %s: %v", role, err)
	}
}

// MakeUser makes a user with an inline policy, and gives the node as the user sees
// it.
func (n *Node) MakeUser(name string, statements ...Statement) *Node {
	n.t.Helper()
	ctx, client := n.t.Context(), n.IAM()
	_, err := client.CreateUser(ctx, &iam.CreateUserInput{UserName: &name})
	if err == nil && len(statements) > 0 {
		_, err = client.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String("own"), PolicyDocument: aws.String(PolicyOf(statements...))})
	}
	var key *iam.CreateAccessKeyOutput
	if err == nil {
		key, err = client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name})
	}
	if err != nil {
		n.t.Fatalf("make user %s: %v", name, err)
	}
	return n.As(*key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey)
}
