package function

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/arn"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Layer is what there is one of for all versions of a layer.
type Layer struct {
	Name string
	// Published is the number of the last version; numbers are not used again.
	Published uint64
}

// LayerVersion is a package that functions can put into /opt. It never changes.
type LayerVersion struct {
	Layer, Description, License string
	Number                      uint64
	Runtimes, Architectures     []string // those it says it is made for
	Package                     Package
	Created                     time.Time
}

// LayerCreation is a request for another version of a layer.
type LayerCreation struct {
	Name, Description, License string
	Runtimes, Architectures    []string
	Source                     Source
}

var (
	layerNameForm = regexp.MustCompile(`^[a-zA-Z0-9-_]+$`)
	layerARNForm  = regexp.MustCompile(`^arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+$`)
)

const maxLayerName = 140

// parseLayer reads a layer's name or ARN.
func (s *Service) parseLayer(layer string) (string, error) {
	name := layer
	if a, err := arn.Parse(layer); err == nil && a.Service == "lambda" && a.Account == s.cfg.Account && a.Region == s.cfg.Region {
		name = strings.TrimPrefix(a.Resource, "layer:")
	}
	if len(name) > maxLayerName || !layerNameForm.MatchString(name) {
		return "", violates(clip(layer), "layerName", `Member must satisfy regular expression pattern: (arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+`)
	}
	return name, nil
}

// layerARN is a layer's ARN, or with n that of its version.
func (s *Service) layerARN(name string, n uint64) string {
	resource := "layer:" + name
	if n > 0 {
		resource += ":" + strconv.FormatUint(n, 10)
	}
	return arn.New("lambda", s.cfg.Region, s.cfg.Account, resource).String()
}

// PublishLayer makes another version of a layer. As with Create, the package is
// kept first, and a crash leaves at worst one for Sweep.
func (s *Service) PublishLayer(ctx context.Context, c LayerCreation) (*LayerVersion, error) {
	name, err := s.parseLayer(c.Name)
	if err != nil {
		return nil, err
	}
	if err := shorter(c.Description, "description", maxDescription); err != nil {
		return nil, err
	}
	if err := shorter(c.License, "licenseInfo", 512); err != nil {
		return nil, err
	}
	if len(c.Runtimes) > 15 || len(c.Architectures) > 2 {
		return nil, invalid("A layer version has at most 15 compatible runtimes and 2 compatible architectures.")
	}
	u, err := s.receive(ctx, c.Source)
	if err != nil {
		return nil, err
	}
	defer u.close()
	v := &LayerVersion{
		Layer: name, Description: c.Description, License: c.License,
		Runtimes: c.Runtimes, Architectures: c.Architectures, Package: u.pkg, Created: s.cfg.Clock.Now().UTC(),
	}
	err = s.keep(ctx, u, func(tx store.Tx) error {
		l, err := load[Layer](tx, layerKey(name))
		if errors.Is(err, store.ErrNotFound) {
			l = &Layer{Name: name}
		} else if err != nil {
			return err
		}
		l.Published++
		v.Number = l.Published
		if err := s.use(tx, v.Package, owner{kindLayer, name, v.Number}); err != nil {
			return err
		}
		if err := save(tx, layerVersionKey(name, v.Number), v); err != nil {
			return err
		}
		return save(tx, layerKey(name), l)
	})
	return v, err
}

// LayerVersion gives one version of a layer.
func (s *Service) LayerVersion(ctx context.Context, layer string, n int64) (*LayerVersion, error) {
	name, err := s.parseLayer(layer)
	if err != nil {
		return nil, err
	}
	if n < 1 {
		return nil, invalid("Layer Version Cannot be less than 1.")
	}
	var v *LayerVersion
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		v, err = loadOr[LayerVersion](r, layerVersionKey(name, uint64(n)), noSuchResource())
		return err
	})
	return v, err
}

// LayerVersionByARN gives the version that an ARN names.
func (s *Service) LayerVersionByARN(ctx context.Context, a string) (*LayerVersion, error) {
	name, n, err := s.parseLayerVersion(a)
	if err != nil {
		return nil, err
	}
	return s.LayerVersion(ctx, name, n)
}

// parseLayerVersion reads the ARN of a layer's version.
func (s *Service) parseLayerVersion(text string) (name string, n int64, err error) {
	a, err := arn.Parse(text)
	if err != nil || !layerARNForm.MatchString(text) {
		return "", 0, violates(clip(text), "arn", `Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:[a-z]{2}((-gov)|(-iso(b?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)`)
	}
	rest := strings.TrimPrefix(a.Resource, "layer:")
	name, num, _ := strings.Cut(rest, ":")
	if n, err = strconv.ParseInt(num, 10, 64); err != nil || a.Region != s.cfg.Region || a.Account != s.cfg.Account {
		return "", 0, invalid("Layer version %s does not exist.", text)
	}
	return name, n, nil
}

