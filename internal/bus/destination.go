package bus

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Destination is an HTTP endpoint that events are sent to.
type Destination struct {
	Name, Description, ID string // ID ends its ARN
	ConnectionARN         string
	Endpoint, Method      string
	Rate                  int // requests a second
	Created, Changed      time.Time
}

const defaultRate, maxRate = 300, 300

var methods = []string{"POST", "GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"}

func (s *Service) destinationARN(d *Destination) string {
	return s.arn("api-destination/" + d.Name + "/" + d.ID)
}

func noDestination(name string) error {
	return notFound("Failed to describe the api-destination(s). An api-destination '%s' does not exist.", clip(name))
}

// CreateDestination makes a destination.
func (s *Service) CreateDestination(ctx context.Context, d Destination) (*Destination, error) {
	if err := destinationName.check(d.Name); err != nil {
		return nil, err
	}
	if d.Rate == 0 {
		d.Rate = defaultRate
	}
	d.ID, d.Created, d.Changed = id.UUID(), s.now(), s.now()
	err := s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		have, err := there(tx, destinationKey(d.Name))
		if err != nil {
			return err
		}
		if have {
			return exists("An api-destination '%s' already exists.", d.Name)
		}
		if err := s.checkDestination(tx, &d); err != nil {
			return err
		}
		return save(tx, destinationKey(d.Name), &d)
	})
	return &d, err
}

func (s *Service) checkDestination(r store.Reader, d *Destination) error {
	if err := checkDescription(d.Description); err != nil {
		return err
	}
	if d.Rate < 1 || d.Rate > maxRate {
		return violates(d.Rate, "invocationRateLimitPerSecond", "Member must have a value between 1 and 300")
	}
	if !slices.Contains(methods, d.Method) {
		return violates(clip(d.Method), "httpMethod", "Member must satisfy enum value set: [POST, GET, HEAD, OPTIONS, PUT, PATCH, DELETE]")
	}
	if _, err := endpoint(strings.ReplaceAll(d.Endpoint, "*", "x")); err != nil {
		return err
	}
	_, err := s.connectionOf(r, d.ConnectionARN)
	return err
}

// connectionOf reads the connection that an ARN means.
func (s *Service) connectionOf(r store.Reader, ref string) (*Connection, error) {
	rest, _ := s.own(ref, "connection/")
	name, _, _ := strings.Cut(rest, "/")
	c, err := load[Connection](r, connectionKey(name), errNone)
	if err == errNone || err == nil && s.connectionARN(c) != ref {
		return nil, notFound("Connection '%s' does not exist.", clip(ref))
	}
	return c, err
}

// Destination gives a destination.
func (s *Service) Destination(ctx context.Context, name string) (d *Destination, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		d, err = load[Destination](r, destinationKey(name), noDestination(name))
		return err
	})
	return d, err
}

// UpdateDestination alters a destination.
func (s *Service) UpdateDestination(ctx context.Context, name string, fn func(*Destination)) (d *Destination, err error) {
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		if d, err = load[Destination](tx, destinationKey(name), noDestination(name)); err != nil {
			return err
		}
		fn(d)
		d.Changed = s.now()
		if err := s.checkDestination(tx, d); err != nil {
			return err
		}
		return save(tx, destinationKey(name), d)
	})
	return d, err
}

// DeleteDestination deletes a destination; deliveries to it fail from then on.
func (s *Service) DeleteDestination(ctx context.Context, name string) error {
	return s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		if _, err := load[Destination](tx, destinationKey(name), noDestination(name)); err != nil {
			return err
		}
		return tx.Delete(destinationKey(name))
	})
}

// Destinations lists destinations by name, those of a connection if one is given.
func (s *Service) Destinations(ctx context.Context, connectionARN string, q Listing) ([]*Destination, string, error) {
	keep := func(d *Destination) (string, bool) {
		return d.Name, connectionARN == "" || d.ConnectionARN == connectionARN
	}
	return walk[Destination]{"ListApiDestinations " + connectionARN, below("destination"), destinationKey, keep}.list(ctx, s, q)
}
