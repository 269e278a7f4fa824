package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/mayfly-cloud/mayfly/internal/sdkhttp"
)

// Region is the one that test nodes play.
const Region = "us-east-1"

// Node is a running mayfly.
type Node struct {
	Data, Listen, Account, Role string
	AccessKey, SecretKey        string

	t       *testing.T
	address string // of the store's database; empty for the data folder's or the variable's
	flags   []string
	prepare func(*exec.Cmd) // changes how the node is started; may be nil
	cmd     *exec.Cmd
	log     *buffer
}

// Binary is the program under test: MAYFLY_BINARY, as `make test` sets it, or
// bin/mayfly of this tree.
func Binary(t testing.TB) string {
	t.Helper()
	path := os.Getenv("MAYFLY_BINARY")
	if path == "" {
		path = filepath.Join(Root(t), "bin", "mayfly")
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("no binary to test: %v; run make build first", err)
	}
	return path
}

// Root is the folder of this project.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
	}
	t.Fatal("not inside the project")
	return ""
}

// Start starts a node on a new data folder. It ends with the test, which fails
// if the node does not end cleanly then.
func Start(t *testing.T, flags ...string) *Node {
	t.Helper()
	return StartIn(t, filepath.Join(t.TempDir(), "data"), flags...)
}

// StartIn is Start on a data folder of the test's choice.
func StartIn(t *testing.T, data string, flags ...string) *Node {
	t.Helper()
	n := &Node{t: t, Data: data, Listen: freeAddress(t), flags: flags}
	n.begin()
	return n
}

// StartAs is Start with a command that prepare has changed: where it is, and what
// it runs as and in.
func StartAs(t *testing.T, prepare func(*exec.Cmd), flags ...string) *Node {
	t.Helper()
	n := &Node{t: t, Data: filepath.Join(t.TempDir(), "data"), Listen: freeAddress(t), flags: flags, prepare: prepare}
	n.begin()
	return n
}

// begin starts the node and has it end with the test.
func (n *Node) begin() {
	n.t.Helper()
	n.t.Cleanup(func() {
		n.Stop()
		if n.t.Failed() {
			n.t.Logf("the node's log:\n%s", n.log)
		}
	})
	n.start()
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (n *Node) start() {
	n.t.Helper()
	n.log = &buffer{}
	n.cmd = exec.Command(Binary(n.t), append([]string{"up", "--data", n.Data, "--listen", n.Listen}, n.flags...)...)
	n.cmd.Stdout, n.cmd.Stderr = n.log, n.log
	if address := n.store(); address != "" {
		n.cmd.Env = append(os.Environ(), "MAYFLY_STORE="+address)
	}
	if n.prepare != nil {
		n.prepare(n.cmd)
	}
	if err := n.cmd.Start(); err != nil {
		n.t.Fatalf("start node: %v", err)
	}
	n.waitReady()
	env := map[string]string{}
	n.JSON(&env, "env")
	n.AccessKey, n.SecretKey = env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]
	n.Account = env["AWS_ACCOUNT_ID"]
	n.Role = n.MakeRole("test")
}

