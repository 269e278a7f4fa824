package policy_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
)

// functionRole is what a function's role looks like: some services, their resources,
// a condition, and a deny.
const functionRole = `{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "arn:aws:logs:*:*:*"},
  {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"], "Resource": "arn:aws:dynamodb:us-east-1:111122223333:table/t%d"},
  {"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": ["arn:aws:s3:::bucket%d", "arn:aws:s3:::bucket%d/${aws:PrincipalTag/team}/*"]},
  {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}`

// role returns n such policies and a request that only the last of them allows.
func role(tb testing.TB, n int) (*policy.Request, *policy.Policies) {
	apply := &policy.Policies{}
	for i := range n {
		p, err := policy.Parse([]byte(strings.ReplaceAll(functionRole, "%d", fmt.Sprint(i))), policy.Identity)
		if err != nil {
			tb.Fatal(err)
		}
		apply.Identity = append(apply.Identity, policy.Attached{Name: fmt.Sprint(i), Policy: p})
	}
	r := &policy.Request{
		Principal: policy.Principal{
			Type: policy.RoleSession, Account: account,
			ARN:    "arn:aws:sts::111122223333:assumed-role/app/one",
			Issuer: "arn:aws:iam::111122223333:role/app",
		},
		Action:   "s3:GetObject",
		Resource: fmt.Sprintf("arn:aws:s3:::bucket%d/red/photo.jpg", n-1),
	}
	for name, value := range map[string]string{
		"aws:PrincipalArn": r.Principal.Issuer, "aws:PrincipalAccount": account, "aws:PrincipalType": "AssumedRole",
		"aws:userid": "AROAEXAMPLE:one", "aws:SourceIp": "10.0.0.1", "aws:SecureTransport": "true",
		"aws:CurrentTime": "2024-01-01T00:00:00Z", "aws:EpochTime": "1704067200", "aws:UserAgent": "aws-sdk-go-v2/1",
		"aws:TokenIssueTime": "2024-01-01T00:00:00Z", "aws:RequestedRegion": "us-east-1", "aws:PrincipalTag/team": "red",
		"aws:ViaAWSService": "false", "aws:PrincipalIsAWSService": "false",
	} {
		r.Keys.Set(name, value)
	}
	return r, apply
}

func BenchmarkEvaluate(b *testing.B) {
	for _, n := range []int{1, 10, 50} {
		b.Run(fmt.Sprintf("policies=%d", n), func(b *testing.B) {
			r, apply := role(b, n)
			b.ReportAllocs()
			for b.Loop() {
				if !policy.Evaluate(r, apply).Allowed {
					b.Fatal("refused")
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	doc := []byte(strings.ReplaceAll(functionRole, "%d", "1"))
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := policy.Parse(doc, policy.Identity); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkKeys(b *testing.B) {
	var k policy.Keys
	b.ReportAllocs()
	for b.Loop() {
		k.Reset()
		for _, name := range [...]string{
			"aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalType", "aws:userid", "aws:SourceIp", "aws:SecureTransport",
			"aws:CurrentTime", "aws:EpochTime", "aws:UserAgent", "aws:RequestedRegion", "aws:ViaAWSService", "aws:PrincipalIsAWSService",
		} {
			k.Set(name, "value")
		}
	}
}

// TestEvaluateAllocatesNothing holds what the benchmark shows.
func TestEvaluateAllocatesNothing(t *testing.T) {
	r, apply := role(t, 10)
	if n := testing.AllocsPerRun(100, func() { policy.Evaluate(r, apply) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestManyAtOnce: policies are shared by all goroutines; the race detector watches.
func TestManyAtOnce(t *testing.T) {
	_, apply := role(t, 10)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			r, _ := role(t, 10)
			for range 50 {
				if !policy.Evaluate(r, apply).Allowed || len(policy.Explain(r, apply).Denials) > 0 {
					t.Error("refused")
				}
			}
		})
	}
	wg.Wait()
}

func TestPolicyKnowsWhatItIs(t *testing.T) {
	p := must(`{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`, policy.Session)
	if p.Kind() != policy.Session || p.Version() != policy.Version2008 {
		t.Errorf("%v %s", p.Kind(), p.Version())
	}
}
