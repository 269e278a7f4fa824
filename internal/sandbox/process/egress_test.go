package process_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/sandbox/network"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/resolver"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/sandboxtest"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/sandboxtest/world"
)

func TestReachesNoInternet(t *testing.T) { reaches(t, false) }

func TestReachesInternet(t *testing.T) { reaches(t, true) }

func reaches(t *testing.T, internet bool) {
	if !world.Enter(t, binariesEnv+"="+filepath.Dir(standalone)) {
		return
	}
	n := newNodeOn(t, network.Config{Internet: internet})
	serveNames(t, n.network, internet)
	sandboxtest.Egress(t, sandboxtest.Config{Driver: n, Guest: guest, Gateway: n.network.Gateway().String()}, internet)
}

// serveNames serves names to sandboxes as a node does, from the world's servers.
func serveNames(t *testing.T, net *network.Network, internet bool) {
	t.Helper()
	cfg := resolver.Config{Addr: net.Gateway(), Own: []string{"host.mayfly.internal", "localhost"}, Reaches: net.Reaches}
	if internet {
		cfg.Upstreams = resolver.HostFile("/etc/resolv.conf") // the world's
	}
	r, err := resolver.Listen(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	check(t, net.ServeNames(r.Ports()))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		check(t, <-ended)
	})
}
