package cloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/program"
	"github.com/mayfly-cloud/mayfly/internal/runtime"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/cgroup"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/network"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/resolver"
	"golang.org/x/sys/unix"
)

// State is what a check came to.
type State string

// The states: a node works, works less well, can't work.
const (
	OK    State = "ok"
	Warns State = "warn"
	Fails State = "fail"
)

// Check is one thing a node needs, as found on this machine.
type Check struct {
	Name    string `json:"name"`
	State   State  `json:"state"`
	Finding string `json:"finding"`
	// Advice is what to do, empty where nothing is to be done.
	Advice string `json:"advice,omitempty"`
}

// lowDisk is the free space, in bytes, below which a data folder is a worry.
const lowDisk = 1 << 30

// Examine checks this machine for a node of the configuration. It changes nothing
// that lasts but makes the data folder.
func Examine(ctx context.Context, cfg Config) []Check {
	checks := append([]Check{examineData(cfg.Data)}, examineStore(ctx, cfg)...)
	checks = append(checks, examineIsolation(ctx, cfg)...)
	return append(checks, examineAddress(ctx, cfg.Listen), examineRuntimes(ctx, cfg), examineAgent())
}

func examineData(dir string) Check {
	c := Check{Name: "data", State: Fails}
	err := os.MkdirAll(dir, 0o711)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, "doctor-"); err == nil {
			err = errors.Join(f.Close(), os.Remove(f.Name()))
		}
	}
	if err != nil {
		c.Finding, c.Advice = err.Error(), "Name another folder with --data or MAYFLY_DATA."
		return c
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		c.Finding = fmt.Sprintf("measure %s: %v", dir, err)
		return c
	}
	free := int64(fs.Bavail) * fs.Bsize
	c.State, c.Finding = OK, fmt.Sprintf("%s is writable, %.1f GiB free", dir, float64(free)/(1<<30))
	if free < lowDisk {
		c.State, c.Advice = Warns, "Make room: a full disk refuses new work, though it loses none."
	}
	return c
}

// examineIsolation starts what isolates sandboxes, on a folder of its own.
func examineIsolation(ctx context.Context, cfg Config) []Check {
	scratch, err := os.MkdirTemp(cfg.Data, "doctor-")
	if err != nil {
		return []Check{{Name: "isolation", State: Fails, Finding: err.Error()}}
	}
	defer os.RemoveAll(scratch)
	probe := cfg
	probe.Data, probe.Internet, probe.AllowNet = scratch, false, nil // where networks lead is examined by itself
	n := &Node{cfg: probe, failed: make(chan struct{})}
	err = n.openIsolation(ctx)
	c := Check{Name: "isolation", State: OK}
	switch {
	case err != nil:
		c.State, c.Finding = Fails, err.Error()
		c.Advice = gVisorNeeds
	case len(n.driver.Info().Weaker) > 0:
		info := n.driver.Info()
		c.State, c.Finding = Warns, fmt.Sprintf("%s: %s; without %s", info.Name, info.Detail, strings.Join(info.Weaker, ", "))
		c.Advice = n.strengthen()
	default:
		c.Finding = n.driver.Info().Name + ": " + n.driver.Info().Detail
	}
	checks := []Check{c, examineGroups(cfg), examineNetwork(ctx, cfg)}
	if err := n.Close(); err != nil {
		checks[0].State, checks[0].Finding = Warns, fmt.Sprintf("%s; closing it: %v", checks[0].Finding, err)
	}
	return checks
}

const gVisorNeeds = "gVisor needs root or user namespaces (sysctl user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns), " +
	"and a kernel that lets it trace its own processes (ptrace) or make virtual machines (/dev/kvm)."

// strengthen is what to do about weaker isolation.
func (n *Node) strengthen() string {
	var advice []string
	switch {
	case n.noGVisor != nil:
		advice = append(advice, fmt.Sprintf("gVisor can't run here: %v.", n.noGVisor), gVisorNeeds)
	case n.cfg.Sandbox == "process":
		advice = append(advice, "With --sandbox auto a node takes gVisor where it can.")
	}
	if os.Geteuid() != 0 {
		advice = append(advice, "Run the node as root for the rest.")
	}
	if len(advice) == 0 {
		advice = append(advice, "See the checks below for what is missing.")
	}
	return strings.Join(advice, " ")
}

