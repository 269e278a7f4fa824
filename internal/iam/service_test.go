package iam_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/iam/iamtest"
)

const account = iamtest.Account

// node is a World with AWS's own clients, which sign with root's keys.
type node struct {
	*iamtest.World
	*awsiam.Client
	t testing.TB
}

func start(t testing.TB) *node {
	w := iamtest.New(t, nil)
	n := &node{World: w, t: t}
	n.Client = n.as(credentials.NewStaticCredentialsProvider(w.Root.AccessKeyID(), w.Root.SecretAccessKey(), ""))
	return n
}

// as is a client with other credentials.
func (n *node) as(c aws.CredentialsProvider) *awsiam.Client {
	return awsiam.New(awsiam.Options{
		Region: iamtest.Region, BaseEndpoint: &n.URL, Retryer: aws.NopRetryer{}, HTTPClient: n.World.Client, Credentials: c,
	}, func(o *awsiam.Options) { o.HTTPSignerV4 = signer{n.Clock} })
}

func (n *node) sts(c aws.CredentialsProvider) *sts.Client {
	return sts.New(sts.Options{
		Region: iamtest.Region, BaseEndpoint: &n.URL, Retryer: aws.NopRetryer{}, HTTPClient: n.World.Client, Credentials: c,
	}, func(o *sts.Options) { o.HTTPSignerV4 = signer{n.Clock} })
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

var noon = iamtest.Noon.Truncate(time.Second)
