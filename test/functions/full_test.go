package functions_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
	"github.com/mayfly-cloud/mayfly/test/node"
	"golang.org/x/sys/unix"
)

// disk is a small one of its own, and a file that fills it.
type disk struct {
	t      *testing.T
	dir    string
	filler string
}

func newDisk(t *testing.T, mib int) *disk {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, to mount a small disk; CI is root")
	}
	d := &disk{t: t, dir: t.TempDir()}
	if err := unix.Mount("full", d.dir, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=755", mib)); err != nil {
		t.Fatalf("mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(d.dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	d.filler = filepath.Join(d.dir, "filler")
	return d
}

func (d *disk) free() int64 {
	d.t.Helper()
	var fs unix.Statfs_t
	if err := unix.Statfs(d.dir, &fs); err != nil {
		d.t.Fatal(err)
	}
	return int64(fs.Bavail) * fs.Bsize
}

// fill leaves so many bytes free.
func (d *disk) fill(left int64) {
	d.t.Helper()
	f, err := os.OpenFile(d.filler, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	at, err := f.Seek(0, 2)
	if err != nil {
		d.t.Fatal(err)
	}
	if n := d.free() - left; n > 0 {
		if err := unix.Fallocate(int(f.Fd()), 0, at, n); err != nil {
			d.t.Fatalf("fill the disk: %v", err)
		}
	}
}

// clear gives the space back.
func (d *disk) clear() {
	d.t.Helper()
	if err := os.Remove(d.filler); err != nil {
		d.t.Fatal(err)
	}
}

// writers change things on a node until the disk is full, and keep what was
// acknowledged.
type writers struct {
	t *testing.T
	n *node.Node

	mu       sync.Mutex
	events   map[string]bool // ids of accepted calls
	settings int             // acknowledged last
	code     string          // likewise
	strange  []error         // that don't say what is the matter
}

// refused ends a writer, and looks at the answer that does.
func (w *writers) refused(err error) bool {
	if err == nil {
		return false
	}
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "ServiceUnavailable" || !strings.Contains(api.ErrorMessage(), "disk") {
		w.mu.Lock()
		w.strange = append(w.strange, err)
		w.mu.Unlock()
	}
	return true
}

func (w *writers) invoke() {
	noise := make([]byte, 150<<10)
	for {
		rand.Read(noise)
		out, err := w.n.Lambda().Invoke(context.Background(), &lambda.InvokeInput{FunctionName: aws.String("note"),
			InvocationType: types.InvocationTypeEvent, Payload: []byte(`"` + base64.StdEncoding.EncodeToString(noise) + `"`)})
		if w.refused(err) {
			return
		}
		id, _ := middleware.GetRequestIDMetadata(out.ResultMetadata)
		w.mu.Lock()
		w.events[id] = true
		w.mu.Unlock()
	}
}

func (w *writers) configure() {
	for i := w.settings + 1; ; i++ {
		_, err := w.n.Lambda().UpdateFunctionConfiguration(context.Background(), &lambda.UpdateFunctionConfigurationInput{
			FunctionName: aws.String("settings"), Environment: &types.Environment{Variables: map[string]string{"ROUND": fmt.Sprint(i)}}})
		if w.refused(err) {
			return
		}
		w.settings = i
	}
}

func (w *writers) upload() {
	noise := make([]byte, 2<<20)
	for {
		rand.Read(noise)
		out, err := w.n.Lambda().UpdateFunctionCode(context.Background(), &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("code"),
			ZipFile: node.Zip(w.t, map[string]string{"index.js": "exports.handler = async () => 'new'", "noise": string(noise)})})
		if w.refused(err) {
			return
		}
		w.code = aws.ToString(out.CodeSha256)
	}
}

// run has all of them write until each was refused.
func (w *writers) run() {
	var all sync.WaitGroup
	for range 4 {
		all.Go(w.invoke)
	}
	all.Go(w.configure)
	all.Go(w.upload)
	all.Wait()
}

// kept waits until the node takes new data again, and fails the test for what was
// acknowledged and is not there.
func (w *writers) kept(t *testing.T) {
	t.Helper()
	node.Eventually(t, 20*time.Second, "the node takes new data again", func() bool {
		_, err := w.n.Lambda().TagResource(t.Context(), &lambda.TagResourceInput{
			Resource: aws.String("arn:aws:lambda:" + node.Region + ":" + w.n.Account + ":function:note"), Tags: map[string]string{"seen": "1"}})
		return err == nil
	})
	w.n.CreateJS("new-"+strings.ToLower(rand.Text()), `exports.handler = async () => 1`)
	got := func(name string) *lambda.GetFunctionOutput {
		out, err := w.n.Lambda().GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: &name})
		if err != nil {
			t.Fatalf("read %s: %v", name, err)
		}
		return out
	}
	if n := got("settings").Configuration.Environment.Variables["ROUND"]; n != fmt.Sprint(w.settings) {
		t.Errorf("settings %s are there, %d were acknowledged last", n, w.settings)
	}
	if sha := aws.ToString(got("code").Configuration.CodeSha256); sha != w.code {
		t.Errorf("code %s is there, %s was acknowledged last", sha, w.code)
	}
	node.Eventually(t, 60*time.Second, "all accepted events are on the bill", func() bool {
		billed := w.n.Billed("note")
		for id := range w.events {
			if billed[id] > 1 {
				t.Fatalf("event %s is on the bill %d times", id, billed[id])
			}
			if billed[id] == 0 {
				time.Sleep(200 * time.Millisecond) // reading the bill is work for the node, too
				return false
			}
		}
		return true
	})
}

