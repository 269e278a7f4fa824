package resolver

import (
	"net/netip"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// FuzzQuery: whatever a sandbox sends, there is no answer or one that can be read,
// is no longer than was asked for, and repeats what was asked.
func FuzzQuery(f *testing.F) {
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("a.localhost."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
	}
	b, err := m.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{})
	r := &Resolver{cfg: Config{Addr: netip.MustParseAddr("10.201.0.1"), Own: []string{"localhost"}}}
	f.Fuzz(func(t *testing.T, b []byte) {
		q, ok := readQuery(b)
		if !ok {
			return
		}
		a, known := r.know(q)
		if !known {
			t.Fatal("asked, with nobody to ask")
		}
		out := a.pack(q, q.size)
		var m dnsmessage.Message
		if err := m.Unpack(out); err != nil {
			t.Fatalf("unreadable: %v", err)
		}
		if len(out) > q.size || m.ID != q.id || !m.Response {
			t.Errorf("%d bytes of at most %d, %+v", len(out), q.size, m.Header)
		}
	})
}

// FuzzReply: whatever a name server sends, nothing out of reach is passed on.
func FuzzReply(f *testing.F) {
	question := dnsmessage.Question{Name: dnsmessage.MustNewName("a.example."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: 7, Response: true}, Questions: []dnsmessage.Question{question}}
	for _, a := range [][4]byte{{10, 0, 0, 1}, {9, 9, 9, 9}} {
		h := dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET}
		m.Answers = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.AResource{A: a}}}
		b, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	r := &Resolver{cfg: Config{Reaches: func(a netip.Addr) bool { return !a.IsPrivate() }}}
	q := query{id: 1, question: question, size: plainSize}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m dnsmessage.Message
		if readReply(&m, b, 7, question) != nil {
			return
		}
		out := r.pass(q, m).pack(q, q.size)
		var got dnsmessage.Message
		if err := got.Unpack(out); err != nil {
			t.Fatalf("unreadable: %v", err)
		}
		for _, rr := range got.Answers {
			if a, ok := rr.Body.(*dnsmessage.AResource); ok && netip.AddrFrom4(a.A).IsPrivate() {
				t.Errorf("passed on %v", a)
			}
		}
	})
}
