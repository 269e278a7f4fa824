package rootfs

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/launch"
)

// Who a program is inside its sandbox, and on what host it believes it is.
const (
	UID      = 1000
	User     = "sbx_user1051"
	Home     = "/tmp"
	Hostname = "169-254-100-6" // what AWS's look like; the same for all
)

// Root is the tree all sandboxes of a launcher see, each through a mount of
// its own, which makes what is attached to one invisible to the others:
//
//	<Dir>/base        a few files of ours; the host's /usr, certificates, ...
//	<Dir>/<id>/root   a read-only clone of base, with the sandbox's own mounts
//
// All of it is on a tmpfs in the launcher's mount namespace.
type Root struct {
	base string
	mu   sync.Mutex // held while base changes
}

// Directories and files of our own in every sandbox.
var (
	baseDirs = []string{
		"/dev", "/etc/ssl", "/opt", "/proc", "/tmp", "/usr", "/var/lang", "/var/runtime",
		sandbox.PlaceTask, sandbox.PlaceOpt,
	}
	baseFiles = map[string]string{
		"/etc/passwd": "root:x:0:0:root:/root:/sbin/nologin\n" +
			fmt.Sprintf("%s:x:%d:%d::%s:/sbin/nologin\n", User, UID, UID, Home),
		"/etc/group": fmt.Sprintf("root:x:0:\n%s:x:%d:\n", User, UID),
		// Extensions bind to sandbox.localdomain, as in AWS.
		"/etc/hosts":         "127.0.0.1 localhost sandbox.localdomain sandbox " + Hostname + "\n",
		"/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
		// Without a network no name server is in reach. Programs fall back to
		// 127.0.0.1, which refuses at once.
		"/etc/resolv.conf": "",
	}
	baseLinks = map[string]string{
		"/etc/localtime": "/usr/share/zoneinfo/UTC",
		"/etc/mtab":      "/proc/self/mounts",
	}
)

// Parts of the host in every sandbox, where the host has them. A link on the
// host (/bin on a merged /usr) is a link inside.
var (
	baseSystem = []string{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64"}
	baseShared = []string{
		"/etc/alternatives", "/etc/ld.so.cache", "/etc/ssl/certs", "/etc/ssl/openssl.cnf",
		"/etc/ca-certificates", "/etc/pki/ca-trust/extracted", "/etc/pki/tls/certs",
	}
)

// NodeName is the node's name inside sandboxes.
const NodeName = "host.mayfly.internal"

// New makes the tree under dir, which only this mount namespace sees. gateway is
// the address behind NodeName, and of the name server; empty for the sandbox's own loopback, where the
// node's ports are if there is no network.
func New(dir, gateway string) (*Root, error) {
	r := &Root{base: filepath.Join(dir, "base")}
	for _, d := range baseDirs {
		if err := os.MkdirAll(r.base+d, 0o755); err != nil {
			return nil, fmt.Errorf("make root: %w", err)
		}
	}
	if err := os.Remove(r.base + "/opt"); err != nil {
		return nil, fmt.Errorf("make root: %w", err)
	}
	if err := os.Symlink(sandbox.PlaceOpt, r.base+"/opt"); err != nil {
		return nil, fmt.Errorf("make root: %w", err)
	}
	for name, text := range baseFiles {
		switch {
		case name == "/etc/hosts":
			text += cmp.Or(gateway, "127.0.0.1") + " " + NodeName + "\n"
		case name == "/etc/resolv.conf" && gateway != "":
			text = "nameserver " + gateway + "\n"
		}
		if err := os.WriteFile(r.base+name, []byte(text), 0o644); err != nil {
			return nil, fmt.Errorf("make root: %w", err)
		}
	}
	for name, to := range baseLinks {
		if err := os.Symlink(to, r.base+name); err != nil {
			return nil, fmt.Errorf("make root: %w", err)
		}
	}
	return r, r.share()
}

// share puts the host's parts into base.
func (r *Root) share() error {
	for _, p := range append(baseSystem, baseShared...) {
		st, err := os.Lstat(p)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("share %s: %w", p, err)
		}
		if st.Mode()&fs.ModeSymlink != 0 {
			to, err := os.Readlink(p)
			if err == nil {
				err = os.Symlink(to, r.base+p)
			}
			if err != nil {
				return fmt.Errorf("share %s: %w", p, err)
			}
			continue
		}
		if err := mountPoint(p, r.base+p); err != nil {
			return err
		}
		if err := BindReadOnly(p, r.base+p); err != nil {
			return err
		}
	}
	return nil
}

// Mount clones the tree for one sandbox at dir and adds the sandbox's own
// mounts. What is mounted on it later shows up inside the running sandbox.
func (r *Root) Mount(dir string, own []launch.Bind) error {
	if err := r.makePoints(own); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return fmt.Errorf("make mount point: %w", err)
	}
	if err := BindReadOnly(r.base, dir); err != nil {
		return err
	}
	if err := unix.Mount("", dir, "", unix.MS_SHARED, ""); err != nil {
		return fmt.Errorf("share root mount: %w", err)
	}
	for _, m := range own {
		if err := BindReadOnly(m.Host, dir+m.Inside); err != nil {
			return err
		}
	}
	return nil
}

// makePoints makes the places own mounts need in base, where they are missing.
func (r *Root) makePoints(own []launch.Bind) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range own {
		if err := mountPoint(m.Host, r.base+m.Inside); err != nil {
			return err
		}
	}
	return nil
}

// mountPoint makes at point what host can be bound to: a directory or a file.
func mountPoint(host, point string) error {
	st, err := os.Stat(host)
	if err != nil {
		return fmt.Errorf("mount %s: %w", host, err)
	}
	if st.IsDir() {
		err = os.MkdirAll(point, 0o755)
	} else if err = os.MkdirAll(filepath.Dir(point), 0o755); err == nil {
		var f *os.File
		if f, err = os.OpenFile(point, os.O_CREATE|os.O_RDONLY, 0o644); err == nil {
			err = f.Close()
		}
	}
	if err != nil {
		return fmt.Errorf("make mount point: %w", err)
	}
	return nil
}