// A full disk is told to whoever asks for something that needs space; nothing that
// was acknowledged is lost, whether the node goes on when there is space again, or
// was killed: it starts again as long as there is some space, and says why if not.
func TestFullDiskLosesNothing(t *testing.T) {
	if node.OnDatabase() {
		t.Skip("the store is not on the node's disk")
	}
	d := newDisk(t, 400)
	n := node.StartIn(t, filepath.Join(d.dir, "data"), "--concurrency", "64")
	n.CreateJS("note", `exports.handler = async (event) => event.length`)
	n.CreateJS("settings", `exports.handler = async () => process.env.ROUND`)
	n.CreateJS("code", `exports.handler = async () => 'old'`)
	if got := n.Invoke("note", `""`); got.Payload != `0` {
		t.Fatalf("answer %s", got.Payload)
	}
	w := &writers{t: t, n: n, events: map[string]bool{}}
	fill := func(t *testing.T) {
		d.fill(60 << 20)
		w.t = t
		w.run()
		for _, err := range w.strange {
			t.Errorf("a full disk was answered with %v", err)
		}
		if got := n.Invoke("note", `"four"`); got.Payload != `4` {
			t.Errorf("a call, which needs no space: %s", got.Payload)
		}
		if log := n.Log(); !strings.Contains(log, "the disk is full") && !strings.Contains(log, "no space for the store's reserve") {
			t.Error("the node's log says nothing of it")
		}
	}
	t.Run("goes on", func(t *testing.T) {
		fill(t)
		d.clear()
		w.kept(t)
	})
	t.Run("was killed", func(t *testing.T) {
		fill(t)
		n.Kill()
		n.Restart() // what space there is is enough to begin
		if got := n.Invoke("settings", `{}`); got.Payload != fmt.Sprintf("%q", fmt.Sprint(w.settings)) {
			t.Errorf("a call after a restart on the full disk: %s", got.Payload)
		}
		n.Kill()
		var said string
		for range 2 { // the first may begin in what the store holds back
			d.fill(1 << 20)
			if said = upFor(t, n, 3*time.Second); said != "" {
				break
			}
		}
		if !strings.Contains(said, "no space left") || !strings.Contains(said, "Make room on the disk of "+n.Data) {
			t.Errorf("a start without any space: %q", said)
		}
		d.clear()
		n.Restart()
		w.kept(t)
	})
}

// upFor starts a node on n's folder, and returns what it said if it ended by
// itself within the time.
func upFor(t *testing.T, n *node.Node, limit time.Duration) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	out, err := exec.CommandContext(ctx, node.Binary(t), "up", "--data", n.Data, "--listen", n.Listen).CombinedOutput()
	if err == nil || ctx.Err() != nil {
		return ""
	}
	return string(out)
}
