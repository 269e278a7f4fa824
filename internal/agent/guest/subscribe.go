package guest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/agent/http1"
)

// maxSubscription bounds the body of a subscribe request.
const maxSubscription = 16 << 10

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
