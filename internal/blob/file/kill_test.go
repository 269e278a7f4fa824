package file_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/blob"
	"github.com/mayfly-cloud/mayfly/internal/blob/file"
)

// putterDir makes this test binary a process that puts blobs there for ever and
// prints each digest it was given.
const putterDir = "MAYFLY_TEST_PUTTER_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(putterDir); dir != "" {
		fmt.Fprintln(os.Stderr, putForEver(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func putForEver(dir string) error {
	s, err := file.Open(dir)
	if err != nil {
		return err
	}
	for i := os.Getpid(); ; i++ {
		content := bytes.Repeat(fmt.Append(nil, i), 50_000)
		d, _, err := s.Put(context.Background(), bytes.NewReader(content), 1<<30)
		if err != nil {
			return err
		}
		fmt.Println(d)
	}
}

// TestKill kills a writer at whatever it is doing: every blob it was promised is
// there, every name has the whole of its blob, and nothing else is left.
func TestKill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "blobs")
	for round := range 5 {
		promised := killPutter(t, dir, 3+round)
		s, err := file.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range promised {
			if err := s.Verify(t.Context(), d); err != nil {
				t.Errorf("round %d: promised, but: %v", round, err)
			}
		}
		for _, name := range files(t, dir) {
			if strings.HasPrefix(name, "tmp/") {
				t.Errorf("round %d: left behind: %s", round, name)
			} else if err := s.Verify(t.Context(), blob.Digest(filepath.Base(name))); err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		}
		s.Close()
	}
}

// killPutter runs a putter until it has printed n digests, kills it and gives
// all that it printed.
func killPutter(t *testing.T, dir string, n int) (promised []blob.Digest) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), putterDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		promised = append(promised, blob.Digest(lines.Text()))
		if len(promised) == n {
			cmd.Process.Kill() // what is in the pipe is still read
		}
	}
	cmd.Wait() // "signal: killed"
	if len(promised) < n {
		t.Fatalf("the writer promised only %d blobs", len(promised))
	}
	return promised
}
