package function

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Alias is a name for a version, or for two with weights.
type Alias struct {
	Function, Name, Description string
	Version                     uint64
	// Other is a second version that gets Weight (0 to 1) of the calls; with no
	// weight there is none.
	Other    uint64
	Weight   float64
	Revision string
}

// AliasChange is a partial change of an alias: what is nil stays as it is.
type AliasChange struct {
	Version, Description *string
	// Weights of further versions, by number: at most one. An empty map takes
	// the second version away.
	Weights map[string]float64
	// Revision, where not empty, must be the alias's.
	Revision string
}

var aliasForm = regexp.MustCompile(`^[a-zA-Z0-9-_]+$`)

func checkAliasName(name string) error {
	if err := shorter(name, "name", maxQualifier); err != nil {
		return err
	}
	if !aliasForm.MatchString(name) || strings.Trim(name, "0123456789") == "" {
		return violates(clip(name), "name", `Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)`)
	}
	return nil
}

// CreateAlias makes an alias. A crash leaves it whole or not at all, as with all
// of an alias's changes: each is one transaction.
func (s *Service) CreateAlias(ctx context.Context, function, alias string, c AliasChange) (*Alias, error) {
	name, err := s.parseUnqualified(function)
	if err != nil {
		return nil, err
	}
	if err := checkAliasName(alias); err != nil {
		return nil, err
	}
	a := &Alias{Function: name, Name: alias}
	err = s.change(ctx, func(tx store.Tx) error {
		if _, err := s.function(tx, name); err != nil {
			return err
		}
		there, err := exists(tx, aliasKey(name, alias))
		if err != nil {
			return err
		}
		if there {
			return conflict("Alias already exists: %s", s.arn(name, alias))
		}
		return s.setAlias(tx, a, c)
	})
	return a, err
}

// UpdateAlias changes an alias.
func (s *Service) UpdateAlias(ctx context.Context, function, alias string, c AliasChange) (*Alias, error) {
	name, err := s.parseUnqualified(function)
	if err != nil {
		return nil, err
	}
	var a *Alias
	err = s.change(ctx, func(tx store.Tx) error {
		if _, err := s.function(tx, name); err != nil {
			return err
		}
		if a, err = s.alias(tx, Name{name, alias}); err != nil {
			return err
		}
		if c.Revision != "" && c.Revision != a.Revision {
			return stale("GetAlias")
		}
		return s.setAlias(tx, a, c)
	})
	if err != nil {
		return nil, err
	}
	s.provision(ctx) // the alias may hold environments of another version now
	return a, nil
}

// setAlias applies a change and writes the alias.
func (s *Service) setAlias(tx store.Tx, a *Alias, c AliasChange) error {
	if c.Version != nil {
		n, err := s.aliased(tx, a.Function, *c.Version)
		if err != nil {
			return err
		}
		a.Version = n
	}
	if c.Description != nil {
		if err := shorter(*c.Description, "description", maxDescription); err != nil {
			return err
		}
		a.Description = *c.Description
	}
	if c.Weights != nil {
		if err := s.setWeights(tx, a, c.Weights); err != nil {
			return err
		}
	}
	if a.Other == a.Version && a.Weight > 0 {
		return invalid("Invalid function version %d. Function version %d is already included in routing configuration.", a.Other, a.Other)
	}
	if a.Version == 0 && a.Weight > 0 {
		return invalid("$LATEST is not supported for an alias pointing to more than 1 version")
	}
	a.Revision = id.UUID()
	return save(tx, aliasKey(a.Function, a.Name), a)
}

