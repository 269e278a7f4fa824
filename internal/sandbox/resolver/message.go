package resolver

import (
	"encoding/binary"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// served are the types that are asked for elsewhere and passed on.
var served = map[dnsmessage.Type]bool{
	dnsmessage.TypeA: true, dnsmessage.TypeAAAA: true, dnsmessage.TypeCNAME: true, dnsmessage.TypeMX: true,
	dnsmessage.TypeNS: true, dnsmessage.TypePTR: true, dnsmessage.TypeSOA: true, dnsmessage.TypeSRV: true,
	dnsmessage.TypeTXT: true,
}

// plainSize is what an answer in a packet may have for who doesn't say (RFC 1035,
// section 4.2.1).
const plainSize = 512

// query is what a sandbox asks.
type query struct {
	id       uint16
	desired  bool // recursion; comes back as it came
	question dnsmessage.Question
	name     string           // the question's, in lower case, without the last dot
	code     dnsmessage.RCode // what is wrong with it
	edns     bool             // the sender knows RFC 6891,
	size     int              // and takes answers of this size
}

// readQuery reads a query; false if it is none that could be answered.
func readQuery(b []byte) (query, bool) {
	var p dnsmessage.Parser
	h, err := p.Start(b)
	if err != nil || h.Response || len(b) > maxQuery {
		return query{}, false
	}
	q := query{id: h.ID, desired: h.RecursionDesired, size: plainSize}
	if h.OpCode != 0 {
		q.code = dnsmessage.RCodeNotImplemented
		return q, true
	}
	if !q.read(&p) {
		q.code = dnsmessage.RCodeFormatError
	}
	return q, true
}

// read reads the one question, and what comes with it.
func (q *query) read(p *dnsmessage.Parser) bool {
	var err error
	if q.question, err = p.Question(); err != nil {
		return false
	}
	q.name = strings.ToLower(strings.TrimSuffix(q.question.Name.String(), "."))
	if _, err := p.Question(); err != dnsmessage.ErrSectionDone {
		return false
	}
	if p.SkipAllAnswers() != nil || p.SkipAllAuthorities() != nil {
		return false
	}
	for {
		h, err := p.AdditionalHeader()
		if err == dnsmessage.ErrSectionDone {
			return true
		}
		if err != nil || p.SkipAdditional() != nil {
			return false
		}
		if h.Type == dnsmessage.TypeOPT {
			q.edns, q.size = true, min(max(int(h.Class), plainSize), maxQuery)
		}
	}
}

// Why an answer is as it is: codes of RFC 8914.
const (
	blocked    = 15
	prohibited = 18
)

// answer is what a query comes to.
type answer struct {
	code    dnsmessage.RCode
	records []dnsmessage.Resource
	origin  []dnsmessage.Resource // of a zone that has no such record
	why     uint16
	text    string
}

// pack writes the answer to a query in at most size bytes: too long, it says that
// there is more for who connects.
func (a answer) pack(q query, size int) []byte {
	m := dnsmessage.Message{
		Header: dnsmessage.Header{
			ID: q.id, Response: true, RecursionDesired: q.desired, RecursionAvailable: true, RCode: a.code,
		},
		Answers: a.records, Authorities: a.origin,
	}
	if q.question.Name.Length > 0 {
		m.Questions = []dnsmessage.Question{q.question}
	}
	if q.edns {
		m.Additionals = []dnsmessage.Resource{a.extended()}
	}
	b, err := m.Pack()
	if err == nil && len(b) <= size {
		return b
	}
	m.Answers, m.Authorities = nil, nil
	if m.Truncated = err == nil; err != nil { // a record that can't be written
		m.RCode = dnsmessage.RCodeServerFailure
	}
	if b, err = m.Pack(); err != nil {
		m.Questions, m.Additionals = nil, nil
		b, _ = m.Pack() // a header alone always can
	}
	return b
}

// extended says what the node takes, and why it refused.
func (a answer) extended() dnsmessage.Resource {
	h := dnsmessage.ResourceHeader{}
	_ = h.SetEDNS0(maxQuery, a.code, false) // fails for nothing
	opt := &dnsmessage.OPTResource{}
	if a.why != 0 {
		const extendedError = 15
		opt.Options = []dnsmessage.Option{{
			Code: extendedError, Data: append(binary.BigEndian.AppendUint16(nil, a.why), a.text...),
		}}
	}
	return dnsmessage.Resource{Header: h, Body: opt}
}
