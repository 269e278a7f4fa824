package bus

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/mayfly-cloud/mayfly/internal/bus/input"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// sendTimeout is how long an API destination may take.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
const sendTimeout = 5 * time.Second

// maxAnswer is how much of an answer is read.
const maxAnswer = 64 << 10

// resolve puts parts of the event in place of the values that are paths. What is not in
// it is empty.
func (p *HTTPParameters) resolve(event []byte) *HTTPParameters {
	value := func(v string) string {
		path, err := input.ParsePath(v)
		if err != nil {
			return v
		}
		found, _ := path.Find(event)
		var s string
		if json.Unmarshal(found, &s) != nil {
			s = string(found)
		}
		return s
	}
	all := func(m map[string]string) map[string]string {
		out := map[string]string{}
		for k, v := range m {
			out[k] = value(v)
		}
		return out
	}
	r := &HTTPParameters{Header: all(p.Header), Query: all(p.Query)}
	for _, v := range p.PathValues {
		r.PathValues = append(r.PathValues, value(v))
	}
	return r
}

// send delivers to an API destination.
func (s *Service) send(ctx context.Context, name string, d Delivery) error {
	var dest *Destination
	var conn *Connection
	err := s.cfg.Store.View(ctx, func(r store.Reader) (err error) {
		if dest, err = load[Destination](r, destinationKey(name), noDestination(name)); err == nil {
			conn, err = s.connectionOf(r, dest.ConnectionARN)
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case s.destinationARN(dest) != d.Target.ARN:
		return noDestination(name)
	case conn.Sealed == nil:
		return &DeliveryError{Code: "CONNECTION_NOT_AUTHORIZED", Message: "the connection is not authorized", Permanent: true}
	}
	if wait := s.pace.wait(dest.Name, dest.Rate, time.Now()); wait > 0 {
		return &DeliveryError{Code: "RATE_EXCEEDED", Message: "the API destination's rate limit is reached", After: wait}
	}
	auth, err := s.unseal(conn)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	request, err := s.request(ctx, dest, conn, auth, d)
	if err != nil {
		return err
	}
	answer, err := s.cfg.HTTP.Do(request)
	if err != nil {
		return &DeliveryError{Code: "CONNECTION_FAILURE", Message: "the API destination could not be reached"}
	}
	defer answer.Body.Close()
	io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer)) // so that the connection is used again
	if answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusProxyAuthRequired {
		s.tokens.forget(conn.Name)
	}
	return failed(answer)
}

// failed says what an answer that is no success means. Those that may pass are tried again.
func failed(answer *http.Response) error {
	code := answer.StatusCode
	if code >= 200 && code < 300 {
		return nil
	}
	e := &DeliveryError{Code: strconv.Itoa(code), Message: "the API destination answered " + http.StatusText(code)}
	switch {
	case code == http.StatusUnauthorized, code == http.StatusProxyAuthRequired, code == http.StatusConflict, code == http.StatusTooManyRequests, code >= 500:
		if n, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil && n > 0 {
			e.After = time.Duration(min(n, maxAge)) * time.Second
		}
	default:
		e.Permanent = true
	}
	return e
}

// request makes the request of a delivery. Parameters of the connection replace those of
// the target.
func (s *Service) request(ctx context.Context, dest *Destination, conn *Connection, auth Auth, d Delivery) (*http.Request, error) {
	p := d.Target.HTTP
	if p == nil {
		p = &HTTPParameters{}
	}
	address := dest.Endpoint
	for _, v := range p.PathValues {
		address = strings.Replace(address, "*", url.PathEscape(v), 1)
	}
	of := auth.HTTP
	if of == nil {
		of = &Parameters{}
	}
	body, err := withBody(d.Payload, of.Body)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, dest.Method, address, bytes.NewReader(body))
	if err != nil {
		return nil, &DeliveryError{Code: "INVALID_REQUEST", Message: "the endpoint's address is not valid", Permanent: true}
	}
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	request.Header.Set("User-Agent", "Amazon/EventBridge/ApiDestinations")
	query := request.URL.Query()
	for k, v := range p.Query {
		query.Set(k, v)
	}
	for k, v := range p.Header {
		if !httpguts.ValidHeaderFieldName(k) || !httpguts.ValidHeaderFieldValue(v) {
			return nil, &DeliveryError{Code: "INVALID_REQUEST", Message: "a header can't have the value that the event gives it", Permanent: true}
		}
		request.Header.Set(k, v)
	}
	addParameters(request, query, *of)
	request.URL.RawQuery = query.Encode()
	switch conn.Type {
	case Basic:
		request.SetBasicAuth(auth.Username, auth.Password)
	case APIKey:
		request.Header.Set(auth.KeyName, auth.KeyValue)
	case OAuth:
		token, err := s.tokens.get(conn.Name, func() (string, time.Duration, error) { return s.token(ctx, auth) })
		if err != nil {
			return nil, err
		}
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return request, nil
}

