package function

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// URL is a function URL: a function, or an alias of it, as a web server with a
// host name of its own.
type URL struct {
	ID                  string // the first label of its host
	Function, Qualifier string // "" is the function's $LATEST
	Auth                string // "NONE" or "AWS_IAM"
	Mode                string // "BUFFERED" or "RESPONSE_STREAM"
	CORS                *CORS
	Created, Modified   time.Time
}

// CORS is what browsers of other origins may do with a URL.
type CORS struct {
	Credentials                       bool
	Headers, Methods, Origins, Expose []string
	MaxAge                            *int // seconds
}

// urlOwner is the row that leads from a URL's id to it.
type urlOwner struct{ Function, Qualifier string }

// URLChange is a change of a URL: what is nil stays as it is.
type URLChange struct {
	Auth, Mode *string
	CORS       *CORS
}

var urlQualifierForm = regexp.MustCompile(`^[0-9a-zA-Z-_]+$`)

// CreateURL gives a function or alias its URL. One transaction writes it and the
// way to it from its host; a crash leaves both or none.
func (s *Service) CreateURL(ctx context.Context, function, qualifier string, c URLChange) (*URL, error) {
	name, err := s.parseURL(function, qualifier)
	if err != nil {
		return nil, err
	}
	now := s.cfg.Clock.Now().UTC().Truncate(time.Microsecond) // as it is stored
	u := &URL{
		ID: id.Hex(16), Function: name.Function, Qualifier: name.Qualifier,
		Mode: "BUFFERED", Created: now, Modified: now,
	}
	if err := c.apply(u); err != nil {
		return nil, err
	}
	err = s.change(ctx, func(tx store.Tx) error {
		if err := s.checkThere(tx, name); err != nil {
			return err
		}
		there, err := exists(tx, urlKey(name.Function, name.Qualifier))
		if err != nil {
			return err
		}
		if there {
			return conflict("Failed to create function url config for [functionArn = %s]. Error message:  FunctionUrlConfig exists for this Lambda function", s.arn(name.Function, name.Qualifier))
		}
		if err := save(tx, hostKey(u.ID), urlOwner{u.Function, u.Qualifier}); err != nil {
			return err
		}
		return save(tx, urlKey(u.Function, u.Qualifier), u)
	})
	return u, err
}

// apply checks a change and makes it.
func (c URLChange) apply(u *URL) error {
	set(&u.Auth, c.Auth)
	set(&u.Mode, c.Mode)
	if c.CORS != nil {
		u.CORS = c.CORS
		if err := c.CORS.check(); err != nil {
			return err
		}
	}
	if err := oneOf(u.Auth, "authType", "NONE", "AWS_IAM"); err != nil {
		return err
	}
	return oneOf(u.Mode, "invokeMode", "BUFFERED", "RESPONSE_STREAM")
}

// methods are those a URL's CORS settings may name.
var methods = []string{
	"*", http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
}

func (c *CORS) check() error {
	for member, list := range map[string][]string{
		"cors.allowHeaders": c.Headers, "cors.allowOrigins": c.Origins, "cors.exposeHeaders": c.Expose,
	} {
		if len(list) > 100 {
			return violates(len(list), member, "Member must have length less than or equal to 100")
		}
		for _, v := range list {
			if v == "" || len(v) > 1024 {
				return violates(clip(v), member, "Member must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1]")
			}
		}
	}
	for _, m := range c.Methods {
		if !slices.Contains(methods, m) {
			return violates(clip(m), "cors.allowMethods", "Member must satisfy constraint: [Member must have length less than or equal to 6, Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: .*]")
		}
	}
	if c.MaxAge != nil {
		return within(*c.MaxAge, "cors.maxAge", 0, 86400)
	}
	return nil
}

// UpdateURL changes a URL's settings; its host stays.
func (s *Service) UpdateURL(ctx context.Context, function, qualifier string, c URLChange) (*URL, error) {
	name, err := s.parseURL(function, qualifier)
	if err != nil {
		return nil, err
	}
	var u *URL
	err = s.change(ctx, func(tx store.Tx) error {
		if u, err = s.url(tx, name); err != nil {
			return err
		}
		if err := c.apply(u); err != nil {
			return err
		}
		u.Modified = s.cfg.Clock.Now().UTC().Truncate(time.Microsecond)
		return save(tx, urlKey(name.Function, name.Qualifier), u)
	})
	return u, err
}

// GetURL gives a function's or alias's URL.
func (s *Service) GetURL(ctx context.Context, function, qualifier string) (*URL, error) {
	name, err := s.parseURL(function, qualifier)
	if err != nil {
		return nil, err
	}
	var u *URL
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		u, err = s.url(r, name)
		return err
	})
	return u, err
}

func (s *Service) url(r store.Reader, n Name) (*URL, error) {
	if _, err := s.function(r, n.Function); err != nil {
		return nil, err
	}
	return loadOr[URL](r, urlKey(n.Function, n.Qualifier), noSuchResource())
}

// URLs of a function and its aliases.
func (s *Service) ListURLs(ctx context.Context, function string, p Page) ([]URL, string, error) {
	name, err := s.parseUnqualified(function)
	if err != nil {
		return nil, "", err
	}
	var list []URL
	var next string
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		if _, err := s.function(r, name); err != nil {
			return err
		}
		list, next, err = scan(r, below("url", name), "urls", p, func(URL) bool { return true })
		return err
	})
	return list, next, err
}

// DeleteURL takes a URL away; its host is never given out again.
func (s *Service) DeleteURL(ctx context.Context, function, qualifier string) error {
	name, err := s.parseURL(function, qualifier)
	if err != nil {
		return err
	}
	return s.change(ctx, func(tx store.Tx) error {
		if _, err := s.url(tx, name); err != nil {
			return err
		}
		return dropURL(tx, name.Function, name.Qualifier)
	})
}

// parseURL reads a name; a URL's qualifier can only be an alias.
func (s *Service) parseURL(function, qualifier string) (Name, error) {
	n, err := s.Parse(function, qualifier)
	if err != nil {
		return n, err
	}
	if _, isVersion := versionNumber(n.Qualifier); n.Qualifier != "" && (isVersion || !urlQualifierForm.MatchString(n.Qualifier)) {
		return n, violates(clip(n.Qualifier), "qualifier", `Member must satisfy regular expression pattern: ((?!^\d+$)^[0-9a-zA-Z-_]+$)`)
	}
	return n, nil
}

// Address is where a URL is reached, in the manner of the node's endpoint.
func (s *Service) Address(u *URL) string {
	scheme, port := s.scheme()
	return scheme + "://" + u.ID + ".lambda-url." + s.cfg.Region + "." + s.cfg.Domain + port + "/"
}
