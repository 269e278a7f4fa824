package parameter

import (
	"slices"
	"strings"
)

// Filter is one condition of a listing; a parameter must meet all of them, each with
// any of its values.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterStringFilter.html
type Filter struct {
	Key, Option string
	Values      []string
}

// options are what a filter's key can be compared by; the first is the usual one.
type options map[string][]string

var (
	equality = []string{"Equals", "BeginsWith"}

	describable = options{
		"Name": {"Equals", "BeginsWith", "Contains"}, "Type": equality, "KeyId": equality, "Tier": equality,
		"DataType": equality, "tag": equality, "Path": {"OneLevel", "Recursive"},
	}
	pathable = options{"Type": equality, "KeyId": equality, "Label": {"Equals"}}
)

const maxFilterValues = 50

// kind is the part of a key that says what is compared: tag of tag:Stage.
func (f *Filter) kind() string {
	if strings.HasPrefix(f.Key, "tag:") {
		return "tag"
	}
	return f.Key
}

// checkFilters checks filters, and completes their options.
func checkFilters(list []Filter, known options) error {
	seen := map[string]bool{}
	for i := range list {
		f := &list[i]
		allowed, ok := known[f.kind()]
		switch {
		case !ok || f.Key == "tag" || f.Key == "tag:":
			return refuse("InvalidFilterKey", "The following filter key is not valid: %s.", clip(f.Key))
		case seen[f.Key]:
			return refuse("InvalidFilterKey", "The following filter is duplicated in the request: %s. A request can contain only one occurrence of a specific filter.", clip(f.Key))
		}
		seen[f.Key] = true
		if f.Option == "" {
			f.Option = allowed[0]
		}
		if !slices.Contains(allowed, f.Option) {
			return refuse("InvalidFilterOption", "The following filter option is not valid: %s. Valid options include: %s.", clip(f.Option), strings.Join(allowed, ", "))
		}
		if n := len(f.Values); n > maxFilterValues || n == 0 && f.kind() != "tag" {
			return refuse("InvalidFilterValue", "The filter %s has %d values; it must have 1 to %d.", clip(f.Key), n, maxFilterValues)
		}
		for j, v := range f.Values {
			if f.Key != "Path" {
				continue
			}
			path, err := hierarchy(v)
			if err != nil {
				return err
			}
			f.Values = slices.Clone(f.Values)
			f.Values[j] = "/" + path
		}
	}
	return nil
}

func matchAll(list []Filter, p *Parameter) bool {
	for i := range list {
		if !list[i].match(p) {
			return false
		}
	}
	return true
}

func (f *Filter) match(p *Parameter) bool {
	switch f.kind() {
	case "Name":
		return f.compare(p.Name) || f.compare(p.Path) || f.compare("/"+p.Path)
	case "Type":
		return f.compare(string(p.Kind))
	case "KeyId":
		return p.Kind == SecureString && f.compare(p.Newest.KeyID)
	case "Tier":
		return f.compare(string(p.Newest.Tier))
	case "DataType":
		return f.compare(p.Newest.DataType)
	case "Label":
		return labelled([]Filter{*f}, p) != 0
	case "tag":
		v, ok := p.Tags[strings.TrimPrefix(f.Key, "tag:")]
		return ok && (len(f.Values) == 0 || f.compare(v))
	case "Path":
		return slices.ContainsFunc(f.Values, func(within string) bool {
			rest, ok := strings.CutPrefix("/"+p.Path, within)
			return ok && (f.Option == "Recursive" || !strings.Contains(rest, "/"))
		})
	}
	return false
}

func (f *Filter) compare(have string) bool {
	return slices.ContainsFunc(f.Values, func(want string) bool {
		switch f.Option {
		case "BeginsWith":
			return strings.HasPrefix(have, want)
		case "Contains":
			return strings.Contains(have, want)
		}
		return have == want
	})
}

// labelled is the version that filters ask for: the newest with one of the labels
// they name, 0 where there is none; the newest of all where they name no labels.
func labelled(list []Filter, p *Parameter) int64 {
	for i := range list {
		if list[i].Key != "Label" {
			continue
		}
		var newest int64
		for _, label := range list[i].Values {
			newest = max(newest, p.Labels[label])
		}
		return newest
	}
	return p.Newest.Version
}
