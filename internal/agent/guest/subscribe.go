package guest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/agent/http1"
)

// Bounds of a subscription, as the Telemetry API has them.
const (
	maxSubscription = 16 << 10
	deliverTimeout  = 2 * time.Second
	deliverTries    = 3
)

// legacyKinds are the platform events of the Logs API.
var legacyKinds = []string{
	"platform.start", "platform.runtimeDone", "platform.report", "platform.extension",
	"platform.logsSubscription", "platform.logsDropped", "function", "extension",
}

// subscription is the body of a subscribe request:
// https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api-reference.html.
type subscription struct {
	Schema    string   `json:"schemaVersion"`
	Types     []string `json:"types"`
	Buffering struct {
		Items   *int `json:"maxItems"`
		Bytes   *int `json:"maxBytes"`
		Timeout *int `json:"timeoutMs"`
	} `json:"buffering"`
	Destination struct {
		Protocol string `json:"protocol"`
		URI      string `json:"URI"`
		Port     int    `json:"port"`
	} `json:"destination"`
}

// subscriber is where events go to.
type subscriber struct {
	name       string
	types      []string
	legacy     bool
	maxItems   int
	maxBytes   int
	timeout    time.Duration
	address    string
	path, host string // HTTP; a plain connection without

	mu      sync.Mutex
	batch   [][]byte
	size    int
	dropped int
	lost    int // bytes of those dropped
	first   chan struct{}
	full    chan struct{}
}

// serveSubscribe answers a request of the Telemetry API, or of the Logs API that
// it superseded.
func (a *Agent) serveSubscribe(c *conn, req *http1.Request, legacy bool) error {
	if string(req.Method) != "PUT" {
		return c.refuse(errMethod)
	}
	a.mu.Lock()
	e, refusal := a.identify(req)
	a.mu.Unlock()
	if refusal != nil {
		return c.refuse(refusal)
	}
	body, err := c.http.ReadBody(nil, maxSubscription)
	if errors.Is(err, http1.ErrTooLarge) {
		return c.refuse(errEntity)
	} else if err != nil {
		return c.refuseAndClose(errTruncated)
	}
	s, err := newSubscriber(e.name, body, legacy)
	if err != nil {
		return c.refuse(&apiError{400, "ValidationError", err.Error()})
	}
	if !a.events.subscribe(s) {
		if legacy {
			return c.refuse(&apiError{403, "Logs.SubscriptionClosed", "Logs API subscription is closed"})
		}
		return c.refuse(&apiError{403, "Telemetry.SubscriptionClosed", "Telemetry API subscription is closed"})
	}
	return c.http.Reply(200, "application/json", []byte(`"OK"`))
}

// newSubscriber checks a subscription.
func newSubscriber(name string, body []byte, legacy bool) (*subscriber, error) {
	var in subscription
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("request body: %w", err)
	}
	if !legacy && !slices.Contains([]string{"2022-07-01", "2022-12-13", "2025-01-29"}, in.Schema) {
		return nil, fmt.Errorf("schemaVersion %q is not supported", in.Schema)
	}
	if len(in.Types) == 0 {
		return nil, errors.New("types is required")
	}
	for _, t := range in.Types {
		if !slices.Contains([]string{"platform", "function", "extension"}, t) {
			return nil, fmt.Errorf("type %q is not supported", t)
		}
	}
	s := &subscriber{name: name, types: in.Types, legacy: legacy,
		first: make(chan struct{}, 1), full: make(chan struct{}, 1)}
	timeout := 0
	for _, b := range []struct {
		name              string
		given             *int
		to                *int
		least, most, none int
	}{
		{"maxItems", in.Buffering.Items, &s.maxItems, 1000, 10000, 10000},
		{"maxBytes", in.Buffering.Bytes, &s.maxBytes, 256 << 10, 1 << 20, 256 << 10},
		{"timeoutMs", in.Buffering.Timeout, &timeout, 25, 30000, 1000},
	} {
		*b.to = b.none
		if b.given == nil {
			continue
		}
		if *b.to = *b.given; *b.to < b.least || *b.to > b.most {
			return nil, fmt.Errorf("buffering.%s must be between %d and %d", b.name, b.least, b.most)
		}
	}
	s.timeout = time.Duration(timeout) * time.Millisecond
	return s, s.setDestination(in.Destination.Protocol, in.Destination.URI, in.Destination.Port)
}

