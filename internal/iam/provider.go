package iam

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Provider is an OpenID Connect identity provider whose tokens are trusted by the
// roles that name it.
type Provider struct {
	URL         string // without its scheme, as ARNs and condition keys have it
	Clients     []string
	Thumbprints []string
	Created     time.Time
	Tags        map[string]string
}

// Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html
const (
	maxProviders   = 100
	maxClients     = 100
	maxThumbprints = 5
	maxURL         = 255
)

var thumbprintForm = regexp.MustCompile(`^[0-9a-fA-F]{40}$`)

// ProviderARN names a provider by its URL without the scheme.
func (s *Service) ProviderARN(url string) string { return s.arn("oidc-provider", "/", url) }

// providerURL gives the URL of an ARN.
func (s *Service) providerURL(text string) (string, error) {
	url, ok := strings.CutPrefix(text, s.ProviderARN(""))
	if !ok || url == "" {
		return "", validation("Invalid ARN: %s", clip(text))
	}
	return url, nil
}

func noProvider(arn string) error {
	return noSuchEntity("OpenIDConnect Provider not found for arn %s", clip(arn))
}

// createProvider registers a provider. Nothing is fetched from it before a token of
// it comes. One transaction: a crash leaves it registered or not.
func (s *Service) createProvider(ctx context.Context, p *Provider, tags []Tag) (err error) {
	if p.URL, err = parseProvider(p.URL); err != nil {
		return err
	}
	if err := p.check(); err != nil {
		return err
	}
	if p.Tags, err = tagged(nil, tags); err != nil {
		return err
	}
	p.Created = s.now()
	return s.change(ctx, func(tx store.Tx) error {
		if there, err := exists(tx, providerKey(p.URL)); there || err != nil {
			return errors.Join(err, alreadyExists("Provider with url https://%s already exists.", p.URL))
		}
		return errors.Join(add(tx, "Providers", 1, maxProviders, "OpenIdConnectProvidersPerAccount"), save(tx, providerKey(p.URL), p))
	})
}

// parseProvider gives the URL of a new provider without its scheme: the one spelling
// under which it is asked for and kept.
func parseProvider(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return "", validation("Invalid Open ID Connect Provider URL")
	case len(text) > maxURL:
		return "", constraint(clip(text), "url", "Member must have length less than or equal to %d", maxURL)
	}
	return strings.TrimSuffix(u.Host+u.EscapedPath(), "/"), nil
}

// check refuses lists of clients and thumbprints that no provider can have.
func (p *Provider) check() error {
	if len(p.Clients) > maxClients {
		return limitExceeded("Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: %d", maxClients)
	}
	if slices.ContainsFunc(p.Clients, func(c string) bool { return c == "" || len(c) > 255 }) {
		return validation("Client ids must have 1 to 255 characters.")
	}
	if len(p.Thumbprints) > maxThumbprints {
		return invalidInput("Thumbprint list must contain fewer than %d entries.", maxThumbprints+1)
	}
	if slices.ContainsFunc(p.Thumbprints, func(t string) bool { return !thumbprintForm.MatchString(t) }) {
		return validation("Thumbprints must have 40 hexadecimal characters.")
	}
	return nil
}

// alterProvider lets fn alter a provider. One transaction: a crash leaves it as it was
// or as it shall be.
func (s *Service) alterProvider(ctx context.Context, arn string, fn func(*Provider) error) error {
	url, err := s.providerURL(arn)
	if err != nil {
		return err
	}
	return s.change(ctx, func(tx store.Tx) error {
		p, err := load[Provider](tx, providerKey(url), noProvider(arn))
		if err != nil {
			return err
		}
		if err := errors.Join(fn(p), p.check()); err != nil {
			return err
		}
		return save(tx, providerKey(url), p)
	})
}

// deleteProvider forgets a provider. It may be gone already; roles that trust it stay
// and trust nobody by it.
func (s *Service) deleteProvider(ctx context.Context, arn string) error {
	url, err := s.providerURL(arn)
	if err != nil {
		return err
	}
	return s.change(ctx, func(tx store.Tx) error {
		if there, err := exists(tx, providerKey(url)); !there || err != nil {
			return errors.Join(err, noProvider(arn))
		}
		return errors.Join(add(tx, "Providers", -1, 0, ""), tx.Delete(providerKey(url)))
	})
}

// provider reads a provider by its ARN.
func (s *Service) provider(ctx context.Context, arn string) (*Provider, error) {
	url, err := s.providerURL(arn)
	if err != nil {
		return nil, err
	}
	return s.Provider(ctx, url)
}

// Provider reads a provider by its URL without the scheme.
func (s *Service) Provider(ctx context.Context, url string) (p *Provider, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		p, err = load[Provider](r, providerKey(url), noProvider(s.ProviderARN(url)))
		return err
	})
	return p, err
}

// listProviders gives all providers.
func (s *Service) listProviders(ctx context.Context) (list []Provider, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		list, err = all[Provider](r, below("provider"))
		return err
	})
	return list, err
}
