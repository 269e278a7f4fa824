package process_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
)

// TestCallsAreRefused makes system calls inside that lead out.
func TestCallsAreRefused(t *testing.T) {
	n := newNode(t)
	s := startAttempts(t, n)
	var got map[string]string
	check(t, s.Conn().SetReadDeadline(time.Now().Add(10*time.Second)))
	if err := json.NewDecoder(s.Conn()).Decode(&got); err != nil {
		t.Fatal(err)
	}
	const no = "operation not permitted"
	want := map[string]string{
		"unshare": no, "setns": no, "mount": no, "open_tree": no, "ptrace": no, "bpf": no, "keyctl": no,
		"io_uring_setup": no, "userfaultfd": no, "perf_event_open": no, "open_by_handle_at": no,
		"process_vm_readv": no, "chroot": no, "init_module": no,
		"clone with a user namespace":  no,
		"clone3":                       "function not implemented",
		"a call newer than the filter": "function not implemented",
		"a call of the x32 ABI":        "function not implemented",
		"socket to the hypervisor":     "address family not supported by protocol",
		"socket of the crypto code":    "address family not supported by protocol",
		"socket on the internet":       "",
		"write below /proc/sys":        "permission denied",
		"move between directories":     "",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	// The last attempt is a call of the 32-bit ABI, which no rule for 64-bit
	// calls sees. It ends the program, also on a kernel that hasn't got it.
	select {
	case <-s.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("lives on")
	}
	if e := s.Exit(); e == (sandbox.Exit{}) {
		t.Error("survived a call of the 32-bit ABI")
	}
}

func startAttempts(t *testing.T, n *node) sandbox.Sandbox {
	t.Helper()
	const inside = "/var/runtime/attempts"
	s, err := n.Start(context.Background(), sandbox.Spec{
		ID: "attempts", Args: []string{inside}, Dir: "/",
		Mounts: []sandbox.Mount{{Host: filepath.Join(filepath.Dir(guest), "attempts"), Inside: inside}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, s.Close()) })
	return s
}

// Each sandbox is a user of the host that owns nothing, and no two are the same.
func TestEachSandboxIsAnotherUser(t *testing.T) {
	n := newNode(t)
	seen := map[uint32]bool{}
	for _, id := range []string{"one", "two"} {
		s, err := n.Start(context.Background(), spec(id))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for _, pid := range family(t, os.Getpid()) {
			st, err := os.Stat(filepath.Join("/proc", strconv.Itoa(pid)))
			if err != nil {
				continue // gone meanwhile
			}
			if uid := st.Sys().(*syscall.Stat_t).Uid; uid != 0 {
				seen[uid] = true
			}
		}
	}
	if len(seen) != 2 {
		t.Errorf("users %v, want two", seen)
	}
	for uid := range seen {
		if uid < 2_000_000_000 {
			t.Errorf("user %d may be somebody", uid)
		}
	}
}