// setDestination accepts listeners inside the sandbox only.
func (s *subscriber) setDestination(protocol, uri string, port int) error {
	if protocol == "TCP" {
		if port < 1 || port > 65535 {
			return errors.New("destination.port is required")
		}
		s.address = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		return nil
	}
	rest, ok := strings.CutPrefix(uri, "http://")
	if protocol != "HTTP" || !ok {
		return errors.New(`destination must be of protocol "HTTP" with a URI, or "TCP" with a port`)
	}
	hostport, path, _ := strings.Cut(rest, "/")
	host, p, err := net.SplitHostPort(hostport)
	if err != nil {
		host, p = hostport, "80"
	}
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil {
		return errors.New("destination.URI has no valid port")
	}
	switch ip, err := netip.ParseAddr(host); {
	case host == "sandbox.localdomain", host == "sandbox", host == "localhost", err == nil && ip.IsLoopback():
	default:
		return errors.New("destination.URI must name sandbox.localdomain")
	}
	if strings.ContainsAny(rest, " \r\n\t") {
		return errors.New("destination.URI is malformed")
	}
	s.address, s.host, s.path = net.JoinHostPort("127.0.0.1", strconv.FormatUint(n, 10)), hostport, "/"+path
	return nil
}

// put adds an event to the batch, or counts it as dropped when a slow subscriber
// has two batches waiting.
func (s *subscriber) put(e event) {
	if !slices.Contains(s.types, e.source) || s.legacy && !slices.Contains(legacyKinds, e.kind) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.batch) >= 2*s.maxItems || s.size+len(e.json) > 2*s.maxBytes {
		s.dropped++
		s.lost += len(e.json)
		return
	}
	s.batch = append(s.batch, e.json)
	s.size += len(e.json)
	if len(s.batch) == 1 {
		signal(s.first)
	}
	if len(s.batch) >= s.maxItems || s.size >= s.maxBytes {
		signal(s.full)
	}
}

// run delivers a batch when it is full or its first event is old enough.
func (s *subscriber) run(quit <-chan struct{}) {
	for {
		select {
		case <-s.first:
		case <-quit:
			return
		}
		t := time.NewTimer(s.timeout)
		select {
		case <-s.full:
		case <-t.C:
		case <-quit:
			t.Stop()
			return
		}
		t.Stop()
		if batch := s.take(); len(batch) > 0 && !s.deliver(batch, quit) {
			s.mu.Lock()
			s.dropped += len(batch)
			s.lost += size(batch)
			s.mu.Unlock()
		}
	}
}

// take takes the batch, with a word on what was dropped before it.
func (s *subscriber) take() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	batch := s.batch
	if s.dropped > 0 {
		batch = append(batch, fmt.Appendf(nil,
			`{"time":%q,"type":"platform.logsDropped","record":{"reason":"Consumer seems to have fallen behind as it has not acknowledged receipt of logs.","droppedRecords":%d,"droppedBytes":%d}}`,
			time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), s.dropped, s.lost))
	}
	s.batch, s.size, s.dropped, s.lost = nil, 0, 0, 0
	return batch
}

// deliver sends a batch, in a few tries.
func (s *subscriber) deliver(batch [][]byte, quit <-chan struct{}) bool {
	for range deliverTries {
		if s.send(batch) == nil {
			return true
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-quit:
			return false
		}
	}
	return false
}

// send makes one connection for a batch: lines of JSON, or an HTTP POST of an
// array, which any answer of 200 acknowledges.
func (s *subscriber) send(batch [][]byte) error {
	c, err := net.DialTimeout("tcp", s.address, deliverTimeout)
	if err != nil {
		return fmt.Errorf("connect to subscriber: %w", err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(deliverTimeout)); err != nil {
		return fmt.Errorf("bound delivery: %w", err)
	}
	if s.path == "" {
		_, err = c.Write(append(bytes.Join(batch, []byte{'\n'}), '\n'))
		return err
	}
	n := size(batch) + len(batch) + 1
	b := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n[", s.path, s.host, n)
	b = append(append(b, bytes.Join(batch, []byte{','})...), ']')
	if _, err := c.Write(b); err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	var status [12]byte
	if _, err := io.ReadFull(c, status[:]); err != nil {
		return fmt.Errorf("read acknowledgement: %w", err)
	}
	if !bytes.HasPrefix(status[:], []byte("HTTP/1.")) || status[9] != '2' {
		return fmt.Errorf("subscriber answered %q", status)
	}
	return nil
}

func size(batch [][]byte) int {
	n := 0
	for _, b := range batch {
		n += len(b)
	}
	return n
}

// signal fills a channel of one place, if it is empty.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
