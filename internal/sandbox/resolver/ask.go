package resolver

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// How long a query may take: at one name server, and at all of them. Resolvers in
// sandboxes wait for five seconds, as resolv.conf(5) has it.
const (
	askOne = 2 * time.Second
	askAll = 4500 * time.Millisecond
)

// maxServers is how many name servers are asked in turn, as resolv.conf(5) has it.
const maxServers = 3

// ask asks the machine's name servers, one after the other. There are no IPv6
// addresses for sandboxes, so who asks for one is told of the IPv4 ones that there
// are none besides, or that they are out of reach: programs ask for both at once,
// and believe either answer.
func (r *Resolver) ask(ctx context.Context, q query) answer {
	ctx, cancel := context.WithTimeout(ctx, askAll)
	defer cancel()
	question := q.question
	if question.Type == dnsmessage.TypeAAAA {
		question.Type = dnsmessage.TypeA
	}
	servers, err := r.cfg.Upstreams()
	if len(servers) > maxServers {
		servers = servers[:maxServers]
	}
	for _, s := range servers {
		var m dnsmessage.Message
		if m, err = exchange(ctx, s, question); err == nil && isAnswer(m.RCode) {
			return r.pass(q, m)
		}
	}
	if ctx.Err() == nil && err != nil {
		r.cfg.Log.Debug("asking for a name failed", "error", err) // as often as a sandbox likes
	}
	return answer{code: dnsmessage.RCodeServerFailure}
}

// isAnswer says whether another server would answer no better.
func isAnswer(c dnsmessage.RCode) bool {
	return c == dnsmessage.RCodeSuccess || c == dnsmessage.RCodeNameError
}

// pass makes an answer to a query of a name server's, out of the records that are
// known here to be harmless.
func (r *Resolver) pass(q query, m dnsmessage.Message) answer {
	a := answer{code: m.RCode}
	for _, rr := range m.Answers {
		if rr.Header.Class != dnsmessage.ClassINET || !served[rr.Header.Type] || rr.Header.Type == dnsmessage.TypeAAAA {
			continue
		}
		if at, ok := rr.Body.(*dnsmessage.AResource); ok && !r.cfg.Reaches(netip.AddrFrom4(at.A)) {
			return answer{code: dnsmessage.RCodeRefused, why: blocked, text: "its address is out of reach from here"}
		}
		if q.question.Type != dnsmessage.TypeAAAA || rr.Header.Type != dnsmessage.TypeA {
			a.records = append(a.records, rr)
		}
	}
	for _, rr := range m.Authorities {
		if rr.Header.Class == dnsmessage.ClassINET && rr.Header.Type == dnsmessage.TypeSOA {
			a.origin = append(a.origin, rr)
		}
	}
	return a
}

// exchange asks one name server; by a connection where a packet can't hold the answer.
func exchange(ctx context.Context, server netip.AddrPort, question dnsmessage.Question) (dnsmessage.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, askOne)
	defer cancel()
	m, err := exchangeBy(ctx, "udp", server, question)
	if err == nil && m.Truncated {
		m, err = exchangeBy(ctx, "tcp", server, question)
	}
	if err != nil {
		return m, fmt.Errorf("ask name server %s: %w", server.Addr(), err)
	}
	return m, nil
}

func exchangeBy(ctx context.Context, how string, server netip.AddrPort, question dnsmessage.Question) (dnsmessage.Message, error) {
	var m dnsmessage.Message
	id, b, err := packQuery(question)
	if err != nil {
		return m, err
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, how, server.String())
	if err != nil {
		return m, err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	if how == "tcp" {
		if err := writeMessage(c, b); err != nil {
			return m, err
		}
		if b, err = readMessage(c, maxMessage); err != nil {
			return m, err
		}
		return m, readReply(&m, b, id, question)
	}
	if _, err := c.Write(b); err != nil {
		return m, err
	}
	buf := make([]byte, maxQuery)
	for { // past what somebody else may have sent
		n, err := c.Read(buf)
		if err != nil {
			return m, err
		}
		if readReply(&m, buf[:n], id, question) == nil {
			return m, nil
		}
	}
}

// packQuery writes a question under a number that nobody can guess.
func packQuery(question dnsmessage.Question) (uint16, []byte, error) {
	var number [2]byte
	_, _ = rand.Read(number[:]) // never fails
	id := binary.BigEndian.Uint16(number[:])
	var h dnsmessage.ResourceHeader
	if err := h.SetEDNS0(maxQuery, dnsmessage.RCodeSuccess, false); err != nil {
		return 0, nil, fmt.Errorf("write query: %w", err)
	}
	m := dnsmessage.Message{
		Header:      dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions:   []dnsmessage.Question{question},
		Additionals: []dnsmessage.Resource{{Header: h, Body: &dnsmessage.OPTResource{}}},
	}
	b, err := m.Pack()
	if err != nil {
		return 0, nil, fmt.Errorf("write query: %w", err)
	}
	return id, b, nil
}

var errOther = errors.New("not the answer to what was asked")

// readReply reads the answer to a question.
func readReply(m *dnsmessage.Message, b []byte, id uint16, question dnsmessage.Question) error {
	if err := m.Unpack(b); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if m.ID != id || !m.Response || len(m.Questions) != 1 {
		return errOther
	}
	got := m.Questions[0]
	if got.Type != question.Type || got.Class != question.Class || !strings.EqualFold(got.Name.String(), question.Name.String()) {
		return errOther
	}
	return nil
}

// HostFile reads name servers from a file like /etc/resolv.conf, anew each time it
// is asked.
func HostFile(path string) func() ([]netip.AddrPort, error) {
	return func() ([]netip.AddrPort, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("read name servers: %w", err)
		}
		defer f.Close()
		const maxFile = 64 << 10
		lines := bufio.NewScanner(io.LimitReader(f, maxFile))
		var servers []netip.AddrPort
		for lines.Scan() {
			words := strings.Fields(lines.Text())
			if len(words) < 2 || words[0] != "nameserver" {
				continue
			}
			if a, err := netip.ParseAddr(words[1]); err == nil {
				servers = append(servers, netip.AddrPortFrom(a, 53))
			}
		}
		if err := lines.Err(); err != nil {
			return nil, fmt.Errorf("read name servers: %w", err)
		}
		if len(servers) == 0 {
			return nil, fmt.Errorf("%s names no name server", path)
		}
		return servers, nil
	}
}
