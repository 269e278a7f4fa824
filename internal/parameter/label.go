package parameter

import (
	"context"
	"slices"
	"strconv"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// maxLabels is how many labels a version may have.
const maxLabels = 10

// version is the number of the version that a selector means: "" is the newest.
func (p *Parameter) version(selector string) (int64, error) {
	if selector == "" {
		return p.Newest.Version, nil
	}
	if n, err := strconv.ParseInt(selector, 10, 64); err == nil {
		return p.there(n)
	}
	n, ok := p.Labels[selector]
	if !ok {
		return 0, versionNotFound(selector, p.Name)
	}
	return n, nil
}

// there refuses the number of a version that is not kept.
func (p *Parameter) there(n int64) (int64, error) {
	if n < p.Oldest || n > p.Newest.Version {
		return 0, versionNotFound(strconv.FormatInt(n, 10), p.Name)
	}
	return n, nil
}

// labelsOf lists the labels of a version in order.
func (p *Parameter) labelsOf(version int64) []string {
	list := []string{}
	for label, n := range p.Labels {
		if n == version {
			list = append(list, label)
		}
	}
	slices.Sort(list)
	return list
}

// Label attaches labels to a version, 0 for the newest, taking them from others. It
// gives those that are no labels, and the version. A crash leaves all the labels
// where they were, or where they go.
func (s *Service) Label(ctx context.Context, text string, version int64, labels []string) (bad []string, at int64, err error) {
	err = s.relabel(ctx, text, labels, func(p *Parameter) error {
		bad = []string{}
		if at = p.Newest.Version; version != 0 {
			if at, err = p.there(version); err != nil {
				return err
			}
		}
		for _, l := range labels {
			if isLabel(l) {
				p.Labels[l] = at
			} else {
				bad = append(bad, l)
			}
		}
		if len(p.labelsOf(at)) > maxLabels {
			return refuse("ParameterVersionLabelLimitExceeded", "An error occurred (ParameterVersionLabelLimitExceeded): "+
				"A parameter version can have maximum %d labels. Move one or more labels to another version and try again.", maxLabels)
		}
		return nil
	})
	return bad, at, err
}

// Unlabel takes labels from a version. It gives those taken, and those it had not.
func (s *Service) Unlabel(ctx context.Context, text string, version int64, labels []string) (removed, bad []string, err error) {
	err = s.relabel(ctx, text, labels, func(p *Parameter) error {
		removed, bad = []string{}, []string{}
		if _, err := p.there(version); err != nil {
			return err
		}
		for _, l := range labels {
			if n, ok := p.Labels[l]; ok && n == version {
				delete(p.Labels, l)
				removed = append(removed, l)
			} else {
				bad = append(bad, l)
			}
		}
		return nil
	})
	return removed, bad, err
}

func (s *Service) relabel(ctx context.Context, text string, labels []string, fn func(*Parameter) error) error {
	n, err := s.parse(text)
	if err != nil {
		return err
	}
	if len(labels) < 1 || len(labels) > maxLabels {
		return violates(len(labels), "labels", "Member must have length between 1 and 10")
	}
	return s.change(ctx, n.path, errNotFound, fn)
}

// change alters a parameter's record in one transaction.
func (s *Service) change(ctx context.Context, path string, missing error, fn func(*Parameter) error) error {
	return s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		p, err := load[Parameter](tx, headKey(path), missing)
		if err != nil {
			return err
		}
		if p.Labels == nil {
			p.Labels = map[string]int64{}
		}
		if err := fn(p); err != nil {
			return err
		}
		return save(tx, headKey(path), p)
	})
}
