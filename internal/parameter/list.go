package parameter

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/page"
	"github.com/mayfly-cloud/mayfly/internal/record"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Query says which parameters are listed.
type Query struct {
	Filters []Filter
	Limit   int
	Token   string
}

// List gives parameters in order of their names, and the token for more.
func (s *Service) List(ctx context.Context, q Query) (list []*Parameter, token string, err error) {
	if err := checkFilters(q.Filters, describable); err != nil {
		return nil, "", err
	}
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		list, token, err = walk(r, "DescribeParameters", "", q, func(p *Parameter) bool { return matchAll(q.Filters, p) })
		return err
	})
	return list, token, err
}

// ByPath gives the parameters below a path, at its own level only or, recursively,
// at all, and the token for more. With a filter by label the versions that have it
// are given, else the newest.
func (s *Service) ByPath(ctx context.Context, path string, recursive, decrypt bool, q Query) (list []*Value, token string, err error) {
	found, token, err := s.findByPath(ctx, path, recursive, q)
	if err != nil {
		return nil, "", err
	}
	for _, f := range found {
		value, err := s.reveal(ctx, f.Parameter, f.Version, decrypt)
		if err != nil {
			return nil, "", err
		}
		list = append(list, value)
	}
	return list, token, nil
}

// found is a parameter and the version of it that was looked for.
type found struct {
	*Parameter
	*Version
}

func (s *Service) findByPath(ctx context.Context, path string, recursive bool, q Query) (list []found, token string, err error) {
	within, err := hierarchy(path)
	if err != nil {
		return nil, "", err
	}
	if err := checkFilters(q.Filters, pathable); err != nil {
		return nil, "", err
	}
	wanted := func(p *Parameter) bool {
		return (recursive || !strings.Contains(p.Path[len(within):], "/")) && matchAll(q.Filters, p)
	}
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		list = nil
		heads, next, err := walk(r, "GetParametersByPath "+within, within, q, wanted)
		if err != nil {
			return err
		}
		token = next
		for _, p := range heads {
			v, err := load[Version](r, versionKey(p.Path, labelled(q.Filters, p)), nil)
			if err != nil {
				return err
			}
			list = append(list, found{p, v})
		}
		return nil
	})
	return list, token, err
}

// walk reads a page of the parameters whose paths begin with a text.
func walk(r store.Reader, listing, begin string, q Query, wanted func(*Parameter) bool) (list []*Parameter, token string, err error) {
	after, err := page.After(listing, q.Token)
	if err != nil {
		return nil, "", errToken
	}
	within := below(begin)
	if after != "" {
		if !strings.HasPrefix(after, begin) {
			return nil, "", errToken
		}
		within.Start = append(headKey(after), 0)
	}
	for p, err := range scan[Parameter](r, within) {
		if err != nil {
			return nil, "", err
		}
		if !wanted(p) {
			continue
		}
		if len(list) == q.Limit {
			return list, page.Token(listing, list[len(list)-1].Path), nil
		}
		list = append(list, p)
	}
	return list, "", nil
}

// scan reads the records of a range in order. An error is its last element.
func scan[T any](r store.Reader, within store.Range) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for p, err := range r.Scan(within) {
			v := new(T)
			if err == nil {
				err = record.Unmarshal(p.Value, v)
			}
			if err != nil {
				yield(nil, fmt.Errorf("scan %T: %w", *v, err))
				return
			}
			if !yield(v, nil) {
				return
			}
		}
	}
}
