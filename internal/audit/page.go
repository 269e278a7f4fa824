package audit

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/arn"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	listing "github.com/mayfly-cloud/mayfly/internal/page"
)

const (
	pageSize = 100
	maxPage  = 1000
	maxQuery = 2048 // characters of one parameter
)

// auditPage is what ServeEvents answers.
type auditPage struct {
	Events []Entry `json:"events"`
	Token  string  `json:"token,omitempty"`
}

// ServeEvents answers GET /_mayfly/audit with entries as JSON, the newest first. All
// parameters are optional, and an entry has to meet all that are given:
//
//	user=NAME|ARN      who: a user or session by name, a role too by ARN
//	resource=NAME|ARN  about what
//	type=TYPE          of what type: AWS::Lambda::Function
//	request=ID         by which request
//	kind=KIND          change, read or refusal
//	from=TIME to=TIME  when, from inclusive: 2026-05-04T12:00:00Z
//	limit=N token=T    a page of at most N, and where it continues
//
// A page may have fewer entries than asked for and still a token, after much was
// looked at in vain.
func (t *Trail) ServeEvents(w http.ResponseWriter, r *http.Request) {
	s, err := pageSearch(r.URL.Query())
	var p auditPage
	if err == nil {
		p.Events, p.Token, err = t.find(r.Context(), s)
	}
	if errors.Is(err, listing.ErrInvalid) {
		err = badRequest("%w", err)
	}
	if err != nil {
		t.fail(w, err)
		return
	}
	if p.Events == nil {
		p.Events = []Entry{}
	}
	t.answer(w, http.StatusOK, p)
}

// pageSearch reads the parameters; the most telling one picks the index.
func pageSearch(q url.Values) (search, error) {
	s := search{limit: pageSize, token: q.Get("token")}
	var err error
	for name, values := range q {
		if len(values) > 1 || len(values[0]) > maxQuery {
			return s, badRequest("%.40q is given more than once, or too long.", name)
		}
	}
	if s.from, err = parseTime(q.Get("from")); err != nil {
		return s, err
	}
	if s.to, err = parseTime(q.Get("to")); err != nil {
		return s, err
	}
	if text := q.Get("limit"); text != "" {
		if s.limit, err = strconv.Atoi(text); err != nil || s.limit < 1 || s.limit > maxPage {
			return s, badRequest("limit is 1 to %d.", maxPage)
		}
	}
	get := func(name string) string { return clean(q.Get(name)) } // as entries are
	user, resource, typ, request, kind := get("user"), get("resource"), get("type"), get("request"), Kind(get("kind"))
	switch {
	case request != "":
		s.by = attribute{byRequest, request}
	case resource != "":
		s.by = attribute{byResource, resource}
	case user != "" && !arn.Is(user):
		s.by = attribute{byUser, user}
	case kind != "":
		s.by = attribute{byKind, string(kind)}
	case typ != "":
		s.by = attribute{byResourceType, typ}
	}
	s.also = func(e *Entry) bool {
		return (user == "" || e.Who.is(user)) && (kind == "" || e.Kind == kind) && (resource == "" && typ == "" || e.isAbout(resource, typ))
	}
	q.Del("limit")
	q.Del("token")
	s.name("audit", q.Encode())
	return s, nil
}

// is says whether p is called so.
func (p *Principal) is(user string) bool {
	return p.Name == user || p.ARN == user || p.Issuer != nil && p.Issuer.ARN == user
}

// isAbout says whether a resource has this name or ARN, and this type; empty ones
// mean any.
func (e *Entry) isAbout(name, typ string) bool {
	for _, r := range e.Resources {
		if (name == "" || r.Name == name || r.ARN == name) && (typ == "" || strings.EqualFold(r.Type, typ)) {
			return true
		}
	}
	return false
}

func parseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return at, badRequest("%.40q is not a time: write it as 2026-05-04T12:00:00Z.", s)
	}
	return at, nil
}

func badRequest(format string, args ...any) *fault.Error {
	return refuse("ValidationException", format, args...)
}

// fail answers with an error; one of ours is logged, and not told.
func (t *Trail) fail(w http.ResponseWriter, err error) {
	f := fault.As(err)
	if f.Status >= http.StatusInternalServerError {
		t.cfg.Log.Error("answering from the audit trail failed", "err", err)
	}
	t.answer(w, f.Status, map[string]string{"message": f.Message})
}

func (t *Trail) answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		t.cfg.Log.Debug("an answer was not sent", "err", err)
	}
}
