package function

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// answer is a function's answer as an HTTP response.
type answer struct {
	status  int
	headers map[string]string
	cookies []string
	body    []byte
}

// response is what a function answers in payload format 2.0. It is also what
// begins a streamed answer, without a body.
type response struct {
	StatusCode json.RawMessage            `json:"statusCode"`
	Headers    map[string]json.RawMessage `json:"headers"`
	Cookies    []string                   `json:"cookies"`
	Body       json.RawMessage            `json:"body"`
	Base64     bool                       `json:"isBase64Encoded"`
}

// parseAnswer reads a function's answer. An object with a statusCode describes a
// response; anything else is the body of one.
func parseAnswer(payload []byte) (*answer, error) {
	var r response
	if trimmed := bytes.TrimLeft(payload, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		return plainAnswer(payload), nil
	}
	var shape map[string]json.RawMessage
	if err := json.Unmarshal(payload, &shape); err != nil {
		return nil, errBadAnswer
	}
	if shape["statusCode"] == nil {
		return plainAnswer(payload), nil
	}
	if err := json.Unmarshal(payload, &r); err != nil {
		return nil, errBadAnswer
	}
	a, err := r.answer()
	if err != nil {
		return nil, err
	}
	if a.body, err = r.body(); err != nil {
		return nil, err
	}
	return a, nil
}

// plainAnswer is the response for an answer that describes none: 200 and JSON; a
// text without its quotes.
func plainAnswer(payload []byte) *answer {
	a := &answer{status: http.StatusOK, headers: map[string]string{"content-type": "application/json"}, body: payload}
	var text string
	if json.Unmarshal(payload, &text) == nil && string(bytes.TrimSpace(payload)) != "null" {
		a.body = []byte(text)
	}
	return a
}

// answer takes over everything but the body.
func (r *response) answer() (*answer, error) {
	status, err := strconv.Atoi(strings.Trim(string(r.StatusCode), `"`))
	if err != nil || status < 200 || status > 599 {
		return nil, errBadAnswer
	}
	a := &answer{status: status, headers: make(map[string]string, len(r.Headers)+1), cookies: r.Cookies}
	for name, raw := range r.Headers {
		value, ok := scalar(raw)
		if !ok {
			return nil, errBadAnswer
		}
		a.headers[strings.ToLower(name)] = value
	}
	if _, ok := a.headers["content-type"]; !ok {
		a.headers["content-type"] = "application/json"
	}
	return a, nil
}

// body is a text, undone from base 64 where the function says so; or what it
// answered in its place, as JSON.
func (r *response) body() ([]byte, error) {
	var text string
	if len(r.Body) == 0 || string(r.Body) == "null" {
		return nil, nil
	}
	if json.Unmarshal(r.Body, &text) != nil {
		return r.Body, nil
	}
	if !r.Base64 {
		return []byte(text), nil
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errBadAnswer
	}
	return b, nil
}

// scalar prints a header's value, which may be a text, a number or a truth.
func scalar(raw json.RawMessage) (string, bool) {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s, string(raw) != "null"
	}
	if len(raw) == 0 || raw[0] == '{' || raw[0] == '[' {
		return "", false
	}
	return string(raw), true
}

// ours are the headers that a function can't set: those of the connection, which
// is not its own, and those that are made here.
var ours = map[string]bool{
	"connection": true, "content-length": true, "date": true, "keep-alive": true, "proxy-authenticate": true,
	"te": true, "trailer": true, "transfer-encoding": true, "upgrade": true,
	"x-amzn-requestid": true, "x-amzn-trace-id": true,
}

func (a *answer) writeHeader(h http.Header) {
	for name, value := range a.headers {
		if !ours[name] {
			h.Set(name, value)
		}
	}
	for _, c := range a.cookies {
		h.Add("Set-Cookie", c)
	}
}
