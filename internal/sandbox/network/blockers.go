package network

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/nftables"
)

// Blockers names the machine's packet filters that refuse what is sent on unless a
// rule of theirs lets it pass, as Docker and firewalls have them: what they refuse,
// no rule of ours can let through. Filters made with the old iptables aren't seen.
func Blockers() ([]string, error) {
	c, err := nftables.New()
	if err != nil {
		return nil, fmt.Errorf("open packet filter: %w", err)
	}
	chains, err := c.ListChains()
	if err != nil {
		return nil, fmt.Errorf("list packet filters: %w", err)
	}
	var names []string
	for _, ch := range chains {
		if ch.Hooknum == nil || *ch.Hooknum != *nftables.ChainHookForward || ch.Policy == nil || *ch.Policy != nftables.ChainPolicyDrop ||
			strings.HasPrefix(ch.Table.Name, tablePrefix) {
			continue
		}
		switch ch.Table.Family {
		case nftables.TableFamilyIPv4:
			names = append(names, "ip "+ch.Table.Name+" "+ch.Name)
		case nftables.TableFamilyINet:
			names = append(names, "inet "+ch.Table.Name+" "+ch.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}
