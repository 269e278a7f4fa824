package network

import (
	"fmt"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// maxConns is how many connections beyond the node a sandbox may have at once:
// the machine's table of them is everybody's.
const maxConns = 1024

// filter is the packet filter of one slot. What comes from a sandbox is judged
// where it arrives, and again where it would be delivered or sent on, so that no
// translation in between leads elsewhere:
//
//	table inet mayfly-<n> {
//	  set ports, datagrams { type inet_service }  # of the gateway: TCP's, UDP's
//	  set uplinks { type ifname }                 # forwarding here is our doing
//	  chain names   { type nat hook prerouting;   # port 53 is the node's resolver
//	    iifname "mf<n>v*" ip daddr <gateway> udp dport 53 dnat to <gateway>:<port> }
//	  chain arrive  { type filter hook prerouting; iifname "mf<n>v*" jump sandbox }
//	  chain input   { type filter hook input
//	    iifname "mf<n>v*" jump sandbox
//	    ip daddr <gateway> iifname != "lo" drop   # neighbours who route to it
//	  }
//	  chain forward { type filter hook forward
//	    tcp flags syn tcp option maxseg size set rt mtu    # both ways
//	    iifname "mf<n>v*" jump sandbox
//	    oifname "mf<n>v*" ct state established,related accept
//	    oifname "mf<n>v*" drop
//	    iifname @uplinks ct state != established,related drop  # we make no router
//	  }
//	  chain sandbox {
//	    fib saddr . iif oif missing drop          # its own address only
//	    ct state established,related accept
//	    ip daddr <gateway> tcp dport @ports accept
//	    ip daddr <gateway> udp dport @datagrams accept
//	    fib daddr type != unicast goto refuse     # the machine itself, and crowds
//	    ip daddr <net> [tcp, udp dport <port>] goto out     # of Config.Nets
//	    ip daddr @closed goto refuse              # with Config.Internet, these two
//	    meta nfproto ipv4 goto out
//	    goto refuse
//	  }
//	  chain out     { add @senders { ip saddr ct count over 1024 } goto refuse; accept }
//	  chain refuse  { meta l4proto tcp reject with tcp reset; reject }
//	  chain leave   { type nat hook postrouting   # what leaves is the machine's
//	    ip saddr <subnet> ip saddr != <gateway> oifname != "mf<n>v*" masquerade }
//	}
type filter struct {
	slot  *slot
	table *nftables.Table

	ports, datagrams, uplinks *nftables.Set
}

// builder adds to the table in one transaction.
type builder struct {
	*nftables.Conn
	table *nftables.Table
	err   error
}

func newFilter(s *slot, cfg Config) (*filter, error) {
	c, err := nftables.New()
	if err != nil {
		return nil, fmt.Errorf("open packet filter: %w", err)
	}
	b := &builder{Conn: c, table: c.AddTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: s.tableName()})}
	f := &filter{slot: s, table: b.table}
	f.ports = b.set(&nftables.Set{Name: "ports", KeyType: nftables.TypeInetService}, elements(cfg.Ports...))
	f.datagrams = b.set(&nftables.Set{Name: "datagrams", KeyType: nftables.TypeInetService}, nil)
	f.uplinks = b.set(&nftables.Set{Name: uplinksName, KeyType: nftables.TypeIFName}, nil)
	sandbox := f.addJudge(b, cfg)
	from := named(expr.MetaKeyIIFNAME, expr.CmpOpEq, s.vethPrefix())
	to := named(expr.MetaKeyOIFNAME, expr.CmpOpEq, s.vethPrefix())
	arrive := b.hook("arrive", nftables.ChainHookPrerouting, nftables.ChainTypeFilter)
	input := b.hook("input", nftables.ChainHookInput, nftables.ChainTypeFilter)
	forward := b.hook("forward", nftables.ChainHookForward, nftables.ChainTypeFilter)
	b.rule(arrive, from, jump(sandbox))
	b.rule(input, from, jump(sandbox))
	b.rule(input, address(recipient, expr.CmpOpEq, netip.PrefixFrom(s.gateway(), 32)),
		named(expr.MetaKeyIIFNAME, expr.CmpOpNeq, "lo\x00"), verdict(expr.VerdictDrop))
	if cfg.leadsOut() {
		b.rule(forward, from, clampSegments())
		b.rule(forward, to, clampSegments())
		b.rule(b.hook("leave", nftables.ChainHookPostrouting, nftables.ChainTypeNAT),
			address(sender, expr.CmpOpEq, s.subnet()), address(sender, expr.CmpOpNeq, netip.PrefixFrom(s.gateway(), 32)),
			named(expr.MetaKeyOIFNAME, expr.CmpOpNeq, s.vethPrefix()), []expr.Any{&expr.Masq{}})
	}
	b.rule(forward, from, jump(sandbox))
	b.rule(forward, to, established(expr.CmpOpNeq), verdict(expr.VerdictAccept))
	b.rule(forward, to, verdict(expr.VerdictDrop))
	b.rule(forward, arrivedBy(f.uplinks), established(expr.CmpOpEq), verdict(expr.VerdictDrop))
	if err := b.flush(); err != nil {
		return nil, fmt.Errorf("set packet filter: %w", err)
	}
	return f, nil
}

