package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/sdkhttp"
)

// settings are the flags that every command has.
type settings struct {
	data, listen string
	json         bool
	typedListen  bool // --listen was typed, and so means more than the shell's endpoint
}

func defaultData() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ".mayfly"
	}
	return filepath.Join(home, ".mayfly")
}

// endpoint is where the node answers: AWS_ENDPOINT_URL where that is set, so that
// a shell prepared by `mayfly env` elsewhere works, else the listen address, or the
// other way round where that was typed.
func (s *settings) endpoint() string {
	if url := os.Getenv("AWS_ENDPOINT_URL"); url != "" && !s.typedListen {
		return strings.TrimRight(url, "/")
	}
	return "http://" + s.listen
}

// credentials are the shell's, else the root's from the data folder.
func (s *settings) credentials() (aws.Credentials, error) {
	if id, secret := os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"); id != "" && secret != "" {
		return aws.Credentials{AccessKeyID: id, SecretAccessKey: secret,
			SessionToken: os.Getenv("AWS_SESSION_TOKEN"), AccountID: os.Getenv("AWS_ACCOUNT_ID")}, nil
	}
	root, err := auth.ReadRoot(s.data)
	if errors.Is(err, os.ErrNotExist) {
		return aws.Credentials{}, hint(fmt.Errorf("no credentials in %s", s.data),
			"Start a node first: mayfly up\nOr name its folder with --data or MAYFLY_DATA.")
	}
	if err != nil {
		return aws.Credentials{}, unreadable(fmt.Errorf("read credentials: %w", err))
	}
	return aws.Credentials{AccessKeyID: root.AccessKeyID(), SecretAccessKey: root.SecretAccessKey(), AccountID: root.Account()}, nil
}

// unreadable says what to do about a data folder of somebody else's.
func unreadable(err error) error {
	if !errors.Is(err, os.ErrPermission) {
		return err
	}
	return hint(err, "The folder is its owner's alone. Name one of your own with --data or MAYFLY_DATA,\n"+
		"or have AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY hold a user's keys.")
}

func region() string {
	for _, name := range []string{"MAYFLY_REGION", "AWS_REGION", "AWS_DEFAULT_REGION"} {
		if r := os.Getenv(name); r != "" {
			return r
		}
	}
	return "us-east-1"
}

// client speaks to one node.
type client struct {
	endpoint string
	creds    aws.Credentials
	lambda   *lambda.Client
	logs     *cloudwatchlogs.Client
	iam      *iam.Client
	sts      *sts.Client
}

func (s *settings) client() (*client, error) {
	creds, err := s.credentials()
	if err != nil {
		return nil, err
	}
	return s.clientAs(creds), nil
}

// clientAs is a client with other credentials than the shell's.
func (s *settings) clientAs(creds aws.Credentials) *client {
	provider := credentials.NewStaticCredentialsProvider(creds.AccessKeyID, creds.SecretAccessKey, creds.SessionToken)
	endpoint := aws.String(s.endpoint())
	// A call may run for 15 minutes; being refused or cut off is reported at once.
	http := &http.Client{Timeout: 16 * time.Minute, Transport: sdkhttp.Over(http.DefaultTransport)}
	return &client{
		endpoint: s.endpoint(),
		creds:    creds,
		lambda: lambda.New(lambda.Options{Region: region(), BaseEndpoint: endpoint, Credentials: provider,
			HTTPClient: http, Retryer: aws.NopRetryer{}}),
		logs: cloudwatchlogs.New(cloudwatchlogs.Options{Region: region(), BaseEndpoint: endpoint, Credentials: provider,
			HTTPClient: http, Retryer: aws.NopRetryer{}}),
		sts: sts.New(sts.Options{Region: region(), BaseEndpoint: endpoint, Credentials: provider,
			HTTPClient: http, Retryer: aws.NopRetryer{}}),
		iam: iam.New(iam.Options{Region: region(), BaseEndpoint: endpoint, Credentials: provider,
			HTTPClient: http, Retryer: aws.NopRetryer{}}),
	}
}

// account is the id of the account that the credentials are of.
func (c *client) account(ctx context.Context) (string, error) {
	if c.creds.AccountID == "" {
		out, err := c.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			return "", err
		}
		c.creds.AccountID = aws.ToString(out.Account)
	}
	return c.creds.AccountID, nil
}

// page asks one of the node's own pages under /_mayfly/ and decodes its JSON
// into out, unless out is nil.
func (c *client) page(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, c.endpoint+"/_mayfly/"+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, c.creds, req, hex.EncodeToString(sum[:]), "mayfly", region(), time.Now()); err != nil {
		return fmt.Errorf("sign request: %w", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return c.plain(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if res.StatusCode/100 != 2 {
		err := fmt.Errorf("%s: %s", res.Status, firstMessage(b))
		return withAdvice(err, res.Header.Get("X-Amzn-Errortype"), res.Header.Get("X-Amzn-Requestid"))
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("decode answer of %s: %w", path, err)
	}
	return nil
}

func firstMessage(body []byte) string {
	var m struct {
		Message  string `json:"message"`
		MessageU string `json:"Message"`
	}
	if json.Unmarshal(body, &m) == nil && m.Message+m.MessageU != "" {
		return m.Message + m.MessageU
	}
	return strings.TrimSpace(string(body[:min(len(body), 300)]))
}
