package network

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// closed are the addresses that are nobody's on the internet, or lead to what
// only the machine and its neighbours should reach. The list is IANA's registry
// of IPv4 special-purpose addresses, where not globally reachable, with multicast
// and what clouds serve credentials at.
var closed = prefixes(
	"0.0.0.0/8",        // this network
	"10.0.0.0/8",       // private, and every sandbox of the machine
	"100.64.0.0/10",    // carriers' private; a cloud's metadata at 100.100.100.200
	"127.0.0.0/8",      // loopback
	"168.63.129.16/32", // Azure's host, to its machines
	"169.254.0.0/16",   // link-local; clouds' metadata at 169.254.169.254
	"172.16.0.0/12",    // private
	"192.0.0.0/24",     // protocol assignments; a cloud's metadata at 192.0.0.192
	"192.0.2.0/24",     // documentation
	"192.88.99.0/24",   // 6to4 relays, withdrawn
	"192.168.0.0/16",   // private
	"198.18.0.0/15",    // benchmarks
	"198.51.100.0/24",  // documentation
	"203.0.113.0/24",   // documentation
	"224.0.0.0/3",      // multicast, reserved, broadcast
)

// shut are those that no setting opens.
var shut = prefixes("0.0.0.0/8", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16", network.String()+"/16", "224.0.0.0/3")

// maxNets bounds Config.Nets: each is a rule that packets walk past.
const maxNets = 64

// Net is a destination that sandboxes may reach directly: addresses, and a port
// of theirs, 0 for all.
type Net struct {
	Prefix netip.Prefix
	Port   uint16
}

// ParseNet reads CIDR, CIDR:PORT, ADDRESS or ADDRESS:PORT, of IPv4.
func ParseNet(text string) (Net, error) {
	var n Net
	where, port, ok := strings.Cut(text, ":")
	if ok {
		p, err := strconv.ParseUint(port, 10, 16)
		if err != nil || p == 0 {
			return n, fmt.Errorf("read network %q: %q is no port", text, port)
		}
		n.Port = uint16(p)
	}
	if !strings.Contains(where, "/") {
		where += "/32"
	}
	var err error
	if n.Prefix, err = netip.ParsePrefix(where); err != nil || !n.Prefix.Addr().Is4() {
		return n, fmt.Errorf("read network %q: want an IPv4 CIDR or CIDR:PORT", text)
	}
	if n.Prefix != n.Prefix.Masked() {
		return n, fmt.Errorf("read network %q: it starts at %s", text, n.Prefix.Masked())
	}
	for _, s := range shut {
		if s.Overlaps(n.Prefix) {
			return n, fmt.Errorf("read network %q: %s is never opened to sandboxes", text, s)
		}
	}
	return n, nil
}

func (n Net) String() string {
	if n.Port == 0 {
		return n.Prefix.String()
	}
	return n.Prefix.String() + ":" + strconv.Itoa(int(n.Port))
}

// isClosed says whether a prefix lies in what is closed as a whole.
func isClosed(p netip.Prefix) bool {
	for _, c := range closed {
		if c.Bits() <= p.Bits() && c.Contains(p.Addr()) {
			return true
		}
	}
	return false
}

// last is the highest address of a prefix.
func last(p netip.Prefix) netip.Addr {
	a := p.Addr().As4()
	for i := range a {
		a[i] |= byte(uint32(0xffffffff) >> p.Bits() >> (8 * (3 - i)))
	}
	return netip.AddrFrom4(a)
}

func prefixes(texts ...string) []netip.Prefix {
	l := make([]netip.Prefix, len(texts))
	for i, t := range texts {
		l[i] = netip.MustParsePrefix(t)
	}
	return l
}
