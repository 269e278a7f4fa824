package launcher

import (
	"fmt"
	"math"
	"os"
	"path/filepath"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"gvisor.dev/gvisor/runsc/config"
	"gvisor.dev/gvisor/runsc/flag"

	"github.com/mayfly-cloud/mayfly/internal/sandbox/launch"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/rootfs"
)

// rules say how sandboxes are kept: runsc's configuration and the OCI spec.
type rules struct {
	alone, networked config.Config
}

func newRules(s launch.Setup) (rules, error) {
	flags := []string{
		"--platform=" + s.Platform,
		"--ignore-cgroups", // on v1 runsc would move the whole launcher
		"--overlay2=none",
		"--host-settings=ignore",
		"--shared-root=" + s.Dir,
	}
	if s.Rootless {
		flags = append(flags, "--rootless")
	}
	// Sandboxes without a network reach their node through sockets in a folder
	// that is mounted for it; none is anywhere else in what they see.
	alone, err := parseConfig(append(flags, "--network=none", "--host-uds=open"))
	if err != nil {
		return rules{}, err
	}
	networked, err := parseConfig(append(flags, "--network=sandbox"))
	if err != nil {
		return rules{}, err
	}
	return rules{alone: *alone, networked: *networked}, nil
}

func parseConfig(flags []string) (*config.Config, error) {
	fs := flag.NewFlagSet("runsc", flag.ContinueOnError)
	config.RegisterFlags(fs)
	if err := fs.Parse(flags); err != nil {
		return nil, fmt.Errorf("parse runsc flags: %w", err)
	}
	c, err := config.NewFromFlags(fs)
	if err != nil {
		return nil, fmt.Errorf("configure runsc: %w", err)
	}
	return c, nil
}

// conf is runsc's configuration of one sandbox: runsc scans everything under
// its root directory at each start, so each sandbox has one of its own.
func (r *rules) conf(b *box, network bool) *config.Config {
	c := r.alone
	if network {
		c = r.networked
	}
	c.RootDir = filepath.Join(b.dir, "runsc")
	return &c
}

func (r *rules) spec(b *box, q *launch.Start, files []*os.File) *specs.Spec {
	netns := specs.LinuxNamespace{Type: specs.NetworkNamespace}
	if q.Network {
		netns.Path = fmt.Sprintf("/proc/self/fd/%d", files[launch.FileNetNS].Fd())
	}
	return &specs.Spec{
		Version: specs.Version,
		Process: &specs.Process{
			Args: q.Args, Env: q.Env, Cwd: q.Dir,
			User:            specs.User{UID: rootfs.UID, GID: rootfs.UID},
			Capabilities:    &specs.LinuxCapabilities{},
			NoNewPrivileges: true,
			Rlimits:         rlimits(q),
		},
		Root:     &specs.Root{Path: b.rootDir(), Readonly: true},
		Hostname: rootfs.Hostname,
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc"},
			{Destination: "/tmp", Type: "tmpfs", Source: "tmpfs", Options: tmpOptions(q.TmpBytes)},
		},
		Linux: &specs.Linux{Namespaces: []specs.LinuxNamespace{
			{Type: specs.PIDNamespace}, {Type: specs.MountNamespace},
			{Type: specs.IPCNamespace}, {Type: specs.UTSNamespace}, netns,
		}},
	}
}

func tmpOptions(size int64) []string {
	o := []string{"nosuid", "nodev", "mode=1777"}
	if size > 0 {
		o = append(o, fmt.Sprintf("size=%d", size))
	}
	return o
}

// rlimits bound what gVisor doesn't bound by OCI's resources.
func rlimits(q *launch.Start) []specs.POSIXRlimit {
	limit := func(name string, n int) specs.POSIXRlimit {
		v := uint64(n)
		if n <= 0 {
			v = math.MaxUint64
		}
		return specs.POSIXRlimit{Type: name, Soft: v, Hard: v}
	}
	l := []specs.POSIXRlimit{limit("RLIMIT_NPROC", q.Processes), {Type: "RLIMIT_CORE"}}
	if q.OpenFiles > 0 {
		l = append(l, limit("RLIMIT_NOFILE", q.OpenFiles))
	}
	return l
}
