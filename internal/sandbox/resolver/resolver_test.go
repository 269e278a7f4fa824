package resolver_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/mayfly-cloud/mayfly/internal/sandbox/resolver"
	"github.com/mayfly-cloud/mayfly/internal/sandbox/sandboxtest/world"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	node   = netip.MustParseAddr("127.0.0.1") // what it is here
	public = netip.MustParseAddr("192.175.48.1")
)

func reaches(a netip.Addr) bool { return !a.IsPrivate() && !a.IsLinkLocalUnicast() && !a.IsLoopback() }

// start runs a resolver until the test ends.
func start(t *testing.T, cfg resolver.Config) *resolver.Resolver {
	t.Helper()
	cfg.Addr, cfg.Own, cfg.Reaches = node, []string{"host.mayfly.internal", "localhost"}, reaches
	r, err := resolver.Listen(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return r
}

// upstream is a name server of the names.
func upstream(t *testing.T, names map[string][]netip.Addr) netip.AddrPort {
	t.Helper()
	for try := 0; ; try++ { // both ports are free, most times
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		at := l.Addr().(*net.TCPAddr).AddrPort()
		l.Close()
		if err := world.ServeNames(t, at, names); err == nil {
			return at
		} else if try == 10 {
			t.Fatal(err)
		}
	}
}

func servers(list ...netip.AddrPort) func() ([]netip.AddrPort, error) {
	return func() ([]netip.AddrPort, error) { return list, nil }
}

func question(t *testing.T, name string, kind dnsmessage.Type) dnsmessage.Message {
	t.Helper()
	n, err := dnsmessage.NewName(name)
	if err != nil {
		t.Fatal(err)
	}
	return dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 4711, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: n, Type: kind, Class: dnsmessage.ClassINET}},
	}
}

// extended tells the resolver that its sender takes packets of a size.
func extended(t *testing.T, m dnsmessage.Message, size int) dnsmessage.Message {
	t.Helper()
	var h dnsmessage.ResourceHeader
	if err := h.SetEDNS0(size, 0, false); err != nil {
		t.Fatal(err)
	}
	m.Additionals = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.OPTResource{}}}
	return m
}

// asked asks by "udp" or "tcp".
func asked(t *testing.T, r *resolver.Resolver, how string, q dnsmessage.Message) dnsmessage.Message {
	t.Helper()
	b, err := q.Pack()
	if err != nil {
		t.Fatal(err)
	}
	udp, tcp := r.Ports()
	port := udp
	if how == "tcp" {
		port = tcp
		b = append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
	}
	c, err := net.Dial(how, netip.AddrPortFrom(node, port).String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 1<<16)
	var n int
	if how == "tcp" {
		if _, err = io.ReadFull(c, got[:2]); err == nil {
			n = int(binary.BigEndian.Uint16(got))
			_, err = io.ReadFull(c, got[:n])
		}
	} else {
		n, err = c.Read(got)
	}
	if err != nil {
		t.Fatalf("no answer to %v by %s: %v", q.Questions, how, err)
	}
	var m dnsmessage.Message
	if err := m.Unpack(got[:n]); err != nil {
		t.Fatalf("answer to %v by %s: %v", q.Questions, how, err)
	}
	if !m.Response || m.ID != q.ID {
		t.Errorf("answer %+v", m.Header)
	}
	return m
}

// say is an answer in a line: its code, its addresses, why.
func say(m dnsmessage.Message) string {
	words := []string{strings.TrimPrefix(m.RCode.String(), "RCode")}
	if m.Truncated {
		words = append(words, "truncated")
	}
	for _, a := range m.Answers {
		if r, ok := a.Body.(*dnsmessage.AResource); ok {
			words = append(words, netip.AddrFrom4(r.A).String())
		} else {
			words = append(words, a.Header.Type.String())
		}
	}
	for _, a := range m.Additionals {
		if opt, ok := a.Body.(*dnsmessage.OPTResource); ok {
			for _, o := range opt.Options {
				words = append(words, fmt.Sprintf("%d: %s", binary.BigEndian.Uint16(o.Data), o.Data[2:]))
			}
		}
	}
	return strings.Join(words, " ")
}

