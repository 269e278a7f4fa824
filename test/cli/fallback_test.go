package cli_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/mayfly-cloud/mayfly/test/node"
)

// withoutGVisor names the program that this binary becomes, on a machine where
// gVisor can't run.
const withoutGVisor = "TEST_WITHOUT_GVISOR"

func TestMain(m *testing.M) {
	if program := os.Getenv(withoutGVisor); program != "" {
		fmt.Fprintln(os.Stderr, becomeWithoutGVisor(program))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// becomeWithoutGVisor refuses what gVisor's platforms need of the kernel, as some
// container runtimes do, and turns into the program.
func becomeWithoutGVisor(program string) error {
	runtime.LockOSThread()
	const createVM = 0xae01 // KVM_CREATE_VM
	err := seccomp.LoadFilter(seccomp.Filter{NoNewPrivs: os.Getuid() != 0, Flag: seccomp.FilterFlagTSync, Policy: seccomp.Policy{
		DefaultAction: seccomp.ActionAllow,
		Syscalls: []seccomp.SyscallGroup{{
			Action: seccomp.ActionErrno, Names: []string{"ptrace"},
			NamesWithCondtions: []seccomp.NameWithConditions{{Name: "ioctl", Conditions: seccomp.ArgumentConditions{
				{Argument: 1, Operation: seccomp.Equal, Value: createVM}}}},
		}},
	}})
	if err != nil {
		return fmt.Errorf("load filter: %w", err)
	}
	return syscall.Exec(program, append([]string{program}, os.Args[1:]...), os.Environ())
}

// under has a command run where gVisor can't.
func under(t *testing.T) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) {
		cmd.Path = "/proc/self/exe"
		cmd.Env = append(cmd.Environ(), withoutGVisor+"="+node.Binary(t))
	}
}

// Where gVisor can't run, what stands in is named wherever isolation is, with the
// reason, and functions run.
func TestFallBackFromGVisorIsNamed(t *testing.T) {
	n := node.StartAs(t, under(t), "--sandbox", "auto")
	for _, want := range []string{
		`(?m)^  isolation  process(-rootless)?: namespaces and a system call filter`,
		`(?m)^             weaker than it could be: no own kernel.*; mayfly doctor says why$`,
		`level=WARN msg="sandboxes are weaker than gVisor's.*reason="start gVisor: \S`,
	} {
		node.Eventually(t, 10*time.Second, "the greeting has "+want, func() bool { return regexp.MustCompile(want).MatchString(n.Log()) })
	}
	n.CreateJS("hi", `exports.handler = async (event) => event.name`)
	if got := n.Invoke("hi", `{"name":"Ada"}`); got.Payload != `"Ada"` {
		t.Errorf("answer %s", got.Payload)
	}

	doctor := exec.Command(node.Binary(t), "doctor", "--data", t.TempDir(), "--listen", "127.0.0.1:0")
	under(t)(doctor)
	out, err := doctor.CombinedOutput()
	if err != nil || !regexp.MustCompile(`(?m)^warn  isolation  process(-rootless)?: .*without own kernel`).Match(out) ||
		!strings.Contains(string(out), "gVisor can't run here") {
		t.Errorf("doctor: %v\n%s", err, out)
	}

	// Who asks for gVisor gets no other.
	up := exec.Command(node.Binary(t), "up", "--sandbox", "gvisor", "--data", t.TempDir(), "--listen", "127.0.0.1:0")
	under(t)(up)
	if out, err := up.CombinedOutput(); err == nil || !strings.Contains(string(out), "start gVisor") {
		t.Errorf("up --sandbox gvisor: %v\n%s", err, out)
	}
}