func examineGroups(cfg Config) Check {
	c := Check{Name: "limits", State: OK, Finding: "control groups bound memory, processor and processes"}
	groups, err := cgroup.Open(cfg.Log)
	if err == nil {
		err = groups.Close()
	}
	if err != nil {
		c.State, c.Finding, c.Advice = Warns, err.Error(), "Run the node as root, or in a delegated control group."
	}
	return c
}

func examineNetwork(ctx context.Context, cfg Config) Check {
	c := Check{Name: "network", State: OK}
	want, err := cfg.network()
	if err != nil {
		c.State, c.Finding, c.Advice = Fails, err.Error(), "Name networks as CIDR or CIDR:PORT."
		return c
	}
	net, err := network.New(ctx, want)
	if err == nil {
		c.Finding = "functions reach " + net.Leads()
		err = net.Close()
	}
	switch {
	case err != nil && (want.Internet || len(want.Nets) > 0):
		c.State, c.Finding = Fails, err.Error()
		c.Advice = "Run the node as root, or without --internet and --allow-net."
	case err != nil:
		c.State = Warns
		c.Finding = err.Error() + "; the node, and what --allow names, are led into sandboxes port by port, and functions reach nothing else"
		c.Advice = "Run the node as root, on a kernel with nftables and veth."
	case !want.Internet:
		c.Finding += ", and no names but its own resolve; --internet opens public addresses"
	default:
		examineInternet(&c)
	}
	return c
}

// examineInternet adds what may be in the way of functions to the internet.
func examineInternet(c *Check) {
	servers, err := resolver.HostFile(hostNames)()
	if err != nil {
		c.State, c.Advice = Warns, fmt.Sprintf("No names will resolve: %v.", err)
	}
	for i, s := range servers {
		c.Finding += cmp.Or(map[int]string{0: "; names by "}[i], ", ") + s.Addr().String()
	}
	blockers, err := network.Blockers()
	if err != nil {
		c.State, c.Advice = Warns, err.Error()
	}
	if len(blockers) > 0 {
		c.State = Warns
		c.Advice = fmt.Sprintf("Have other packet filters pass what comes from and goes to interfaces mf*, which they refuse by default: %s.", strings.Join(blockers, ", "))
	}
}

func examineAddress(ctx context.Context, listen string) Check {
	c := Check{Name: "address", State: OK, Finding: listen + " is free"}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", listen)
	if err == nil {
		l.Close()
		return c
	}
	client := http.Client{Timeout: 2 * time.Second}
	if res, failed := client.Get("http://" + listen + "/_mayfly/health"); failed == nil {
		res.Body.Close()
		if res.StatusCode == http.StatusOK {
			c.Finding = "a node answers at " + listen
			return c
		}
	}
	c.State, c.Finding, c.Advice = Fails, err.Error(), "Name another address with --listen or MAYFLY_LISTEN."
	return c
}

func examineRuntimes(ctx context.Context, cfg Config) Check {
	c := Check{Name: "runtimes", State: Fails}
	set, err := runtime.Find(ctx, runtime.Config{Dir: filepath.Join(cfg.Data, "runtimes"), Log: cfg.Log})
	if err != nil {
		c.Finding = err.Error()
		return c
	}
	var found []string
	managed := false
	for _, r := range set.List() {
		if r.Found {
			found = append(found, r.Name)
			managed = managed || !strings.HasPrefix(r.Name, "provided")
		}
	}
	c.State, c.Finding = OK, strings.Join(found, ", ")
	if !managed {
		c.State, c.Advice = Warns, "Install a language (apt-get install nodejs) or add one: mayfly runtime ls"
	}
	return c
}

func examineAgent() Check {
	if err := program.Built(program.Agent); err != nil {
		return Check{Name: "agent", State: Warns, Finding: err.Error(), Advice: "Custom runtimes and extensions need it."}
	}
	return Check{Name: "agent", State: OK, Finding: "custom runtimes and extensions can run"}
}
