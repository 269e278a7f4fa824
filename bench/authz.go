package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/gateway"
	identity "github.com/mayfly-cloud/mayfly/internal/iam"
	"github.com/mayfly-cloud/mayfly/internal/store/pebble"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// aPolicy is what a function's role looks like: services, their resources, a variable,
// and a deny with a condition, so that condition keys are collected. Only the last of
// a user's policies names the function that is called.
const aPolicy = `{"Version":"2012-10-17","Statement":[
 {"Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"arn:aws:logs:*:*:*"},
 {"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:Query"],"Resource":"arn:aws:dynamodb:us-east-1:123456789012:table/t%[1]d"},
 {"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::bucket%[1]d/${aws:username}/*"},
 {"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f%[1]d"},
 {"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`

// authz measures what a signature and a permission cost, inside of this process, and
// their share of a warm call.
func authz(ctx context.Context, b *bench) error {
	d, err := openDecisions(ctx)
	if err != nil {
		return err
	}
	defer d.close()
	r := newReport("what", "a second", "p50", "p99")
	var ten samples
	for _, n := range []int{1, 10, 50} {
		p, err := d.user(ctx, n)
		if err != nil {
			return err
		}
		need := access.Need{Action: "lambda:InvokeFunction", Resource: fmt.Sprintf("arn:aws:lambda:us-east-1:123456789012:function:f%d", n-1)}
		s, err := repeat(b.n(200000), 1000, timed(func() error { return d.may.May(ctx, p, need) }))
		if err != nil {
			return err
		}
		if n == 10 {
			ten = s
		}
		r.each(fmt.Sprintf("decision, policies: %d", n), s)
	}
	signed, err := d.signed(ctx)
	if err != nil {
		return err
	}
	verify := func() error { _, err := d.verifier.Authenticate(signed, "lambda", payload); return err }
	signature, err := repeat(b.n(100000), 1000, timed(verify))
	if err != nil {
		return err
	}
	r.each("signature", signature)
	n, err := b.startNode(ctx, filepath.Join(b.scratch, "authz"))
	if err != nil {
		return err
	}
	defer n.stop()
	if err := n.deployAll(ctx); err != nil {
		return err
	}
	call, err := repeat(b.n(3000), 300, func() (time.Duration, error) { return n.call(ctx, "echo-node", payload) })
	if err != nil {
		return err
	}
	r.each("warm call of echo-node", call)
	r.print()
	both := signature.at(.5) + ten.at(.5)
	fmt.Printf("\nSignature and permission (10 policies) together: %s, %.1f %% of a warm call. The aim is below 60 us.\n",
		fine(both), 100*float64(both)/float64(call.at(.5)))
	return nil
}

// timed makes a measured call of f.
func timed(f func() error) func() (time.Duration, error) {
	return func() (time.Duration, error) {
		began := time.Now()
		err := f()
		return time.Since(began), err
	}
}

// each adds a row of what one caller does, one after another.
func (r *report) each(what string, s samples) {
	var sum time.Duration
	for _, d := range s {
		sum += d
	}
	r.add(what, fmt.Sprintf("%.0f", float64(len(s))/sum.Seconds()), fine(s.at(.5)), fine(s.at(.99)))
}

// fine prints times that are parts of a microsecond.
func fine(d time.Duration) string { return fmt.Sprintf("%.2f us", float64(d.Nanoseconds())/1000) }

// decisions is what decides in a node, without a node around it.
type decisions struct {
	identities *identity.Service
	verifier   *auth.Verifier
	may        *gateway.Permissions
	client     *iam.Client
	keys       aws.Credentials
	close      func()
}

func openDecisions(ctx context.Context) (*decisions, error) {
	store, err := pebble.Open(ctx, pebble.Config{Dir: "data", FS: vfs.NewMem(), Reserve: 64 << 10})
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	d := &decisions{identities: identity.New(identity.Config{Store: store, Account: "123456789012", Sealer: plain{}})}
	d.verifier = auth.NewVerifier(auth.Config{Keys: d.identities.Keys(), Region: region})
	d.may = gateway.NewPermissions(gateway.PermissionsConfig{Identities: d.identities, Region: region})
	router, err := wire.New(d.identities.API())
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	server := httptest.NewServer(gateway.New(gateway.Config{APIs: []*wire.Router{router}, Auth: auth.NewVerifier(auth.Config{Keys: owner{}, Region: region}),
		Permissions: d.may, Log: slog.New(slog.DiscardHandler)}))
	d.client = iam.New(iam.Options{Region: region, BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("AKIAOWNER", "owner", "")})
	d.close = func() {
		server.Close()
		store.Close()
	}
	return d, nil
}

// user makes a user with n managed policies and an access key.
func (d *decisions) user(ctx context.Context, n int) (auth.Principal, error) {
	name := fmt.Sprintf("user%d", n)
	_, err := d.client.CreateUser(ctx, &iam.CreateUserInput{UserName: &name})
	groups := (n + 9) / 10 // ten policies are attached to each at most
	for g := 0; g < groups && err == nil; g++ {
		group := fmt.Sprintf("%s-%d", name, g)
		if _, err = d.client.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: &group}); err != nil {
			break
		}
		for i := 10 * g; i < min(n, 10*g+10) && err == nil; i++ {
			var made *iam.CreatePolicyOutput
			made, err = d.client.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String(fmt.Sprintf("%s-p%d", name, i)), PolicyDocument: aws.String(fmt.Sprintf(aPolicy, i))})
			if err == nil {
				_, err = d.client.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: &group, PolicyArn: made.Policy.Arn})
			}
		}
		if err == nil {
			_, err = d.client.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: &group, UserName: &name})
		}
	}
	var key *iam.CreateAccessKeyOutput
	if err == nil {
		key, err = d.client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name})
	}
	if err != nil {
		return auth.Principal{}, fmt.Errorf("make user with %d policies: %w", n, err)
	}
	d.keys = aws.Credentials{AccessKeyID: *key.AccessKey.AccessKeyId, SecretAccessKey: *key.AccessKey.SecretAccessKey}
	cred, err := d.identities.Keys().Secret(ctx, d.keys.AccessKeyID, "")
	return cred.Principal, err
}

// signed is a call of a function as the last user signs it.
func (d *decisions) signed(ctx context.Context) (*http.Request, error) {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "http://127.0.0.1:4566/2015-03-31/functions/f0/invocations", nil)
	sum := sha256.Sum256(payload)
	return r, v4.NewSigner().SignHTTP(ctx, d.keys, r, hex.EncodeToString(sum[:]), "lambda", region, time.Now())
}

// plain seals nothing: what is measured reads from memory.
type plain struct{}

func (plain) Seal(_ string, b []byte) ([]byte, error)   { return b, nil }
func (plain) Unseal(_ string, b []byte) ([]byte, error) { return b, nil }

// owner is root, by keys that everybody knows.
type owner struct{}

func (owner) Secret(_ context.Context, accessKeyID, _ string) (auth.Credential, error) {
	if accessKeyID != "AKIAOWNER" {
		return auth.Credential{}, auth.ErrUnknownKey
	}
	return auth.Credential{Secret: "owner", Principal: auth.Principal{Kind: auth.RootUser, Account: "123456789012", ARN: "arn:aws:iam::123456789012:root", AccessKeyID: accessKeyID}}, nil
}