func TestAnswers(t *testing.T) {
	many := make([]netip.Addr, 60)
	for i := range many {
		many[i] = public
	}
	up := upstream(t, map[string][]netip.Addr{
		"public.example.":       {public},
		"both.example.":         {public, netip.MustParseAddr("2001:4860:4860::8888")},
		"internal.example.":     {netip.MustParseAddr("10.1.2.3")},
		"metadata.example.":     {public, netip.MustParseAddr("169.254.169.254")},
		"loopback.example.":     {netip.MustParseAddr("127.0.0.1")},
		"many.example.":         many,
		"evil.localhost.":       {public},
		"4.4.8.8.in-addr.arpa.": nil,
	})
	open := start(t, resolver.Config{Upstreams: servers(up)})
	alone := start(t, resolver.Config{})
	const out = "Refused 15: its address is out of reach from here"
	const hidden = "Refused 15: out of reach from here"
	const no = "Refused 18: this node leads to no other names"
	for _, c := range []struct {
		name      string
		kind      dnsmessage.Type
		want, off string // with the internet, and without
	}{
		{"host.mayfly.internal.", dnsmessage.TypeA, "Success 127.0.0.1", "Success 127.0.0.1"},
		{"Bucket.Host.Mayfly.Internal.", dnsmessage.TypeA, "Success 127.0.0.1", "Success 127.0.0.1"},
		{"host.mayfly.internal.", dnsmessage.TypeAAAA, "Success", "Success"},
		{"host.mayfly.internal.", dnsmessage.TypeTXT, "Success", "Success"},
		{"evil.localhost.", dnsmessage.TypeA, "Success 127.0.0.1", "Success 127.0.0.1"},
		{"nothost.mayfly.internal.", dnsmessage.TypeA, "NameError", no},
		{"mayfly.internal.", dnsmessage.TypeA, "NameError", no},
		{"public.example.", dnsmessage.TypeA, "Success 192.175.48.1", no},
		{"PUBLIC.example.", dnsmessage.TypeA, "NameError", no}, // this upstream tells cases apart
		{"public.example.", dnsmessage.TypeAAAA, "Success", no},
		{"both.example.", dnsmessage.TypeAAAA, "Success", no},
		{"internal.example.", dnsmessage.TypeA, out, no},
		{"internal.example.", dnsmessage.TypeAAAA, out, no},
		{"metadata.example.", dnsmessage.TypeA, out, no},
		{"loopback.example.", dnsmessage.TypeA, out, no},
		{"nobody.example.", dnsmessage.TypeA, "NameError", no},
		{"nobody.example.", dnsmessage.TypeAAAA, "NameError", no},
		{"public.example.", dnsmessage.TypeHTTPS, "NotImplemented", no},
		{"public.example.", dnsmessage.TypeALL, "NotImplemented", no},
		{"public.example.", dnsmessage.TypeAXFR, "NotImplemented", no},
		{"4.4.8.8.in-addr.arpa.", dnsmessage.TypePTR, "Success", no},
		{"3.2.1.10.in-addr.arpa.", dnsmessage.TypePTR, hidden, no},
		{"10.in-addr.arpa.", dnsmessage.TypeNS, hidden, no},
		{"1.0.0.0.ip6.arpa.", dnsmessage.TypePTR, hidden, no},
	} {
		for how := range map[string]bool{"udp": true, "tcp": true} {
			q := extended(t, question(t, c.name, c.kind), 4096)
			if got := say(asked(t, open, how, q)); got != c.want {
				t.Errorf("%s %s by %s: %s, want %s", c.kind, c.name, how, got, c.want)
			}
			if got := say(asked(t, alone, how, q)); got != c.off {
				t.Errorf("%s %s by %s, without internet: %s, want %s", c.kind, c.name, how, got, c.off)
			}
		}
	}
	// The code says it to who wouldn't understand the rest.
	if got := asked(t, open, "udp", question(t, "internal.example.", dnsmessage.TypeA)); say(got) != "Refused" || len(got.Additionals) > 0 {
		t.Errorf("without EDNS: %s, %v", say(got), got.Additionals)
	}
	// What a packet can't hold, who connects gets.
	if got := say(asked(t, open, "udp", question(t, "many.example.", dnsmessage.TypeA))); got != "Success truncated" {
		t.Errorf("in a packet: %s", got)
	}
	if got := asked(t, open, "udp", extended(t, question(t, "many.example.", dnsmessage.TypeA), 4096)); len(got.Answers) != len(many) {
		t.Errorf("in a larger packet: %d addresses", len(got.Answers))
	}
	if got := asked(t, open, "tcp", question(t, "many.example.", dnsmessage.TypeA)); len(got.Answers) != len(many) {
		t.Errorf("by a connection: %d addresses", len(got.Answers))
	}
}

