package bus

import (
	"context"
	"net/url"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Connection is how API destinations authorise themselves.
type Connection struct {
	Name, Description, ID        string // ID ends its ARN
	Type                         string
	State                        string
	Created, Changed, Authorized time.Time
	Sealed                       []byte // the Auth
}

// The types of authorization.
const (
	Basic  = "BASIC"
	OAuth  = "OAUTH_CLIENT_CREDENTIALS"
	APIKey = "API_KEY"
)

// The states of a connection. Authorising by OAuth takes place with the first delivery.
const (
	authorized   = "AUTHORIZED"
	authorizing  = "AUTHORIZING"
	deauthorized = "DEAUTHORIZED"
	deleting     = "DELETING"
)

// Auth is the parameters of a connection, secrets among them. It prints as nothing of
// itself. Which are set depends on the connection's type.
type Auth struct {
	Username, Password     string
	KeyName, KeyValue      string
	ClientID, ClientSecret string
	Endpoint, Method       string     // of the authorization server
	OAuth                  Parameters // for requests to it
	HTTP                   *Parameters
}

// String keeps the parameters to themselves.
func (Auth) String() string { return "(secret)" }

// GoString keeps the parameters out of %#v.
func (Auth) GoString() string { return "bus.Auth{}" }

// Parameters are added to requests.
type Parameters struct{ Header, Query, Body []Parameter }

// Parameter is a name and a value, which is not given back if it is secret.
type Parameter struct {
	Key, Value string
	Secret     bool
}

// String keeps the value to itself.
func (p Parameter) String() string { return p.Key }

// GoString keeps the value out of %#v.
func (p Parameter) GoString() string { return "bus.Parameter{" + p.Key + "}" }

const maxParameters = 100

func (s *Service) connectionARN(c *Connection) string {
	return s.arn("connection/" + c.Name + "/" + c.ID)
}

func noConnection(name string) error {
	return notFound("Failed to describe the connection(s). Connection '%s' does not exist.", clip(name))
}

// CreateConnection makes a connection.
func (s *Service) CreateConnection(ctx context.Context, c Connection, auth Auth) (*Connection, error) {
	if err := connectionName.check(c.Name); err != nil {
		return nil, err
	}
	if err := checkDescription(c.Description); err != nil {
		return nil, err
	}
	c.ID, c.Created = id.UUID(), s.now()
	if err := s.authorize(&c, auth); err != nil {
		return nil, err
	}
	err := s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		have, err := there(tx, connectionKey(c.Name))
		if err != nil {
			return err
		}
		if have {
			return exists("Connection %s already exists.", c.Name)
		}
		return save(tx, connectionKey(c.Name), &c)
	})
	return &c, err
}

// authorize checks and seals a connection's parameters.
func (s *Service) authorize(c *Connection, a Auth) error {
	if err := checkAuth(c.Type, &a); err != nil {
		return err
	}
	plain, err := record.Marshal(&a)
	if err != nil {
		return err
	}
	c.Changed, c.Authorized = s.now(), s.now()
	if c.State = authorized; c.Type == OAuth {
		c.State = authorizing
	}
	c.Sealed, err = s.cfg.Vault.Seal(s.label(c), plain)
	return err
}

func (s *Service) label(c *Connection) string { return "bus " + s.connectionARN(c) }

