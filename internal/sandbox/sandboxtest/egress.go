package sandboxtest

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/mayfly-cloud/mayfly/internal/sandbox"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/sandboxtest/order"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/sandboxtest/world"
)

// Egress tests what sandboxes reach by TCP, UDP and names in a world of their own,
// which the test has entered. internet says whether the network was opened to it.
// The node must serve names, "host.mayfly.internal" and those below "localhost" its own.
func Egress(t *testing.T, cfg Config, internet bool) {
	s := &suite{cfg}
	online := func(s *sandbox.Spec) { s.Network = true }
	neighbour := s.start(t, online)
	for _, c := range []struct {
		name, host string
		want       bool
	}{
		{"a public address", world.Public.String(), internet},
		{"a private address", world.Private.String(), false},
		{"the machine's network", world.Router.String(), false},
		{"the machine", world.Machine.String(), false},
		{"metadata of a cloud", world.Metadata.String(), false},
		{"the node's address", s.Gateway, false},
		{"a neighbour", neighbour.Addr(), false},
		{"itself", "127.0.0.1", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, to := s.start(t, online), net.JoinHostPort(c.host, strconv.Itoa(world.Port))
			for _, o := range []order.Order{{Op: order.Dial, Path: to}, {Op: order.Send, Path: to, Text: "?"}} {
				if !c.want {
					p.fails(o, syscall.ECONNREFUSED)
				} else if a := p.do(o); a.Err != "" || o.Op == order.Send && a.Text != "hello" {
					t.Errorf("%s %s: %q %s", o.Op, to, a.Text, a.Err)
				}
			}
		})
	}
	// Any name server but the node's is as far as all else.
	p := s.start(t, online)
	for _, a := range []string{world.Router.String(), world.Private.String()} {
		p.fails(order.Order{Op: order.Send, Path: net.JoinHostPort(a, "53"), Text: "?"}, syscall.ECONNREFUSED)
		p.fails(order.Order{Op: order.Dial, Path: net.JoinHostPort(a, "53")}, syscall.ECONNREFUSED)
	}
	for _, c := range []struct{ name, want, err string }{
		{"host.mayfly.internal", s.Gateway, ""},
		{"bucket.s3.us-east-1.localhost", s.Gateway, ""},
		{"localhost", "127.0.0.1", ""},
		{"public.example", world.Public.String(), ""},
		{"internal.example", "", "server misbehaving"}, // what Go makes of REFUSED
		{"mixed.example", "", "server misbehaving"},
		{"nobody.example", "", "no such host"},
	} {
		if !internet && strings.HasSuffix(c.name, ".example") {
			c.want, c.err = "", "server misbehaving"
		}
		a := p.do(order.Order{Op: order.Find, Path: c.name})
		if c.err != "" && !strings.Contains(a.Err, c.err) || c.err == "" && !slices.Equal(a.List, []string{c.want}) {
			t.Errorf("%s is %v, %q; want %q %q", c.name, a.List, a.Err, c.want, c.err)
		}
	}
}
