package world

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// serve answers at every address of the world until the test ends.
func serve(t *testing.T) error {
	for _, a := range []netip.Addr{Public, Private, Database, Metadata, Router} {
		if err := Greet(t, netip.AddrPortFrom(a, Port)); err != nil {
			return err
		}
		if err := ServeNames(t, netip.AddrPortFrom(a, 53), Names); err != nil {
			return err
		}
	}
	return nil
}

// Greet says hello at an address until the test ends.
func Greet(t *testing.T, at netip.AddrPort) error { return listen(t, at, sayHello, sayHelloInPackets) }

// ServeNames answers queries at an address until the test ends. A name of over 20
// addresses it tells only to who connects.
func ServeNames(t *testing.T, at netip.AddrPort, names map[string][]netip.Addr) error {
	return listen(t, at, func(c net.Conn) {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		b := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(c, b); err != nil {
			return
		}
		a := reply(b, names, 1<<10)
		_, _ = c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(a))), a...))
	}, func(p net.PacketConn, from net.Addr, b []byte) {
		if a := reply(b, names, 20); a != nil {
			_, _ = p.WriteTo(a, from)
		}
	})
}

func sayHello(c net.Conn) { _, _ = io.WriteString(c, "hello") }

func sayHelloInPackets(p net.PacketConn, from net.Addr, _ []byte) {
	_, _ = p.WriteTo([]byte("hello"), from)
}

// listen has connections to an address and packets to it answered, one at a time,
// until the test ends.
func listen(t *testing.T, at netip.AddrPort, conn func(net.Conn), packet func(net.PacketConn, net.Addr, []byte)) error {
	l, err := net.Listen("tcp4", at.String())
	if err != nil {
		return err
	}
	p, err := net.ListenPacket("udp4", at.String())
	if err != nil {
		return errors.Join(err, l.Close())
	}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(patience))
			conn(c)
			_ = c.Close()
		}
	})
	work.Go(func() {
		for b := make([]byte, 4096); ; {
			n, from, err := p.ReadFrom(b)
			if err != nil {
				return
			}
			packet(p, from, b[:n])
		}
	})
	t.Cleanup(func() {
		_ = errors.Join(l.Close(), p.Close())
		work.Wait()
	})
	return nil
}

// patience bounds the wait for who connected and says nothing.
const patience = 2 * time.Second

func reply(b []byte, names map[string][]netip.Addr, most int) []byte {
	var m dnsmessage.Message
	if m.Unpack(b) != nil || len(m.Questions) != 1 {
		return nil
	}
	m.Response, m.Additionals = true, nil
	addrs, ok := names[m.Questions[0].Name.String()]
	if !ok {
		m.RCode = dnsmessage.RCodeNameError
	}
	if m.Truncated = len(addrs) > most; m.Truncated {
		addrs = nil
	}
	for _, a := range addrs {
		h := dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: dnsmessage.ClassINET, TTL: 60}
		if m.Questions[0].Type == dnsmessage.TypeA && a.Is4() {
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: a.As4()}})
		}
		if m.Questions[0].Type == dnsmessage.TypeAAAA && a.Is6() {
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
		}
	}
	a, err := m.Pack()
	if err != nil {
		return nil
	}
	return a
}