func checkAuth(kind string, a *Auth) error {
	missing := func(what string) error { return invalid("%s must be specified for authorization type %s.", what, kind) }
	switch kind {
	case Basic:
		if a.Username == "" || a.Password == "" {
			return missing("BasicAuthParameters")
		}
	case APIKey:
		if a.KeyName == "" || a.KeyValue == "" {
			return missing("ApiKeyAuthParameters")
		}
	case OAuth:
		if a.ClientID == "" || a.ClientSecret == "" || a.Endpoint == "" {
			return missing("OAuthParameters")
		}
		if a.Method != "GET" && a.Method != "POST" && a.Method != "PUT" {
			return violates(clip(a.Method), "authParameters.oAuthParameters.httpMethod", "Member must satisfy enum value set: [GET, POST, PUT]")
		}
		if _, err := endpoint(a.Endpoint); err != nil {
			return err
		}
	default:
		return violates(clip(kind), "authorizationType", "Member must satisfy enum value set: [BASIC, OAUTH_CLIENT_CREDENTIALS, API_KEY]")
	}
	all := [][]Parameter{a.OAuth.Header, a.OAuth.Query, a.OAuth.Body}
	if a.HTTP != nil {
		all = append(all, a.HTTP.Header, a.HTTP.Query, a.HTTP.Body)
	}
	for _, list := range all {
		if len(list) > maxParameters {
			return invalid("A connection can have at most %d parameters of a kind.", maxParameters)
		}
		for _, p := range list {
			if p.Key == "" || len(p.Key) > 512 || len(p.Value) > 512 {
				return invalid("Parameters have keys of 1 to 512 characters and values of at most 512.")
			}
		}
	}
	return nil
}

// endpoint reads an address that requests are sent to.
func endpoint(s string) (*url.URL, *fault.Error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(s) > 2048 {
		return nil, invalid("Parameter endpoint is not valid. Reason: it must be an http or https URL of at most 2048 characters.")
	}
	return u, nil
}

// Connection gives a connection and its parameters.
func (s *Service) Connection(ctx context.Context, name string) (c *Connection, a Auth, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		c, err = load[Connection](r, connectionKey(name), noConnection(name))
		return err
	})
	if err != nil || c.Sealed == nil {
		return c, a, err
	}
	a, err = s.unseal(c)
	return c, a, err
}

func (s *Service) unseal(c *Connection) (a Auth, err error) {
	plain, err := s.cfg.Vault.Unseal(s.label(c), c.Sealed)
	if err != nil {
		return a, err
	}
	return a, record.Unmarshal(plain, &a)
}

// UpdateConnection alters a connection; fn changes its parameters, and is nil for none.
func (s *Service) UpdateConnection(ctx context.Context, name string, description *string, kind string, fn func(*Auth)) (c *Connection, err error) {
	if description != nil {
		if err := checkDescription(*description); err != nil {
			return nil, err
		}
	}
	return s.changeConnection(ctx, name, func(c *Connection) error {
		set(&c.Description, description)
		c.Changed = s.now()
		var a Auth
		if c.Sealed != nil {
			var err error
			if a, err = s.unseal(c); err != nil {
				return err
			}
		}
		if kind != "" {
			c.Type = kind
		}
		if fn != nil {
			fn(&a)
		}
		return s.authorize(c, a)
	})
}

func (s *Service) changeConnection(ctx context.Context, name string, fn func(*Connection) error) (c *Connection, err error) {
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		if c, err = load[Connection](tx, connectionKey(name), noConnection(name)); err != nil {
			return err
		}
		if err := fn(c); err != nil {
			return err
		}
		return save(tx, connectionKey(name), c)
	})
	s.tokens.forget(name)
	return c, err
}

// Deauthorize takes a connection's parameters away for good.
func (s *Service) Deauthorize(ctx context.Context, name string) (*Connection, error) {
	return s.changeConnection(ctx, name, func(c *Connection) error {
		c.State, c.Sealed, c.Changed = deauthorized, nil, s.now()
		return nil
	})
}

// DeleteConnection deletes a connection. Destinations that use it can't deliver any more.
func (s *Service) DeleteConnection(ctx context.Context, name string) (c *Connection, err error) {
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		if c, err = load[Connection](tx, connectionKey(name), noConnection(name)); err != nil {
			return err
		}
		return tx.Delete(connectionKey(name))
	})
	if err == nil {
		s.tokens.forget(name)
		c.State = deleting
	}
	return c, err
}

// Connections lists connections by name, those in a state if one is given.
func (s *Service) Connections(ctx context.Context, state string, q Listing) ([]*Connection, string, error) {
	keep := func(c *Connection) (string, bool) { return c.Name, state == "" || c.State == state }
	return walk[Connection]{"ListConnections " + state, below("connection"), connectionKey, keep}.list(ctx, s, q)
}