func TestBadQueries(t *testing.T) {
	r := start(t, resolver.Config{})
	two := question(t, "localhost.", dnsmessage.TypeA)
	two.Questions = append(two.Questions, two.Questions[0])
	update := question(t, "localhost.", dnsmessage.TypeA)
	update.OpCode = 5
	chaos := question(t, "version.bind.", dnsmessage.TypeTXT)
	chaos.Questions[0].Class = dnsmessage.ClassCHAOS
	for _, c := range []struct {
		name string
		q    dnsmessage.Message
		want string
	}{
		{"no question", dnsmessage.Message{Header: dnsmessage.Header{ID: 1}}, "FormatError"},
		{"two questions", two, "FormatError"},
		{"an update", update, "NotImplemented"},
		{"another class", chaos, "Refused"},
	} {
		if got := say(asked(t, r, "udp", c.q)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	// What is no query gets no answer, and stops nobody: an answer would make two
	// servers talk to each other for ever.
	udp, tcp := r.Ports()
	c, err := net.Dial("udp", netip.AddrPortFrom(node, udp).String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	reply := question(t, "localhost.", dnsmessage.TypeA)
	reply.Response = true
	b, err := reply.Pack()
	if err != nil {
		t.Fatal(err)
	}
	for _, junk := range [][]byte{{}, {1}, make([]byte, 9000), b} {
		if _, err := c.Write(junk); err != nil {
			t.Fatal(err)
		}
	}
	if got := say(asked(t, r, "udp", question(t, "localhost.", dnsmessage.TypeA))); got != "Success 127.0.0.1" {
		t.Errorf("after junk: %s", got)
	}
	c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if n, err := c.Read(make([]byte, 512)); err == nil {
		t.Errorf("junk was answered with %d bytes", n)
	}
	s, err := net.Dial("tcp", netip.AddrPortFrom(node, tcp).String())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Write([]byte{0xff, 0xff, 1}); err != nil {
		t.Fatal(err)
	}
	s.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := s.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
		t.Errorf("a connection with a query too long: %v, want its end", err)
	}
}

// A name server that says nothing keeps few waiting, and the next is asked.
func TestDeadNameServers(t *testing.T) {
	silent, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	dead := silent.LocalAddr().(*net.UDPAddr).AddrPort()
	up := upstream(t, map[string][]netip.Addr{"public.example.": {public}})
	q := question(t, "public.example.", dnsmessage.TypeA)
	if got := say(asked(t, start(t, resolver.Config{Upstreams: servers(netip.MustParseAddrPort("127.0.0.1:1"), up)}), "udp", q)); got != "Success 192.175.48.1" {
		t.Errorf("behind one that is gone: %s", got)
	}
	if got := say(asked(t, start(t, resolver.Config{Upstreams: servers()}), "udp", q)); got != "ServerFailure" {
		t.Errorf("with none: %s", got)
	}

	r := start(t, resolver.Config{Upstreams: servers(dead, up)})
	udp, _ := r.Ports()
	c, err := net.Dial("udp", netip.AddrPortFrom(node, udp).String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	got := map[string]int{}
	b, err := q.Pack()
	if err != nil {
		t.Fatal(err)
	}
	const count = 40 // 32 of them may wait
	for range count {
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	for range count {
		var m dnsmessage.Message
		buf := make([]byte, 512)
		n, err := c.Read(buf)
		if err == nil {
			err = m.Unpack(buf[:n])
		}
		if err != nil {
			t.Fatal(err, got)
		}
		got[say(m)]++
	}
	if diff := cmp.Diff(map[string]int{"Success 192.175.48.1": 32, "ServerFailure": 8}, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

func TestHostFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "resolv.conf")
	read := resolver.HostFile(file)
	if _, err := read(); err == nil {
		t.Error("read a file that isn't there")
	}
	text := "# nameserver 1.2.3.4\nsearch example\nnameserver 9.9.9.9\nnameserver fe80::1%eth0\nnameserver x\nnameserver\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := read()
	if fmt.Sprint(got, err) != "[9.9.9.9:53 [fe80::1%eth0]:53] <nil>" {
		t.Errorf("got %v, %v", got, err)
	}
	if err := os.WriteFile(file, []byte("search example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := read(); err == nil {
		t.Errorf("got %v of a file without servers", got)
	}
}
