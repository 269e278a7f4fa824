package gateway

import "net/http"

// Site answers for hosts of its own: function URLs for
// <id>.lambda-url.<region>.<domain>. It finds the request's id and span in the
// context, and authenticates its callers itself, for some sites want none. Its
// bodies are limited to DefaultMaxBody.
type Site struct {
	// Name tells the site's spans from others': "lambda-url".
	Name string
	// Match says whether a request's Host, with its port if it has one, is the
	// site's. It is asked for every request, so it is quick.
	Match   func(host string) bool
	Handler http.Handler
}

// site finds the site of a host; nil if it has none.
func (g *Gateway) site(host string) *Site {
	for i := range g.cfg.Sites {
		if s := &g.cfg.Sites[i]; s.Match(host) {
			return s
		}
	}
	return nil
}