func addParameters(request *http.Request, query url.Values, p Parameters) {
	for _, h := range p.Header {
		request.Header.Set(h.Key, h.Value)
	}
	for _, q := range p.Query {
		query.Set(q.Key, q.Value)
	}
}

// withBody adds members to a payload, which must be an object then.
func withBody(payload []byte, add []Parameter) ([]byte, error) {
	if len(add) == 0 {
		return payload, nil
	}
	var b bytes.Buffer
	if json.Compact(&b, payload) != nil || b.Bytes()[0] != '{' {
		return nil, &DeliveryError{Code: "INVALID_JSON", Message: "the connection adds body parameters, and the payload is not a JSON object", Permanent: true}
	}
	out := bytes.TrimSuffix(b.Bytes(), []byte("}"))
	for _, p := range add {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, quote(p.Key)...), ':'), quote(p.Value)...)
	}
	return append(out, '}'), nil
}

// token asks a connection's authorization server for an access token.
// https://datatracker.ietf.org/doc/html/rfc6749#section-4.4
func (s *Service) token(ctx context.Context, a Auth) (string, time.Duration, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {a.ClientID}, "client_secret": {a.ClientSecret}}
	for _, p := range a.OAuth.Body {
		form.Set(p.Key, p.Value)
	}
	request, err := http.NewRequestWithContext(ctx, a.Method, a.Endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return "", 0, &DeliveryError{Code: "INVALID_REQUEST", Message: "the authorization endpoint's address is not valid", Permanent: true}
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	query := request.URL.Query()
	addParameters(request, query, a.OAuth)
	request.URL.RawQuery = query.Encode()
	answer, err := s.cfg.HTTP.Do(request)
	if err != nil {
		return "", 0, &DeliveryError{Code: "CONNECTION_FAILURE", Message: "the authorization server could not be reached"}
	}
	defer answer.Body.Close()
	var got struct {
		AccessToken string      `json:"access_token"`
		ExpiresIn   json.Number `json:"expires_in"`
	}
	if answer.StatusCode/100 != 2 || json.NewDecoder(io.LimitReader(answer.Body, maxAnswer)).Decode(&got) != nil || got.AccessToken == "" {
		return "", 0, &DeliveryError{Code: "AUTHORIZATION_FAILURE", Message: fmt.Sprintf("the authorization server answered %d and no token", answer.StatusCode)}
	}
	seconds, err := got.ExpiresIn.Int64()
	if err != nil {
		seconds = 60
	}
	return got.AccessToken, time.Duration(min(max(seconds, 0), 3600)) * time.Second, nil
}

// tokens remembers access tokens by connection.
type tokens struct {
	mu    sync.Mutex
	known map[string]bearer
}

type bearer struct {
	token   string
	expires time.Time
}

// get gives a token that is good for a while, or asks for one.
func (t *tokens) get(name string, ask func() (string, time.Duration, error)) (string, error) {
	t.mu.Lock()
	b, ok := t.known[name]
	t.mu.Unlock()
	if ok && time.Now().Before(b.expires) {
		return b.token, nil
	}
	token, life, err := ask()
	if err != nil {
		return "", err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known == nil {
		t.known = map[string]bearer{}
	}
	t.known[name] = bearer{token, time.Now().Add(life * 9 / 10)}
	return token, nil
}

func (t *tokens) forget(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.known, name)
}

// pace spreads a destination's requests over time.
type pace struct {
	mu   sync.Mutex
	next map[string]time.Time
}

// wait says how long a request has to wait for its turn; zero is its turn. A second's
// worth may go at once.
func (p *pace) wait(name string, rate int, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next == nil || len(p.next) > 10000 {
		p.next = map[string]time.Time{}
	}
	turn := p.next[name]
	if earliest := now.Add(-time.Second); turn.Before(earliest) {
		turn = earliest
	}
	if turn.After(now) {
		return turn.Sub(now)
	}
	p.next[name] = turn.Add(time.Second / time.Duration(rate))
	return 0
}
