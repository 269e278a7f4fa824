package tools_test

import (
	"strings"
	"testing"

	"github.com/mayfly-cloud/mayfly/test/node"
)

// The command line makes a role, assumes it, and works with what it was given.
func TestCommandLineAssumesARole(t *testing.T) {
	c := newCLI(t)
	var caller struct{ Arn, Account string }
	c.must(&caller, "sts", "get-caller-identity")
	if caller.Arn != "arn:aws:iam::"+c.node.Account+":root" {
		t.Errorf("the caller is %+v", caller)
	}
	c.must(nil, "iam", "create-user", "--user-name", "ada")
	c.must(nil, "iam", "put-user-policy", "--user-name", "ada", "--policy-name", "assume", "--policy-document",
		node.PolicyOf(node.Statement{Effect: "Allow", Action: "sts:AssumeRole", Resource: "*"}))
	var key struct {
		AccessKey struct{ AccessKeyId, SecretAccessKey string }
	}
	c.must(&key, "iam", "create-access-key", "--user-name", "ada")
	var role struct{ Role struct{ Arn string } }
	c.must(&role, "iam", "create-role", "--role-name", "reader", "--assume-role-policy-document",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"`+c.node.Account+`"},"Action":"sts:AssumeRole"}]}`)
	c.must(nil, "iam", "attach-role-policy", "--role-name", "reader", "--policy-arn", "arn:aws:iam::aws:policy/ReadOnlyAccess")

	ada := &cli{t: t, node: c.node.As(key.AccessKey.AccessKeyId, key.AccessKey.SecretAccessKey), dir: c.dir}
	if text, err := ada.run("lambda", "list-functions"); err == nil || !strings.Contains(text, "(AccessDeniedException)") || !strings.Contains(text, "user/ada is not authorized to perform: lambda:ListFunctions") {
		t.Errorf("ada herself: %v\n%s", err, text)
	}
	var session struct {
		Credentials     struct{ AccessKeyId, SecretAccessKey, SessionToken string }
		AssumedRoleUser struct{ Arn string }
	}
	ada.must(&session, "sts", "assume-role", "--role-arn", role.Role.Arn, "--role-session-name", "work")
	reader := &cli{t: t, node: c.node.As(session.Credentials.AccessKeyId, session.Credentials.SecretAccessKey), dir: c.dir, token: session.Credentials.SessionToken}
	reader.must(&caller, "sts", "get-caller-identity")
	if want := "arn:aws:sts::" + c.node.Account + ":assumed-role/reader/work"; caller.Arn != want || session.AssumedRoleUser.Arn != want {
		t.Errorf("the caller is %s and the session %s, want %s", caller.Arn, session.AssumedRoleUser.Arn, want)
	}
	reader.must(nil, "lambda", "list-functions")
	if text, err := reader.run("iam", "create-user", "--user-name", "eve"); err == nil || !strings.Contains(text, "(AccessDenied)") || !strings.Contains(text, "iam:CreateUser") {
		t.Errorf("more than the role may: %v\n%s", err, text)
	}
}
