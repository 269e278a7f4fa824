package cloud

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strconv"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/function"
	"github.com/mayfly-cloud/mayfly/internal/gateway"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// openDoor compiles the APIs and serves them.
func (n *Node) openDoor(ctx context.Context) error {
	var routers []*wire.Router
	for _, api := range n.apis(n.invoker) {
		r, err := wire.New(api)
		if err != nil {
			return fmt.Errorf("compile API of %s: %w", api.Service, err)
		}
		routers = append(routers, r)
	}
	verifier := auth.NewVerifier(auth.Config{Keys: n.keys(), Region: n.cfg.Region, Clock: clock.System})
	n.server = gateway.Server(gateway.New(gateway.Config{
		APIs:        routers,
		Sites:       []gateway.Site{{Name: "function URL", Match: n.functions.ServesHost, Handler: n.functions.URLs(n.invoker, verifier, n.may)}},
		Pages:       n.pages(),
		Auth:        verifier,
		Permissions: n.may,
		Audit:       auditor{n.audit},
		Region:      n.cfg.Region,
		Tracing:     n.tracing,
		Log:         n.cfg.Log,
		Version:     n.cfg.Version,
	}), n.cfg.Log)
	if err := n.openInside(ctx); err != nil {
		return err
	}
	for _, l := range n.listeners {
		n.run("serve "+l.Addr().String(), n.serve(l))
	}
	return nil
}

// apis are AWS's, as far as this node serves them.
func (n *Node) apis(run function.Invoker) []wire.API {
	return []wire.API{
		n.functions.API(run), n.logs.API(), n.iam.API(), n.sts.API(),
		n.encryption.API(), n.parameters.API(), n.secrets.API(), n.audit.API(), n.queues.API(),
	}
}

// serve answers on l until ctx ends, then lets the calls under way end for a
// while; what runs longer is cut off, which its caller sees.
func (n *Node) serve(l net.Listener) func(context.Context) error {
	return func(ctx context.Context) error {
		served := make(chan error, 1)
		go func() { served <- n.server.Serve(l) }()
		var err error
		select {
		case err = <-served: // failed, or shut down by the other listener's turn
		case <-ctx.Done():
			grace, cancel := context.WithTimeout(context.Background(), shutdownGrace)
			defer cancel()
			if n.server.Shutdown(grace) != nil {
				n.server.Close()
			}
			err = <-served
		}
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return err
	}
}

// regionForm is what AWS's tools and ARN patterns take as a region.
var regionForm = regexp.MustCompile(`^[a-z]{2}(-[a-z]+){1,2}-[0-9]{1,2}$`)

// openFront takes the front door's address. Who connects waits until it opens.
func (n *Node) openFront(ctx context.Context) error {
	if !regionForm.MatchString(n.cfg.Region) {
		return fmt.Errorf("region %q is not written like one of AWS's, such as us-east-1", n.cfg.Region)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", n.cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", n.cfg.Listen, err)
	}
	n.onClose(func() error {
		l.Close() // closed already where it was served
		return nil
	})
	n.listeners = append(n.listeners, l)
	n.cfg.Listen = l.Addr().String()
	return nil
}

// openInside listens for sandboxes: the front door at the address they can reach,
// and a port for each address that they are allowed.
func (n *Node) openInside(ctx context.Context) error {
	if n.network == nil && n.ports == nil {
		return nil
	}
	l, err := n.listenInside(ctx, n.cfg.Listen)
	if err != nil {
		return err
	}
	n.listeners = append(n.listeners, l)
	if err := n.openNames(ctx); err != nil {
		return err
	}
	for _, target := range n.cfg.Allow {
		l, err := n.listenInside(ctx, target)
		if err != nil {
			return err
		}
		n.run("forward to "+target, func(ctx context.Context) error { return forward(ctx, l, target) })
	}
	return nil
}

// listenInside listens on the sandboxes' side at the port of an address.
func (n *Node) listenInside(ctx context.Context, address string) (net.Listener, error) {
	port, err := portOf(address)
	switch {
	case err != nil:
		return nil, err
	case n.network == nil && address == n.cfg.Listen:
		return n.ports.listen(n.insidePort())
	case n.network == nil:
		return n.ports.listen(port)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", netip.AddrPortFrom(n.network.Gateway(), port).String())
	if err != nil {
		return nil, fmt.Errorf("listen for sandboxes: %w", err)
	}
	if err := n.network.AllowPort(port); err != nil {
		return nil, errors.Join(fmt.Errorf("let sandboxes reach port %d: %w", port, err), l.Close())
	}
	return l, nil
}

// portOf is the port of HOST:PORT.
func portOf(address string) (uint16, error) {
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		return 0, fmt.Errorf("read address %q: want HOST:PORT: %w", address, err)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("read port of %q: %w", address, err)
	}
	return uint16(port), nil
}
