package resolver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Limits. A sandbox that floods the node is answered SERVFAIL, or not at all.
const (
	maxQuery       = 1232 // bytes; the size of answers in one packet, too
	maxAsked       = 256  // queries that wait for the machine's name servers,
	maxAskedEach   = 32   // and how many of them one sandbox may have
	maxStreams     = 64   // connections, each with a query at a time,
	maxStreamsEach = 4
	streamIdle     = 10 * time.Second
)

// Config says what to answer.
type Config struct {
	// Addr is the address sandboxes reach the node at: where it listens, and what
	// it answers for Own.
	Addr netip.Addr
	// Own are the names of the node, each with all names below it.
	Own []string
	// Upstreams are the name servers to ask for all other names; nil for none.
	Upstreams func() ([]netip.AddrPort, error)
	// Reaches says whether sandboxes can reach an address; unused without Upstreams.
	Reaches func(netip.Addr) bool
	// Log gets what failed; nil discards it.
	Log *slog.Logger
}

// Resolver is a name server.
type Resolver struct {
	cfg     Config
	packets *net.UDPConn
	streams *net.TCPListener

	asked, connected *quota
	work             sync.WaitGroup
}

// Listen takes a port for packets and one for connections. Run answers.
func Listen(ctx context.Context, cfg Config) (*Resolver, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	var lc net.ListenConfig
	at := netip.AddrPortFrom(cfg.Addr, 0).String()
	p, err := lc.ListenPacket(ctx, "udp4", at)
	if err != nil {
		return nil, fmt.Errorf("listen for queries: %w", err)
	}
	s, err := lc.Listen(ctx, "tcp4", at)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen for queries: %w", err), p.Close())
	}
	return &Resolver{
		cfg: cfg, packets: p.(*net.UDPConn), streams: s.(*net.TCPListener),
		asked: newQuota(maxAsked, maxAskedEach), connected: newQuota(maxStreams, maxStreamsEach),
	}, nil
}

// Ports are where it listens: for packets, and for connections.
func (r *Resolver) Ports() (udp, tcp uint16) {
	return r.packets.LocalAddr().(*net.UDPAddr).AddrPort().Port(), r.streams.Addr().(*net.TCPAddr).AddrPort().Port()
}

// Close gives the ports back; for a resolver that isn't run.
func (r *Resolver) Close() error { return errors.Join(r.packets.Close(), r.streams.Close()) }

// Run answers until ctx ends.
func (r *Resolver) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { r.Close() }) // closed already is as good
	defer stop()
	failed := make(chan error, 2)
	r.work.Go(func() { failed <- r.servePackets(ctx); cancel() })
	r.work.Go(func() { failed <- r.serveStreams(ctx); cancel() })
	err := errors.Join(<-failed, <-failed)
	r.work.Wait()
	return err
}

func (r *Resolver) servePackets(ctx context.Context) error {
	buf := make([]byte, maxQuery+1)
	for {
		n, from, err := r.packets.ReadFromUDPAddrPort(buf)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read query: %w", err)
		}
		q, ok := readQuery(buf[:n])
		if !ok {
			continue
		}
		r.begin(ctx, q, from.Addr(), func(a answer) {
			// A sandbox that has gone, or whose queue is full, asks again or doesn't.
			_, _ = r.packets.WriteToUDPAddrPort(a.pack(q, q.size), from)
		})
	}
}

// begin answers at once what the node knows, and later what it has to ask for.
func (r *Resolver) begin(ctx context.Context, q query, from netip.Addr, reply func(answer)) {
	a, known := r.know(q)
	if known {
		reply(a)
		return
	}
	if !r.asked.take(from) {
		reply(answer{code: dnsmessage.RCodeServerFailure})
		return
	}
	r.work.Go(func() {
		defer r.asked.give(from)
		reply(r.ask(ctx, q))
	})
}

// know answers without asking anybody, if it can.
func (r *Resolver) know(q query) (answer, bool) {
	switch {
	case q.code != dnsmessage.RCodeSuccess:
		return answer{code: q.code}, true
	case q.question.Class != dnsmessage.ClassINET:
		return answer{code: dnsmessage.RCodeRefused}, true
	case r.isOwn(q.name):
		return r.own(q), true
	case r.cfg.Upstreams == nil:
		return answer{code: dnsmessage.RCodeRefused, why: prohibited, text: "this node leads to no other names"}, true
	case !served[q.question.Type]:
		return answer{code: dnsmessage.RCodeNotImplemented}, true
	case r.isHidden(q.name):
		return answer{code: dnsmessage.RCodeRefused, why: blocked, text: "out of reach from here"}, true
	}
	return answer{}, false
}

func (r *Resolver) isOwn(name string) bool {
	for _, own := range r.cfg.Own {
		if name == own || strings.HasSuffix(name, "."+own) {
			return true
		}
	}
	return false
}

// own answers for the node. The name localhost itself stays the sandbox's, as
// everybody expects (RFC 6761, section 6.3); those below it are the node's.
func (r *Resolver) own(q query) answer {
	if q.question.Type != dnsmessage.TypeA {
		return answer{} // there is the name, and nothing of the kind
	}
	addr := r.cfg.Addr
	if q.name == "localhost" {
		addr = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return answer{records: []dnsmessage.Resource{{
		Header: dnsmessage.ResourceHeader{Name: q.question.Name, Class: dnsmessage.ClassINET, TTL: ownTTL},
		Body:   &dnsmessage.AResource{A: addr.As4()},
	}}}
}

// ownTTL is how many seconds an answer for the node is good for.
const ownTTL = 60

// isHidden says whether a name is the reverse of an address out of reach. Whose
// names the machine's network has is not for sandboxes to know.
func (r *Resolver) isHidden(name string) bool {
	if name == "ip6.arpa" || strings.HasSuffix(name, ".ip6.arpa") {
		return true
	}
	labels, ok := strings.CutSuffix(name, ".in-addr.arpa")
	if !ok {
		return false
	}
	parts := strings.Split(labels, ".")
	if len(parts) != 4 {
		return true
	}
	a, err := netip.ParseAddr(strings.Join([]string{parts[3], parts[2], parts[1], parts[0]}, "."))
	return err != nil || !r.cfg.Reaches(a)
}

// quota counts who has how many of something.
type quota struct {
	mu        sync.Mutex
	all, each int
	taken     int
	by        map[netip.Addr]int
}

func newQuota(all, each int) *quota { return &quota{all: all, each: each, by: map[netip.Addr]int{}} }

func (q *quota) take(who netip.Addr) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.taken >= q.all || q.by[who] >= q.each {
		return false
	}
	q.taken++
	q.by[who]++
	return true
}

func (q *quota) give(who netip.Addr) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.taken--
	if q.by[who]--; q.by[who] == 0 {
		delete(q.by, who)
	}
}
