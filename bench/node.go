package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

const region = "us-east-1"

// node is a running mayfly and a client of it: net/http with the SDK's signer,
// which is what the AWS SDKs do for each call, without their middleware.
type node struct {
	cmd      *exec.Cmd
	data     string
	listen   string
	creds    aws.Credentials
	signer   *v4.Signer
	http     *http.Client
	readyIn  time.Duration
	stopping bool
}

// startNode starts the binary on a data folder and waits until it answers.
func (b *bench) startNode(ctx context.Context, data string, flags ...string) (*node, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("find a port: %w", err)
	}
	listen := l.Addr().String()
	l.Close()
	n := &node{data: data, listen: listen, signer: v4.NewSigner(),
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 200, DisableCompression: true}}}
	n.cmd = exec.Command(b.binary, append([]string{"up", "--data", data, "--listen", listen}, flags...)...)
	log, err := os.Create(filepath.Join(b.scratch, "node.log"))
	if err != nil {
		return nil, fmt.Errorf("make log: %w", err)
	}
	defer log.Close()
	n.cmd.Stdout, n.cmd.Stderr = log, log
	began := time.Now()
	if err := n.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", b.binary, err)
	}
	if err := n.waitReady(ctx); err != nil {
		n.stop()
		text, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("%w\n%s", err, text)
	}
	n.readyIn = time.Since(began)
	if err := n.readCredentials(b.binary); err != nil {
		return n, err
	}
	return n, n.makeRole(ctx)
}

func (n *node) waitReady(ctx context.Context) error {
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) && ctx.Err() == nil {
		res, err := n.http.Get("http://" + n.listen + "/_mayfly/health")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		time.Sleep(time.Millisecond)
	}
	return fmt.Errorf("the node at %s is not ready", n.listen)
}

func (n *node) readCredentials(binary string) error {
	out, err := exec.Command(binary, "env", "--json", "--data", n.data, "--listen", n.listen).Output()
	if err != nil {
		return fmt.Errorf("read credentials: %w", err)
	}
	env := map[string]string{}
	if err := json.Unmarshal(out, &env); err != nil {
		return fmt.Errorf("decode credentials: %w", err)
	}
	n.creds = aws.Credentials{AccessKeyID: env["AWS_ACCESS_KEY_ID"], SecretAccessKey: env["AWS_SECRET_ACCESS_KEY"], AccountID: env["AWS_ACCOUNT_ID"]}
	return nil
}

// role is the one that the benchmark's functions run under.
func (n *node) role() string { return "arn:aws:iam::" + n.creds.AccountID + ":role/bench" }

// makeRole makes the role, unless the data folder has it from an earlier start.
func (n *node) makeRole(ctx context.Context) error {
	client := iam.New(iam.Options{Region: region, BaseEndpoint: aws.String("http://" + n.listen), HTTPClient: n.http,
		Credentials: credentials.StaticCredentialsProvider{Value: n.creds}})
	_, err := client.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("bench"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)})
	var there *types.EntityAlreadyExistsException
	if errors.As(err, &there) {
		return nil
	}
	if err == nil {
		_, err = client.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: aws.String("bench"),
			PolicyArn: aws.String("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")})
	}
	if err != nil {
		return fmt.Errorf("make role: %w", err)
	}
	return nil
}

// stop ends the node as a person would, and waits for it.
func (n *node) stop() {
	if n.stopping {
		return
	}
	n.stopping = true
	n.cmd.Process.Signal(syscall.SIGTERM)
	n.cmd.Wait()
	n.http.CloseIdleConnections()
}

// do sends one signed request and reads the whole answer.
func (n *node) do(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+n.listen+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	if err := n.signer.SignHTTP(ctx, n.creds, req, hex.EncodeToString(sum[:]), "lambda", region, time.Now()); err != nil {
		return nil, err
	}
	res, err := n.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode/100 != 2 || res.Header.Get("X-Amz-Function-Error") != "" {
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, res.Status, answer)
	}
	return answer, nil
}

// call invokes a function and gives the time it took at the client.
func (n *node) call(ctx context.Context, function string, payload []byte) (time.Duration, error) {
	began := time.Now()
	_, err := n.do(ctx, http.MethodPost, "/2015-03-31/functions/"+function+"/invocations", payload)
	return time.Since(began), err
}

// function is what create needs.
type function struct {
	name, runtime, handler string
	zip                    []byte
	memory                 int
}

func (n *node) create(ctx context.Context, f function) error {
	if f.memory == 0 {
		f.memory = 1769 // one processor, so that the limit of CPU is not what is measured
	}
	body, err := json.Marshal(map[string]any{
		"FunctionName": f.name, "Runtime": f.runtime, "Handler": f.handler, "MemorySize": f.memory, "Timeout": 60,
		"Role": n.role(), "Code": map[string]any{"ZipFile": f.zip},
	})
	if err != nil {
		return err
	}
	_, err = n.do(ctx, http.MethodPost, "/2015-03-31/functions", body)
	return err
}

// zipped packs one of the benchmark's functions.
func zipped(name string) ([]byte, error) {
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	dir := filepath.Join("bench", "functions", name)
	if name == "echo-go" {
		out, err := os.MkdirTemp("", "mayfly-bench-go-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(out)
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(out, "bootstrap"), "./"+dir)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if text, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build %s: %w: %s", name, err, strings.TrimSpace(string(text)))
		}
		dir = out
	}
	if err := z.AddFS(os.DirFS(dir)); err != nil {
		return nil, fmt.Errorf("pack %s: %w", name, err)
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// deployAll creates the benchmark's echo functions and returns their names.
func (n *node) deployAll(ctx context.Context) error {
	for _, f := range []function{
		{name: "echo-node", runtime: nodeRuntime(), handler: "index.handler"},
		{name: "echo-python", runtime: pythonRuntime(), handler: "lambda_function.handler"},
		{name: "echo-go", runtime: "provided.al2023", handler: "bootstrap"},
	} {
		var err error
		if f.zip, err = zipped(f.name); err != nil {
			return err
		}
		if err := n.create(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// nodeRuntime and pythonRuntime name the runtimes of this machine's languages.
func nodeRuntime() string {
	out, err := exec.Command("/usr/bin/node", "--version").Output()
	major, _, _ := strings.Cut(strings.TrimPrefix(string(out), "v"), ".")
	if err != nil || major == "" {
		return "nodejs20.x"
	}
	return "nodejs" + major + ".x"
}

func pythonRuntime() string {
	out, err := exec.Command("/usr/bin/python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])").Output()
	if err != nil {
		return "python3.11"
	}
	return "python" + strings.TrimSpace(string(out))
}
