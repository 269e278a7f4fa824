package function

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/trace"
)

// event is a request in payload format 2.0.
//
// Source: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
type event struct {
	Version         string            `json:"version"`
	RouteKey        string            `json:"routeKey"`
	RawPath         string            `json:"rawPath"`
	RawQueryString  string            `json:"rawQueryString"`
	Cookies         []string          `json:"cookies,omitempty"`
	Headers         map[string]string `json:"headers"`
	Query           map[string]string `json:"queryStringParameters,omitempty"`
	RequestContext  eventContext      `json:"requestContext"`
	Body            string            `json:"body,omitempty"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

type eventContext struct {
	AccountID    string           `json:"accountId"`
	APIID        string           `json:"apiId"`
	Authorizer   *eventAuthorizer `json:"authorizer,omitempty"`
	DomainName   string           `json:"domainName"`
	DomainPrefix string           `json:"domainPrefix"`
	HTTP         eventHTTP        `json:"http"`
	RequestID    string           `json:"requestId"`
	RouteKey     string           `json:"routeKey"`
	Stage        string           `json:"stage"`
	Time         string           `json:"time"`
	TimeEpoch    int64            `json:"timeEpoch"`
}

type eventHTTP struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

type eventAuthorizer struct {
	IAM eventIAM `json:"iam"`
}

type eventIAM struct {
	AccessKey       string  `json:"accessKey"`
	AccountID       string  `json:"accountId"`
	CallerID        string  `json:"callerId"`
	CognitoIdentity *string `json:"cognitoIdentity"`
	PrincipalOrgID  *string `json:"principalOrgId"`
	UserARN         string  `json:"userArn"`
	UserID          string  `json:"userId"`
}

// defaultRoute is the route and the stage of every function URL.
const defaultRoute = "$default"

// event describes a request to a URL as JSON.
func (u urls) event(r *http.Request, at *URL, caller auth.Principal, body []byte) ([]byte, error) {
	now := u.cfg.Clock.Now().UTC()
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host // it has no port
	}
	e := event{
		Version: "2.0", RouteKey: defaultRoute,
		RawPath: r.URL.EscapedPath(), RawQueryString: r.URL.RawQuery,
		Headers: u.headers(r, at), Cookies: cookies(r), Query: query(r.URL),
		RequestContext: eventContext{
			AccountID: "anonymous", APIID: at.ID, DomainName: host, DomainPrefix: at.ID,
			HTTP: eventHTTP{
				Method: r.Method, Path: r.URL.Path, Protocol: r.Proto,
				SourceIP: sourceIP(r), UserAgent: r.UserAgent(),
			},
			RequestID: id.Request(r.Context()), RouteKey: defaultRoute, Stage: defaultRoute,
			Time: now.Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
		},
	}
	if caller.Kind != auth.Anonymous {
		e.RequestContext.AccountID = caller.Account
		e.RequestContext.Authorizer = &eventAuthorizer{eventIAM{
			AccessKey: caller.AccessKeyID, AccountID: caller.Account, CallerID: caller.UserID,
			UserARN: caller.ARN, UserID: caller.UserID,
		}}
	}
	if len(body) > 0 && isText(r.Header.Get("Content-Type")) && utf8.Valid(body) {
		e.Body = string(body)
	} else if len(body) > 0 {
		e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	b, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("make event: %w", err)
	}
	return b, nil
}

// headers gives a request's headers: names in lower case, several values joined.
// Cookies have a place of their own. A caller's signature and session token stay
// out: they are between the caller and us.
func (u urls) headers(r *http.Request, at *URL) map[string]string {
	out := make(map[string]string, len(r.Header)+5)
	for name, values := range r.Header {
		switch lower := strings.ToLower(name); lower {
		case "cookie":
		case "authorization", "x-amz-security-token":
			if at.Auth == "NONE" {
				out[lower] = strings.Join(values, ",")
			}
		default:
			out[lower] = strings.Join(values, ",")
		}
	}
	scheme, port := "http", "80"
	if r.TLS != nil {
		scheme, port = "https", "443"
	}
	if _, p, err := net.SplitHostPort(r.Host); err == nil {
		port = p
	}
	out["host"] = r.Host
	out["x-forwarded-for"], out["x-forwarded-proto"], out["x-forwarded-port"] = sourceIP(r), scheme, port
	if h := trace.Header(r.Context()); h != "" {
		out["x-amzn-trace-id"] = h
	}
	return out
}

func cookies(r *http.Request) []string {
	var list []string
	for _, line := range r.Header["Cookie"] {
		for c := range strings.SplitSeq(line, ";") {
			if c = strings.TrimSpace(c); c != "" {
				list = append(list, c)
			}
		}
	}
	return list
}

// query gives the parameters of a URL, several values of one joined. What can't
// be decoded is left out, as it is from the standard library's.
func query(u *url.URL) map[string]string {
	if u.RawQuery == "" {
		return nil
	}
	out := map[string]string{}
	for name, values := range u.Query() {
		out[name] = strings.Join(values, ",")
	}
	return out
}

// sourceIP is the caller's address. One at a socket of this machine has none.
func sourceIP(r *http.Request) string {
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return "127.0.0.1"
	}
	return ip
}

// isText says whether a body of this type is passed as it is. Forms are not, as
// with AWS.
func isText(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	switch media {
	case "application/json", "application/javascript", "application/xml":
		return true
	}
	return strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "+json") || strings.HasSuffix(media, "+xml")
}
