package network

import (
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// filter is the packet filter of one slot:
//
//	table inet mayfly-<n> {
//	  set ports { type inet_service }
//	  chain input   { type filter hook input;   iifname "mf<n>v*" jump sandbox }
//	  chain forward { type filter hook forward; iifname "mf<n>v*" drop; oifname "mf<n>v*" drop }
//	  chain sandbox {
//	    fib saddr . iif oif missing drop    # its own address only
//	    ct state established,related accept
//	    ip daddr <gateway> tcp dport @ports accept
//	    drop
//	  }
//	}
type filter struct {
	table *nftables.Table
	ports *nftables.Set
}

func newFilter(s *slot, ports []uint16) (*filter, error) {
	c, err := nftables.New()
	if err != nil {
		return nil, fmt.Errorf("open packet filter: %w", err)
	}
	f := &filter{table: c.AddTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: s.tableName()})}
	f.ports = &nftables.Set{Table: f.table, Name: "ports", KeyType: nftables.TypeInetService}
	if err := c.AddSet(f.ports, elements(ports...)); err != nil {
		return nil, fmt.Errorf("add ports to packet filter: %w", err)
	}
	accept := nftables.ChainPolicyAccept
	hook := func(name string, num *nftables.ChainHook) *nftables.Chain {
		return c.AddChain(&nftables.Chain{
			Name: name, Table: f.table, Type: nftables.ChainTypeFilter, Hooknum: num,
			Priority: nftables.ChainPriorityFilter, Policy: &accept,
		})
	}
	input, forward := hook("input", nftables.ChainHookInput), hook("forward", nftables.ChainHookForward)
	own := c.AddChain(&nftables.Chain{Name: "sandbox", Table: f.table})
	rule := func(chain *nftables.Chain, parts ...[]expr.Any) {
		var all []expr.Any
		for _, p := range parts {
			all = append(all, p...)
		}
		c.AddRule(&nftables.Rule{Table: f.table, Chain: chain, Exprs: all})
	}
	drop := []expr.Any{&expr.Verdict{Kind: expr.VerdictDrop}}
	pass := []expr.Any{&expr.Verdict{Kind: expr.VerdictAccept}}
	from, to := named(expr.MetaKeyIIFNAME, s.vethPrefix()), named(expr.MetaKeyOIFNAME, s.vethPrefix())

	rule(input, from, []expr.Any{&expr.Verdict{Kind: expr.VerdictJump, Chain: own.Name}})
	rule(forward, from, drop)
	rule(forward, to, drop)
	rule(own, spoofed(), drop)
	rule(own, established(), pass)
	rule(own, toGateway(s), toPort(f.ports), pass)
	rule(own, drop)
	if err := c.Flush(); err != nil {
		return nil, fmt.Errorf("set packet filter: %w", err)
	}
	return f, nil
}

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

func elements(ports ...uint16) []nftables.SetElement {
	var l []nftables.SetElement
	for _, p := range ports {
		l = append(l, nftables.SetElement{Key: binaryutil.BigEndian.PutUint16(p)})
	}
	return l
}

// named matches interfaces whose name starts with prefix.
func named(key expr.MetaKey, prefix string) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: key, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte(prefix)},
	}
}

// spoofed matches packets whose sender isn't reached by the interface they
// came in at.
func spoofed() []expr.Any {
	return []expr.Any{
		&expr.Fib{Register: 1, FlagSADDR: true, FlagIIF: true, ResultOIF: true},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: make([]byte, 4)},
	}
}

func established() []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeySTATE, Register: 1},
		&expr.Bitwise{
			SourceRegister: 1, DestRegister: 1, Len: 4, Xor: make([]byte, 4),
			Mask: binaryutil.NativeEndian.PutUint32(expr.CtStateBitESTABLISHED | expr.CtStateBitRELATED),
		},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: make([]byte, 4)},
	}
}

func toGateway(s *slot) []expr.Any {
	gw := s.gateway().As4()
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.NFPROTO_IPV4}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 16, Len: 4},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: gw[:]},
	}
}

func toPort(ports *nftables.Set) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Lookup{SourceRegister: 1, SetName: ports.Name, SetID: ports.ID},
	}
}
