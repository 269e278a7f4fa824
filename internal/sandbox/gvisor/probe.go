package gvisor

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/sandbox/launch/node"
)

// gVisor's platforms.
const (
	kvm     = "kvm"
	systrap = "systrap"
)

const (
	probeTimeout = 10 * time.Second
	// kvmTimeout is short: KVM is quick, or it hangs, which it does on some
	// nested hosts whose /dev/kvm opens and makes machines.
	kvmTimeout = 500 * time.Millisecond
)

// platforms are drivers for each, of which one is kept.
type platforms map[string]*node.Driver

// choose takes KVM where it runs a sandbox, else systrap, and leaves its launcher
// running. What was found to work is remembered until the machine boots or the
// program changes.
func (on platforms) choose(ctx context.Context, cfg *Config) (string, error) {
	found := verdict{file: cfg.Verdict, exe: cfg.Exe}
	if p := found.read(); p != "" && on[p].Open(ctx) == nil {
		return p, nil
	}
	p, err := on.proveBest(ctx)
	if err != nil {
		return "", err
	}
	if err := found.write(p); err != nil {
		cfg.Log.Warn("what isolation works will be found out again at the next start", "error", err)
	}
	return p, nil
}

// proveBest proves both platforms at the same time.
func (on platforms) proveBest(ctx context.Context) (string, error) {
	plain := make(chan error, 1)
	go func() { plain <- on[systrap].Prove(ctx, "probe-"+systrap, probeTimeout) }()
	virtual := errors.New("no /dev/kvm")
	if f, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0); err == nil {
		f.Close()
		virtual = on[kvm].Prove(ctx, "probe-"+kvm, kvmTimeout)
	}
	err := <-plain
	if virtual == nil {
		return kvm, nil
	}
	return systrap, err
}

// closeBut closes all platforms but one.
func (on platforms) closeBut(platform string) error {
	var errs []error
	for p, d := range on {
		if p != platform {
			errs = append(errs, d.Close())
		}
	}
	return errors.Join(errs...)
}