func (s *Service) setWeights(tx store.Tx, a *Alias, weights map[string]float64) error {
	a.Other, a.Weight = 0, 0
	if len(weights) > 1 {
		return invalid("Number of items in AdditionalVersionWeights cannot be greater than 1. Given AdditionalVersionWeights: %v",
			slices.Sorted(maps.Keys(weights)))
	}
	for v, w := range weights {
		if !(w >= 0 && w <= 1) { // NaN is neither
			return violates(fmt.Sprintf("{%s=%v}", clip(v), w), "routingConfig.additionalVersionWeights",
				"Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0]")
		}
		n, err := s.aliased(tx, a.Function, v)
		if err != nil {
			return err
		}
		if n == 0 {
			return invalid("$LATEST is not supported for an alias pointing to more than 1 version")
		}
		a.Other, a.Weight = n, w
	}
	return nil
}

// aliased checks a version that an alias is to point to.
func (s *Service) aliased(r store.Reader, name, version string) (uint64, error) {
	n, ok := versionNumber(version)
	if !ok || version == "" {
		return 0, violates(clip(version), "functionVersion", `Member must satisfy regular expression pattern: (\$LATEST|[0-9]+)`)
	}
	there, err := exists(r, versionKey(name, n))
	if err == nil && !there {
		err = functionNotFound(s.arn(name, version))
	}
	return n, err
}

// alias reads an alias.
func (s *Service) alias(r store.Reader, n Name) (*Alias, error) {
	return loadOr[Alias](r, aliasKey(n.Function, n.Qualifier), notFound("Cannot find alias arn: %s", s.arn(n.Function, n.Qualifier)))
}

// Alias gives one alias.
func (s *Service) Alias(ctx context.Context, function, alias string) (*Alias, error) {
	name, err := s.parseUnqualified(function)
	if err != nil {
		return nil, err
	}
	var a *Alias
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		if _, err := s.function(r, name); err != nil {
			return err
		}
		a, err = s.alias(r, Name{name, alias})
		return err
	})
	return a, err
}

// Aliases lists a function's aliases by name; version, where not empty, narrows
// them to those that point to it.
func (s *Service) Aliases(ctx context.Context, function, version string, p Page) ([]Alias, string, error) {
	name, err := s.parseUnqualified(function)
	if err != nil {
		return nil, "", err
	}
	var list []Alias
	var next string
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		if _, err := s.function(r, name); err != nil {
			return err
		}
		list, next, err = scan(r, below("alias", name), "aliases-"+version, p, func(a Alias) bool {
			return version == "" || number(a.Version) == version || a.Weight > 0 && number(a.Other) == version
		})
		return err
	})
	return list, next, err
}

// DeleteAlias deletes an alias and what was set about it. One that is not there
// is no error, as with AWS.
func (s *Service) DeleteAlias(ctx context.Context, function, alias string) error {
	name, err := s.parseUnqualified(function)
	if err != nil {
		return err
	}
	err = s.change(ctx, func(tx store.Tx) error {
		if _, err := s.function(tx, name); err != nil {
			return err
		}
		if err := dropURL(tx, name, alias); err != nil {
			return err
		}
		for _, key := range [][]byte{
			aliasKey(name, alias), policyKey(name, alias), asyncKey(name, alias), provisionKey(name, alias),
		} {
			if err := tx.Delete(key); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.provision(ctx)
	return nil
}

// checkNotAliased refuses to delete a version that an alias points to.
func checkNotAliased(r store.Reader, name string, n uint64) error {
	var names []string
	err := all(r, below("alias", name), func(_ []byte, a *Alias) error {
		if a.Version == n || a.Weight > 0 && a.Other == n {
			names = append(names, a.Name)
		}
		return nil
	})
	if err == nil && len(names) > 0 {
		err = conflict("Unable to delete version because the following aliases reference it: [%s]", strings.Join(names, ", "))
	}
	return err
}

// dropURL deletes the function URL of a qualifier, if there is one.
func dropURL(tx store.Tx, name, qualifier string) error {
	u, err := load[URL](tx, urlKey(name, qualifier))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := tx.Delete(hostKey(u.ID)); err != nil {
		return err
	}
	return tx.Delete(urlKey(name, qualifier))
}