// addJudge adds the chain that says what a sandbox's packet may reach.
func (f *filter) addJudge(b *builder, cfg Config) *nftables.Chain {
	gateway := address(recipient, expr.CmpOpEq, netip.PrefixFrom(f.slot.gateway(), 32))
	sandbox, out, refuse := b.chain("sandbox"), b.chain("out"), b.chain("refuse")
	b.rule(sandbox, spoofed(), verdict(expr.VerdictDrop))
	b.rule(sandbox, established(expr.CmpOpNeq), verdict(expr.VerdictAccept))
	b.rule(sandbox, gateway, toPorts(unix.IPPROTO_TCP, f.ports), verdict(expr.VerdictAccept))
	b.rule(sandbox, gateway, toPorts(unix.IPPROTO_UDP, f.datagrams), verdict(expr.VerdictAccept))
	b.rule(sandbox, notUnicast(), leadTo(refuse))
	for _, n := range cfg.Nets {
		there := address(recipient, expr.CmpOpEq, n.Prefix)
		if n.Port == 0 {
			b.rule(sandbox, there, leadTo(out))
			continue
		}
		b.rule(sandbox, there, toPort(unix.IPPROTO_TCP, n.Port), leadTo(out))
		b.rule(sandbox, there, toPort(unix.IPPROTO_UDP, n.Port), leadTo(out))
	}
	if cfg.Internet {
		set := b.set(&nftables.Set{Name: "closed", KeyType: nftables.TypeIPAddr, Interval: true}, intervals(closed))
		b.rule(sandbox, toAnyOf(set), leadTo(refuse))
		b.rule(sandbox, isIPv4(), leadTo(out))
	}
	b.rule(sandbox, leadTo(refuse))
	if cfg.leadsOut() {
		senders := b.set(&nftables.Set{Name: "senders", KeyType: nftables.TypeIPAddr, Dynamic: true, Size: 1 << (32 - slotBits)}, nil)
		b.rule(out, tooMany(senders), leadTo(refuse))
		b.rule(out, verdict(expr.VerdictAccept))
	}
	b.rule(refuse, protocol(unix.IPPROTO_TCP), reset())
	b.rule(refuse, unreachable())
	return sandbox
}

// allow opens a TCP port of the gateway.
func (f *filter) allow(port uint16) error {
	c, err := nftables.New()
	if err != nil {
		return fmt.Errorf("open packet filter: %w", err)
	}
	if err := c.SetAddElements(f.ports, elements(port)); err != nil {
		return fmt.Errorf("allow port: %w", err)
	}
	if err := c.Flush(); err != nil {
		return fmt.Errorf("allow port: %w", err)
	}
	return nil
}

// serveNames leads the gateway's port 53 to ports that the node listens at.
func (f *filter) serveNames(udp, tcp uint16) error {
	c, err := nftables.New()
	if err != nil {
		return fmt.Errorf("open packet filter: %w", err)
	}
	b := &builder{Conn: c, table: f.table}
	names := b.hook("names", nftables.ChainHookPrerouting, nftables.ChainTypeNAT)
	from := named(expr.MetaKeyIIFNAME, expr.CmpOpEq, f.slot.vethPrefix())
	gateway := address(recipient, expr.CmpOpEq, netip.PrefixFrom(f.slot.gateway(), 32))
	b.rule(names, from, gateway, toPort(unix.IPPROTO_UDP, 53), sendTo(netip.AddrPortFrom(f.slot.gateway(), udp)))
	b.rule(names, from, gateway, toPort(unix.IPPROTO_TCP, 53), sendTo(netip.AddrPortFrom(f.slot.gateway(), tcp)))
	b.add(f.datagrams, elements(udp))
	b.add(f.ports, elements(tcp))
	if err := b.flush(); err != nil {
		return fmt.Errorf("lead to resolver: %w", err)
	}
	return nil
}

func (b *builder) chain(name string) *nftables.Chain {
	return b.AddChain(&nftables.Chain{Name: name, Table: b.table})
}

func (b *builder) hook(name string, where *nftables.ChainHook, what nftables.ChainType) *nftables.Chain {
	accept, when := nftables.ChainPolicyAccept, nftables.ChainPriorityFilter
	if what == nftables.ChainTypeNAT {
		when = nftables.ChainPriorityNATDest
		if *where == *nftables.ChainHookPostrouting {
			when = nftables.ChainPriorityNATSource
		}
	}
	return b.AddChain(&nftables.Chain{Name: name, Table: b.table, Type: what, Hooknum: where, Priority: when, Policy: &accept})
}

func (b *builder) rule(chain *nftables.Chain, parts ...[]expr.Any) {
	var all []expr.Any
	for _, p := range parts {
		all = append(all, p...)
	}
	b.AddRule(&nftables.Rule{Table: b.table, Chain: chain, Exprs: all})
}

func (b *builder) set(s *nftables.Set, with []nftables.SetElement) *nftables.Set {
	s.Table = b.table
	if err := b.AddSet(s, with); err != nil && b.err == nil {
		b.err = fmt.Errorf("make set %s: %w", s.Name, err)
	}
	return s
}

func (b *builder) add(to *nftables.Set, what []nftables.SetElement) {
	if err := b.SetAddElements(to, what); err != nil && b.err == nil {
		b.err = fmt.Errorf("add to set %s: %w", to.Name, err)
	}
}

func (b *builder) flush() error {
	if b.err != nil {
		return b.err
	}
	return b.Flush()
}

func elements(ports ...uint16) []nftables.SetElement {
	var l []nftables.SetElement
	for _, p := range ports {
		l = append(l, nftables.SetElement{Key: binaryutil.BigEndian.PutUint16(p)})
	}
	return l
}

// intervals are prefixes as a set has them: where each begins, and where the rest
// begins again.
func intervals(prefixes []netip.Prefix) []nftables.SetElement {
	var l []nftables.SetElement
	for _, p := range prefixes {
		l = append(l, nftables.SetElement{Key: p.Addr().AsSlice()})
		if end := last(p).Next(); end.Is4() {
			l = append(l, nftables.SetElement{Key: end.AsSlice(), IntervalEnd: true})
		}
	}
	return l
}
