package function

import (
	"context"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// function reads a function.
func (s *Service) function(r store.Reader, name string) (*Function, error) {
	return loadOr[Function](r, functionKey(name), functionNotFound(s.arn(name, "")))
}

// latest reads a function and its $LATEST.
func (s *Service) latest(r store.Reader, name string) (*Function, *Version, error) {
	f, err := s.function(r, name)
	if err != nil {
		return nil, nil, err
	}
	v, err := load[Version](r, versionKey(name, 0))
	return f, v, err
}

// version reads the version that a name stands for.
func (s *Service) version(r store.Reader, n Name) (*Version, error) {
	missing := functionNotFound(s.arn(n.Function, n.Qualifier))
	num, ok := versionNumber(n.Qualifier)
	if !ok {
		a, err := loadOr[Alias](r, aliasKey(n.Function, n.Qualifier), missing)
		if err != nil {
			return nil, err
		}
		num = a.Version
	}
	return loadOr[Version](r, versionKey(n.Function, num), missing)
}

// checkThere says whether a name stands for something, with AWS's faults for
// what it doesn't.
func (s *Service) checkThere(r store.Reader, n Name) error {
	if _, err := s.function(r, n.Function); err != nil {
		return err
	}
	if num, ok := versionNumber(n.Qualifier); ok {
		_, err := loadOr[Version](r, versionKey(n.Function, num), functionNotFound(s.arn(n.Function, n.Qualifier)))
		return err
	}
	_, err := s.alias(r, n)
	return err
}

// List lists functions by name, $LATEST of each, or with everyVersion all
// versions.
func (s *Service) List(ctx context.Context, everyVersion bool, p Page) ([]Version, string, error) {
	var list []Version
	var next string
	err := s.cfg.Store.View(ctx, func(r store.Reader) (err error) {
		if everyVersion {
			list, next, err = scan(r, below("version"), "functions-all", p, func(Version) bool { return true })
			return err
		}
		functions, after, err := scan(r, below("fn"), "functions", p, func(Function) bool { return true })
		if err != nil {
			return err
		}
		next = after
		for _, f := range functions {
			v, err := load[Version](r, versionKey(f.Name, 0))
			if err != nil {
				return err
			}
			list = append(list, *v)
		}
		return nil
	})
	return list, next, err
}
