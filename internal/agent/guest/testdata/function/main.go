// Command function is a handler on the unmodified aws-lambda-go: its event says
// what it does.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do   string `json:"do"`
	Text string `json:"text"`
	Size int    `json:"size"`
}

type broken struct{ strings.Reader }

func (b *broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = errors.New("broke midway")
	}
	return n, err
}

func handle(ctx context.Context, e event) (any, error) {
	switch e.Do {
	case "echo":
		lc, _ := lambdacontext.FromContext(ctx)
		deadline, _ := ctx.Deadline()
		return map[string]any{
			"text": e.Text, "id": lc.AwsRequestID, "arn": lc.InvokedFunctionArn, "client": lc.ClientContext.Custom,
			"identity": lc.Identity.CognitoIdentityID, "left": time.Until(deadline) > 0,
			"trace": os.Getenv("_X_AMZN_TRACE_ID"), "dir": cwd(), "env": os.Getenv("GREETING"),
		}, nil
	case "size":
		return strings.Repeat("x", e.Size), nil
	case "stream":
		return strings.NewReader(e.Text), nil
	case "broken":
		return &broken{*strings.NewReader(e.Text)}, nil
	case "fail":
		return nil, errors.New(e.Text)
	case "panic":
		panic(e.Text)
	case "exit":
		os.Exit(e.Size)
	case "kill":
		return nil, syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "log":
		fmt.Println(e.Text)
		return "logged", nil
	case "orphan":
		// A child of a child, which only process 1 can collect.
		p, err := os.StartProcess("/bin/sh", []string{"sh", "-c", "sleep 0.05 & exit 0"}, &os.ProcAttr{})
		if err != nil {
			return nil, err
		}
		_, err = p.Wait()
		return "left one", err
	}
	return nil, fmt.Errorf("do what? %q", e.Do)
}

func cwd() string {
	d, _ := os.Getwd()
	return d
}

func main() {
	if os.Getenv("FAIL_INIT") != "" {
		fmt.Fprintln(os.Stderr, "can't start")
		os.Exit(7)
	}
	lambda.Start(handle)
}
