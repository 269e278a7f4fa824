package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	// fetchTime bounds the fetch of an issuer's keys, discovery and all.
	fetchTime = 10 * time.Second
	// maxDocument bounds each document that is fetched.
	maxDocument = 256 << 10
	maxRedirect = 3
)

// newClient makes a client that goes nowhere but by HTTPS and not far.
func newClient() *http.Client {
	return &http.Client{
		Timeout: fetchTime,
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxRedirect || r.URL.Scheme != "https" {
				return errors.New("too many redirects, or one away from https")
			}
			return nil
		},
	}
}

// fetch finds an issuer's keys by its discovery document.
func (v *Verifier) fetch(ctx context.Context, issuer string) (set jose.JSONWebKeySet, err error) {
	var discovery struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := v.get(ctx, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration", &discovery); err != nil {
		return set, err
	}
	if discovery.Issuer != issuer {
		return set, fmt.Errorf("the discovery document is of another issuer, %.200q", discovery.Issuer)
	}
	return set, v.get(ctx, discovery.Keys, &set)
}

// get reads a JSON document over HTTPS.
func (v *Verifier) get(ctx context.Context, from string, into any) error {
	u, err := url.Parse(from)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("%.200q is not an https URL", from)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return fmt.Errorf("ask %s: %w", u.Host, err)
	}
	r.Header.Set("Accept", "application/json")
	res, err := v.client.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", u.Host, res.Status)
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, maxDocument+1))
	if err != nil {
		return fmt.Errorf("read %s: %w", u.Host, err)
	}
	if len(b) > maxDocument {
		return fmt.Errorf("%s sends more than %d bytes", u.Host, maxDocument)
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("read %s: %w", u.Host, err)
	}
	return nil
}
