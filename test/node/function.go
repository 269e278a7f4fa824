package node

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// Zip packs files, by name and content; a name that ends in "!" is made
// executable, without the mark.
func Zip(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for name, text := range files {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(0o644)
		if name[len(name)-1] == '!' {
			h.Name = name[:len(name)-1]
			h.SetMode(0o755)
		}
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// Create makes a function and waits until it is active. change may be nil.
func (n *Node) Create(name string, runtime types.Runtime, zip []byte, change func(*lambda.CreateFunctionInput)) {
	n.t.Helper()
	in := &lambda.CreateFunctionInput{FunctionName: &name, Runtime: runtime, Handler: aws.String("index.handler"),
		Role: &n.Role, Code: &types.FunctionCode{ZipFile: zip}, MemorySize: aws.Int32(512)}
	if change != nil {
		change(in)
	}
	if _, err := n.Lambda().CreateFunction(n.t.Context(), in); err != nil {
		n.t.Fatalf("create %s: %v", name, err)
	}
	w := lambda.NewFunctionActiveV2Waiter(n.Lambda(), func(o *lambda.FunctionActiveV2WaiterOptions) { o.MinDelay = 10 * time.Millisecond })
	if err := w.Wait(n.t.Context(), &lambda.GetFunctionInput{FunctionName: &name}, time.Minute); err != nil {
		n.t.Fatalf("wait for %s: %v", name, err)
	}
}

// CreateJS makes a function of one CommonJS file on Node.js.
func (n *Node) CreateJS(name, source string) {
	n.t.Helper()
	n.Create(name, types.RuntimeNodejs20x, Zip(n.t, map[string]string{"index.js": source}), nil)
}

// Answer is what a call gave.
type Answer struct {
	Payload, Error, Version, Log string
}

// Invoke calls a function that has to be callable; its own errors are in the
// answer.
func (n *Node) Invoke(name, payload string) Answer {
	n.t.Helper()
	out, err := n.Lambda().Invoke(n.t.Context(), &lambda.InvokeInput{FunctionName: &name, Payload: []byte(payload), LogType: types.LogTypeTail})
	if err != nil {
		n.t.Fatalf("invoke %s: %v", name, err)
	}
	log, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
	if err != nil {
		n.t.Fatalf("decode log: %v", err)
	}
	return Answer{string(out.Payload), aws.ToString(out.FunctionError), aws.ToString(out.ExecutedVersion), string(log)}
}