// layers finds the layers that a function is to have.
func (s *Service) layers(r store.Reader, arns []string) ([]LayerUse, error) {
	if len(arns) > maxLayers {
		return nil, invalid("Layers consists of more than %d layers.", maxLayers)
	}
	seen := map[string]string{}
	var uses []LayerUse
	for _, text := range arns {
		name, n, err := s.parseLayerVersion(text)
		if err != nil {
			return nil, err
		}
		if other, twice := seen[name]; twice {
			return nil, invalid("Two different versions of the same layer are not allowed to be referenced in the same function. %s and %s versions found.", other, text)
		}
		seen[name] = text
		if n < 1 {
			return nil, invalid("Layer version %s does not exist.", text)
		}
		v, err := loadOr[LayerVersion](r, layerVersionKey(name, uint64(n)), invalid("Layer version %s does not exist.", text))
		if err != nil {
			return nil, err
		}
		uses = append(uses, LayerUse{ARN: s.layerARN(name, v.Number), Package: v.Package.Digest, Bytes: v.Package.Bytes, Unpacked: v.Package.Unpacked})
	}
	return uses, nil
}

// LayerFilter narrows a listing to what is made for a runtime and architecture;
// empty takes all.
type LayerFilter struct{ Runtime, Architecture string }

func (f LayerFilter) keep(v LayerVersion) bool {
	return (f.Runtime == "" || slices.Contains(v.Runtimes, f.Runtime)) &&
		(f.Architecture == "" || slices.Contains(v.Architectures, f.Architecture))
}

// LayerVersions lists a layer's versions, the newest first.
func (s *Service) LayerVersions(ctx context.Context, layer string, f LayerFilter, p Page) ([]LayerVersion, string, error) {
	name, err := s.parseLayer(layer)
	if err != nil {
		return nil, "", err
	}
	var list []LayerVersion
	var next string
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		list, next, err = scanDown(r, below("lversion", name), "layer-versions", p, f.keep)
		return err
	})
	return list, next, err
}

// Layers lists layers by name, each by its newest version that the filter
// takes; layers without one are left out.
func (s *Service) Layers(ctx context.Context, f LayerFilter, p Page) ([]LayerVersion, string, error) {
	var list []LayerVersion
	var next string
	err := s.cfg.Store.View(ctx, func(r store.Reader) error {
		newest := func(l Layer) (*LayerVersion, error) {
			versions, _, err := scanDown(r, below("lversion", l.Name), "", Page{Max: 1}, f.keep)
			if err != nil || len(versions) == 0 {
				return nil, err
			}
			return &versions[0], nil
		}
		var failed error
		_, after, err := scan(r, below("layer"), "layers", p, func(l Layer) bool {
			v, err := newest(l)
			if err != nil || v == nil {
				failed = errors.Join(failed, err)
				return false
			}
			if len(list) < p.limit() {
				list = append(list, *v)
			}
			return true
		})
		next = after
		return errors.Join(failed, err)
	})
	return list, next, err
}

// DeleteLayerVersion deletes a version. Functions that have it keep it. One that
// is not there is no error. The layer's numbers go on.
func (s *Service) DeleteLayerVersion(ctx context.Context, layer string, n int64) error {
	name, err := s.parseLayer(layer)
	if err != nil {
		return err
	}
	if n < 1 {
		return invalid("Layer Version Cannot be less than 1.")
	}
	num := uint64(n)
	// One transaction: version, policy and the use of the package go together.
	return s.change(ctx, func(tx store.Tx) error {
		v, err := load[LayerVersion](tx, layerVersionKey(name, num))
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.drop(tx, v.Package.Digest, owner{kindLayer, name, num}); err != nil {
			return err
		}
		if err := tx.Delete(layerPolicyKey(name, num)); err != nil {
			return err
		}
		return tx.Delete(layerVersionKey(name, num))
	})
}

// AddLayerPermission adds a statement to the policy of a layer's version and
// gives the policy's new revision.
func (s *Service) AddLayerPermission(ctx context.Context, layer string, n int64, p Permission) (*Statement, string, error) {
	v, err := s.LayerVersion(ctx, layer, n)
	if err != nil {
		return nil, "", err
	}
	if p.Action != "lambda:GetLayerVersion" {
		return nil, "", violates(clip(p.Action), "action", "Member must satisfy regular expression pattern: lambda:GetLayerVersion")
	}
	st, err := p.statement(s.layerARN(v.Layer, v.Number))
	if err != nil {
		return nil, "", err
	}
	key := layerPolicyKey(v.Layer, v.Number)
	var revision string
	err = s.change(ctx, func(tx store.Tx) error {
		if err := addStatement(tx, key, *st, p.Revision); err != nil {
			return err
		}
		policy, err := load[Policy](tx, key)
		if err == nil {
			revision = policy.Revision
		}
		return err
	})
	return st, revision, err
}

// RemoveLayerPermission takes a statement away.
func (s *Service) RemoveLayerPermission(ctx context.Context, layer string, n int64, sid, revision string) error {
	v, err := s.LayerVersion(ctx, layer, n)
	if err != nil {
		return err
	}
	return s.change(ctx, func(tx store.Tx) error {
		return removeStatement(tx, layerPolicyKey(v.Layer, v.Number), sid, revision)
	})
}

// LayerPolicy gives the policy of a layer's version.
func (s *Service) LayerPolicy(ctx context.Context, layer string, n int64) (*Policy, error) {
	v, err := s.LayerVersion(ctx, layer, n)
	if err != nil {
		return nil, err
	}
	var p *Policy
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		p, err = loadOr[Policy](r, layerPolicyKey(v.Layer, v.Number), noSuchResource())
		return err
	})
	return p, err
}
