package function

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// preflight answers a browser's question before a request from another origin.
// It says whether the request was one; such a request never meets the function.
func (c *CORS) preflight(h http.Header, r *http.Request) bool {
	asked := r.Header.Get("Access-Control-Request-Method")
	if r.Method != http.MethodOptions || r.Header.Get("Origin") == "" || asked == "" {
		return false
	}
	if !c.allowOrigin(h, r) || !slices.Contains(c.Methods, "*") && !slices.Contains(c.Methods, asked) {
		return true
	}
	h.Set("Access-Control-Allow-Methods", strings.Join(c.Methods, ","))
	if len(c.Headers) > 0 {
		h.Set("Access-Control-Allow-Headers", strings.Join(c.Headers, ","))
	}
	if c.MaxAge != nil {
		h.Set("Access-Control-Max-Age", strconv.Itoa(*c.MaxAge))
	}
	return true
}

// apply sets a response's headers, in place of any that the function has set:
// the URL's settings come first.
func (c *CORS) apply(h http.Header, r *http.Request) {
	for name := range h {
		if strings.HasPrefix(name, "Access-Control-") {
			h.Del(name)
		}
	}
	if c.allowOrigin(h, r) && len(c.Expose) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(c.Expose, ","))
	}
}

// allowOrigin lets the request's origin in, if it may.
func (c *CORS) allowOrigin(h http.Header, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	h.Add("Vary", "Origin")
	everybody := slices.Contains(c.Origins, "*")
	if origin == "" || !everybody && !slices.Contains(c.Origins, origin) {
		return false
	}
	if everybody && !c.Credentials {
		origin = "*" // browsers refuse it together with credentials
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if c.Credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	return true
}
