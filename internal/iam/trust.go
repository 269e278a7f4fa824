package iam

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// A trust policy that names a user or role means the one that has the name when the
// policy is stored: renamed, it stays trusted; deleted, nobody is trusted in its
// place, even under the same name. Its id is kept with the policy, in Entity.Trusted.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html

// place is where a document names a principal: text is at [start, end), quoted.
type place struct {
	start, end int
	text       string
}

// principalsIn finds the users, roles and accounts that a document names.
func principalsIn(doc string) (places []place) {
	dec := json.NewDecoder(strings.NewReader(doc))
	var walk func(path []string) error
	walk = func(path []string) error {
		before := int(dec.InputOffset())
		token, err := dec.Token()
		if err != nil {
			return err
		}
		switch v := token.(type) {
		case string:
			if len(path) == 3 && path[0] == "Statement" && path[1] == "Principal" && path[2] == "AWS" {
				start := before + strings.IndexByte(doc[before:], '"')
				places = append(places, place{start, int(dec.InputOffset()), v})
			}
		case json.Delim:
			for dec.More() {
				inner := path
				if v == '{' {
					key, err := dec.Token()
					if err != nil {
						return err
					}
					name, _ := key.(string)
					inner = append(path[:len(path):len(path)], name)
				}
				if err := walk(inner); err != nil {
					return err
				}
			}
			_, err = dec.Token() // the end of it
		}
		return err
	}
	if walk(nil) != nil {
		return nil // it was parsed before, so it is JSON
	}
	return places
}

// renamed gives a document with other names for its principals; "" keeps one.
func renamed(doc string, name func(string) string) string {
	var b strings.Builder
	at := 0
	for _, p := range principalsIn(doc) {
		if to := name(p.text); to != "" {
			b.WriteString(doc[at:p.start])
			b.WriteString(strconv.Quote(to))
			at = p.end
		}
	}
	return b.String() + doc[at:]
}

// bind finds the ids of the users and roles of this account that a trust policy names.
// One that is not there is refused.
func (s *Service) bind(r store.Reader, doc string) (map[string]string, error) {
	var bound map[string]string
	for _, p := range principalsIn(doc) {
		kind, path, name, ok := s.splitARN(p.text)
		if !ok || kind != string(User) && kind != string(Role) {
			continue
		}
		e, err := find(r, Kind(kind), name)
		if fault.Is(err, "NoSuchEntity") || fault.Is(err, "ValidationError") || err == nil && (e.Path != path || e.Name != name) {
			return nil, malformedPolicy(`Invalid principal in policy: "AWS":"%s"`, clip(p.text))
		}
		if err != nil {
			return nil, err
		}
		if bound == nil {
			bound = map[string]string{}
		}
		bound[p.text] = e.ID
	}
	return bound, nil
}

// current brings the names in a role's trust policy up to date, for who reads it: those
// of users and roles that were renamed, and the ids of those that are gone.
func (s *Service) current(r store.Reader, e *Entity) error {
	if len(e.Trusted) == 0 {
		return nil
	}
	names, bound := map[string]string{}, map[string]string{}
	for was, id := range e.Trusted {
		trusted, err := byID(r, id)
		switch {
		case err == nil:
			names[was] = s.ARN(trusted)
			bound[names[was]] = id
		case fault.Is(err, "NoSuchEntity"):
			names[was] = id
		default:
			return err
		}
	}
	e.Trust, e.Trusted = renamed(e.Trust, func(name string) string { return names[name] }), bound
	return nil
}

// Trust is the compiled trust policy of a role: who may assume it.
func (s *Service) Trust(e *Entity) policy.Attached {
	doc := e.Trust
	if len(e.Trusted) > 0 {
		doc = renamed(doc, func(name string) string { return e.Trusted[name] })
	}
	return s.compileAs(&s.trusts, e.Name, doc, policy.Trust)
}
