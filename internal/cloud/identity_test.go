package cloud

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/invoke"
)

// What a function leaves for another is handed on as its role may, however the other is
// spelled, and only while functions may run under that role.
func TestWhatARoleMaySend(t *testing.T) {
	m := newMatrix(t)
	const account, prefix = "arn:aws:iam::123456789012:", "lambda:us-east-1:123456789012:function:"
	from := invoke.Sender{Function: "arn:aws:" + prefix + "f", Role: account + "role/sender"}
	trust := func(service string) *string {
		return aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}]}`)
	}
	_, err := m.root.CreateRole(t.Context(), &awsiam.CreateRoleInput{RoleName: aws.String("sender"), AssumeRolePolicyDocument: trust("lambda.amazonaws.com")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.root.PutRolePolicy(t.Context(), &awsiam.PutRolePolicyInput{RoleName: aws.String("sender"), PolicyName: aws.String("p"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"*"},` +
			`{"Effect":"Deny","Action":"lambda:InvokeFunction","Resource":"arn:aws:` + prefix + `secret*"}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	for to, want := range map[string]string{
		"arn:aws:" + prefix + "next":        "",
		"arn:aws:" + prefix + "secret":      "AccessDeniedException",
		"arn:aws:" + prefix + "secret:live": "AccessDeniedException",
		"arn:aws-cn:" + prefix + "secret":   "AccessDeniedException",
	} {
		if err := m.node.mayInvoke(t.Context(), from, to); (err == nil) != (want == "") || err != nil && !fault.Is(err, want) {
			t.Errorf("to %s: %v, want %q", to, err, want)
		}
	}
	_, err = m.root.UpdateAssumeRolePolicy(t.Context(), &awsiam.UpdateAssumeRolePolicyInput{RoleName: aws.String("sender"), PolicyDocument: trust("s3.amazonaws.com")})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.node.mayInvoke(t.Context(), from, "arn:aws:"+prefix+"next"); !fault.Is(err, errCannotAssume.Code) {
		t.Errorf("under a role that trusts another service: %v", err)
	}
}

func TestWhatARoleMayLog(t *testing.T) {
	m := newMatrix(t)
	const role, function = "arn:aws:iam::123456789012:role/trusting", "arn:aws:lambda:us-east-1:123456789012:function:f"
	may := func(group string) bool { return credentials{m.node}.MayLog(t.Context(), role, function, group, "s") }
	if may("/shared") {
		t.Error("without a policy")
	}
	_, err := m.root.PutRolePolicy(t.Context(), &awsiam.PutRolePolicyInput{RoleName: aws.String("trusting"), PolicyName: aws.String("p"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:PutLogEvents","Resource":"arn:aws:logs:us-east-1:123456789012:log-group:/shared:*"}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	if !may("/shared") || may("/aws/lambda/victim") || may("/shared2") {
		t.Error("not what the role's policy says")
	}
}
