package sts_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/iam/iamtest"
)

const account = iamtest.Account

// node is a World with AWS's own clients.
type node struct {
	*iamtest.World
	t    testing.TB
	root aws.CredentialsProvider
	iam  *iam.Client // as root
}

func start(t testing.TB, tokens *http.Client) *node {
	w := iamtest.New(t, tokens)
	n := &node{World: w, t: t, root: credentials.NewStaticCredentialsProvider(w.Root.AccessKeyID(), w.Root.SecretAccessKey(), "")}
	n.iam = n.identities(n.root)
	return n
}

func (n *node) identities(c aws.CredentialsProvider) *iam.Client {
	return iam.New(iam.Options{
		Region: iamtest.Region, BaseEndpoint: &n.URL, Retryer: aws.NopRetryer{}, HTTPClient: n.Client, Credentials: c,
	}, func(o *iam.Options) { o.HTTPSignerV4 = signer{n.Clock} })
}

func (n *node) tokens(c aws.CredentialsProvider) *sts.Client {
	return sts.New(sts.Options{
		Region: iamtest.Region, BaseEndpoint: &n.URL, Retryer: aws.NopRetryer{}, HTTPClient: n.Client, Credentials: c,
	}, func(o *sts.Options) { o.HTTPSignerV4 = signer{n.Clock} })
}

// user makes a user with an inline policy, unless it is empty, and gives its keys.
func (n *node) user(name, doc string) aws.CredentialsProvider {
	n.t.Helper()
	ctx := n.t.Context()
	ok[iam.CreateUserOutput](n.t)(n.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}))
	if doc != "" {
		ok[iam.PutUserPolicyOutput](n.t)(n.iam.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String("p"), PolicyDocument: &doc}))
	}
	k := ok[iam.CreateAccessKeyOutput](n.t)(n.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name})).AccessKey
	return credentials.NewStaticCredentialsProvider(*k.AccessKeyId, *k.SecretAccessKey, "")
}

// role makes a role with an inline policy, unless it is empty, and gives its ARN.
func (n *node) role(name, trust, doc string) *string {
	n.t.Helper()
	ctx := n.t.Context()
	r := ok[iam.CreateRoleOutput](n.t)(n.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust})).Role
	if doc != "" {
		ok[iam.PutRolePolicyOutput](n.t)(n.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("p"), PolicyDocument: &doc}))
	}
	return r.Arn
}

func temporary(c *types.Credentials) aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
}

// signer signs at the World's time, whatever the machine's is.
type signer struct{ clock *clock.Manual }

func (s signer) SignHTTP(ctx context.Context, c aws.Credentials, r *http.Request, hash, service, region string, _ time.Time, options ...func(*v4.SignerOptions)) error {
	return v4.NewSigner().SignHTTP(ctx, c, r, hash, service, region, s.clock.Now(), options...)
}

// ok ends the test unless a call has succeeded.
func ok[O any](t testing.TB) func(*O, error) *O {
	return func(out *O, err error) *O {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// refused checks that a call failed with a code and, if one is given, a message.
func refused(t testing.TB, what string, err error, code, message string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code || message != "" && e.ErrorMessage() != message {
		t.Errorf("%s: %v, want %s %s", what, err, code, message)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