func (n *Node) waitReady() {
	n.t.Helper()
	Eventually(n.t, 20*time.Second, "the node answers", func() bool {
		res, err := http.Get(n.URL() + "/_mayfly/health")
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

// URL is the node's endpoint.
func (n *Node) URL() string { return "http://" + n.Listen }

// Stop ends the node as a person would and checks that it ended well. Stopping
// again does nothing.
func (n *Node) Stop() {
	n.t.Helper()
	if n.cmd == nil || n.cmd.Process == nil || n.cmd.ProcessState != nil {
		return
	}
	n.cmd.Process.Signal(syscall.SIGTERM)
	if err := n.wait(20 * time.Second); err != nil {
		n.t.Errorf("the node did not end well: %v\n%s", err, n.log)
	}
}

// Kill ends the node as a power cut would; nothing of it runs any more.
func (n *Node) Kill() {
	n.t.Helper()
	n.cmd.Process.Kill()
	n.wait(20 * time.Second) // "signal: killed" is what was asked for
}

func (n *Node) wait(limit time.Duration) error {
	done := make(chan error, 1)
	go func() { done <- n.cmd.Wait() }()
	select {
	case err := <-done:
		return err
	case <-time.After(limit):
		n.cmd.Process.Kill()
		<-done
		return fmt.Errorf("still there after %s", limit)
	}
}

// Restart starts a stopped or killed node again, on the same folder.
func (n *Node) Restart() {
	n.t.Helper()
	n.start()
}

// Log is what the node has printed since its last start.
func (n *Node) Log() string { return n.log.String() }

// Pid is the node's process.
func (n *Node) Pid() int { return n.cmd.Process.Pid }

// Run runs a mayfly command against the node and returns what it printed.
func (n *Node) Run(args ...string) (stdout, stderr string, err error) {
	cmd := exec.Command(Binary(n.t), args...)
	cmd.Env = append(os.Environ(), "MAYFLY_DATA="+n.Data, "MAYFLY_LISTEN="+n.Listen)
	cmd.Dir = Root(n.t)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// Must is Run for a command that has to succeed.
func (n *Node) Must(args ...string) string {
	n.t.Helper()
	out, errs, err := n.Run(args...)
	if err != nil {
		n.t.Fatalf("mayfly %s: %v\n%s%s", strings.Join(args, " "), err, out, errs)
	}
	return out
}

// JSON runs a command with --json and decodes what it prints.
func (n *Node) JSON(out any, args ...string) {
	n.t.Helper()
	if err := json.Unmarshal([]byte(n.Must(append(args, "--json")...)), out); err != nil {
		n.t.Fatalf("decode output of mayfly %s: %v", strings.Join(args, " "), err)
	}
}

// Env is the environment that AWS's tools need to reach the node.
func (n *Node) Env() []string {
	return append(os.Environ(), "AWS_ENDPOINT_URL="+n.URL(), "AWS_ACCESS_KEY_ID="+n.AccessKey, "AWS_SECRET_ACCESS_KEY="+n.SecretKey,
		"AWS_REGION="+Region, "AWS_DEFAULT_REGION="+Region, "AWS_PAGER=", "AWS_CONFIG_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true")
}

// direct reaches the node without retries.
var direct = &http.Client{Transport: sdkhttp.Over(http.DefaultTransport)}

// Lambda is the SDK's client, without retries.
func (n *Node) Lambda() *lambda.Client {
	return lambda.New(lambda.Options{Region: Region, BaseEndpoint: aws.String(n.URL()), Retryer: aws.NopRetryer{}, HTTPClient: direct,
		Credentials: credentials.NewStaticCredentialsProvider(n.AccessKey, n.SecretKey, "")})
}

// Logs is the SDK's client, without retries.
func (n *Node) Logs() *cloudwatchlogs.Client {
	return cloudwatchlogs.New(cloudwatchlogs.Options{Region: Region, BaseEndpoint: aws.String(n.URL()), Retryer: aws.NopRetryer{}, HTTPClient: direct,
		Credentials: credentials.NewStaticCredentialsProvider(n.AccessKey, n.SecretKey, "")})
}

// IAM is the SDK's client, without retries.
func (n *Node) IAM() *iam.Client {
	return iam.New(iam.Options{Region: Region, BaseEndpoint: aws.String(n.URL()), Retryer: aws.NopRetryer{}, HTTPClient: direct,
		Credentials: credentials.NewStaticCredentialsProvider(n.AccessKey, n.SecretKey, "")})
}

// STS is the SDK's client, without retries.
func (n *Node) STS() *sts.Client {
	return sts.New(sts.Options{Region: Region, BaseEndpoint: aws.String(n.URL()), Retryer: aws.NopRetryer{}, HTTPClient: direct,
		Credentials: credentials.NewStaticCredentialsProvider(n.AccessKey, n.SecretKey, "")})
}

// SQS is the SDK's client, without retries.
func (n *Node) SQS() *sqs.Client {
	return sqs.New(sqs.Options{Region: Region, BaseEndpoint: aws.String(n.URL()), Retryer: aws.NopRetryer{}, HTTPClient: direct,
		Credentials: credentials.NewStaticCredentialsProvider(n.AccessKey, n.SecretKey, "")})
}

// As is the node as somebody else sees it: the clients are signed with other keys.
func (n *Node) As(accessKey, secretKey string) *Node {
	other := *n
	other.AccessKey, other.SecretKey = accessKey, secretKey
	return &other
}

// Page reads one of the node's own pages below /_mayfly/.
func (n *Node) Page(path string, out any) {
	n.t.Helper()
	req, err := http.NewRequestWithContext(n.t.Context(), http.MethodGet, n.URL()+"/_mayfly/"+path, nil)
	if err != nil {
		n.t.Fatal(err)
	}
	creds := aws.Credentials{AccessKeyID: n.AccessKey, SecretAccessKey: n.SecretKey}
	empty := sha256.Sum256(nil)
	if err := v4.NewSigner().SignHTTP(n.t.Context(), creds, req, hex.EncodeToString(empty[:]), "mayfly", Region, time.Now()); err != nil {
		n.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		n.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		n.t.Fatalf("page %s: %s", path, res.Status)
	}
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		n.t.Fatalf("decode page %s: %v", path, err)
	}
}

// Browser is an HTTP client for function URLs: every host is this node.
func (n *Node) Browser() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, n.Listen)
		},
		DisableKeepAlives: true,
	}}
}

// Eventually polls until ok, and fails the test with what was waited for after
// the limit.
func Eventually(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); ; time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %s in vain until %s", limit, what)
		}
	}
}

// buffer is a bytes.Buffer for two goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
