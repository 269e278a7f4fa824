package wire

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"
)

// node is a step in the tree of REST paths: one segment. Literal segments come
// before labels, and labels before a greedy label, which takes all that is left.
type node struct {
	literal map[string]*node
	label   *node
	greedy  *node
	routes  []*route // that end here
}

// route is a way to one operation. What a path cannot tell, parameters of the
// query string and headers do; the route that asks for most of them comes first.
type route struct {
	method string
	labels []string // by their place in the path
	query  []param
	header string
	op     *operation // nil for an operation AWS has and we have not
	name   string
}

type param struct{ key, value string }

// newRoute reads the HTTP trait of an operation.
func newRoute(schema *smithy.Schema) (*route, []string, error) {
	h, ok := smithy.SchemaTrait[*traits.HTTP](schema)
	if !ok {
		return nil, nil, fmt.Errorf("the schema has no HTTP trait")
	}
	path, query, _ := strings.Cut(h.URI, "?")
	r := &route{method: h.Method, name: schema.ID().Name}
	for _, p := range strings.Split(query, "&") {
		k, v, _ := strings.Cut(p, "=")
		if k != "" && k != "x-id" { // x-id names S3's operation for the SDK alone
			r.query = append(r.query, param{k, v})
		}
	}
	return r, segments(path), nil
}

// segments splits a path; slashes at its ends do not count.
func segments(path string) []string {
	path = strings.Trim(path, "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// insert adds a route at its path, or fails when another takes the same requests.
func (n *node) insert(r *route, path []string) error {
	for i, s := range path {
		name, isLabel := strings.CutPrefix(s, "{")
		if !isLabel {
			if n.literal == nil {
				n.literal = map[string]*node{}
			}
			if n.literal[s] == nil {
				n.literal[s] = &node{}
			}
			n = n.literal[s]
			continue
		}
		name = strings.TrimSuffix(name, "}")
		next := &n.label
		if greedy, ok := strings.CutSuffix(name, "+"); ok {
			if i != len(path)-1 {
				return fmt.Errorf("the greedy label %s is not the path's last", greedy)
			}
			name, next = greedy, &n.greedy
		}
		if *next == nil {
			*next = &node{}
		}
		n = *next
		r.labels = append(r.labels, name)
	}
	for _, other := range n.routes {
		if other.method == r.method && other.header == r.header && slices.Equal(other.query, r.query) {
			return fmt.Errorf("its route is that of %s", other.name)
		}
	}
	n.routes = append(n.routes, r)
	slices.SortStableFunc(n.routes, func(a, b *route) int { return b.weight() - a.weight() })
	return nil
}

func (r *route) weight() int {
	w := len(r.query) * 2
	if r.header != "" {
		w++
	}
	return w
}

// search finds the route for a request and the values of its labels. The path is
// still escaped: a slash within a label is %2F.
type search struct {
	req    *http.Request
	query  url.Values
	values []string
}

// find looks below n for the rest of the path, from its first segment on.
func (s *search) find(n *node, rest string) *route {
	if strings.Trim(rest, "/") == "" {
		return s.pick(n)
	}
	seg, after, _ := strings.Cut(rest, "/")
	if next := n.literal[seg]; next != nil {
		if r := s.find(next, after); r != nil {
			return r
		}
	}
	if n.label != nil && seg != "" {
		if r := s.with(n.label, seg, after); r != nil {
			return r
		}
	}
	if n.greedy != nil {
		return s.with(n.greedy, rest, "")
	}
	return nil
}

// with goes on below n with one more label's value.
func (s *search) with(n *node, value, rest string) *route {
	s.values = append(s.values, value)
	r := s.find(n, rest)
	if r == nil {
		s.values = s.values[:len(s.values)-1]
	}
	return r
}

// pick chooses among the routes that end at n.
func (s *search) pick(n *node) *route {
	for _, r := range n.routes {
		if r.method == s.req.Method && s.fits(r) {
			return r
		}
	}
	return nil
}

func (s *search) fits(r *route) bool {
	if r.header != "" && s.req.Header.Get(r.header) == "" {
		return false
	}
	if len(r.query) > 0 && s.query == nil {
		s.query = s.req.URL.Query()
	}
	for _, p := range r.query {
		if v, ok := s.query[p.key]; !ok || p.value != "" && v[0] != p.value {
			return false
		}
	}
	return true
}
