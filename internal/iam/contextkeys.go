package iam

import (
	"context"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/store"
)

// variableForm is a policy variable: ${aws:username}, with or without a default.
var variableForm = regexp.MustCompile(`\$\{([A-Za-z0-9-]+:[^},]+?)\s*(,[^}]*)?\}`)

// contextKeys names the condition keys that policies refer to.
func contextKeys(docs []string) ([]string, error) {
	found := map[string]string{} // by their names in lower case
	for _, doc := range docs {
		var v struct{ Statement json.RawMessage }
		if err := json.Unmarshal([]byte(doc), &v); err != nil {
			return nil, invalidInput("A policy is not JSON.")
		}
		for _, m := range variableForm.FindAllStringSubmatch(doc, -1) {
			found[fold(m[1])] = m[1]
		}
		for _, st := range statements(v.Statement) {
			for _, keys := range st.Condition {
				for k := range keys {
					found[fold(k)] = k
				}
			}
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b string) int { return strings.Compare(fold(a), fold(b)) }), nil
}

type conditioned struct {
	Condition map[string]map[string]json.RawMessage
}

// statements reads one statement or a list of them.
func statements(raw json.RawMessage) []conditioned {
	var many []conditioned
	if json.Unmarshal(raw, &many) == nil {
		return many
	}
	var one conditioned
	if json.Unmarshal(raw, &one) == nil {
		return []conditioned{one}
	}
	return nil
}

// documentsOf gives all policies of a user, group or role, by its ARN.
func (s *Service) documentsOf(ctx context.Context, arn string) ([]string, error) {
	var e *Entity
	err := s.cfg.Store.View(ctx, func(r store.Reader) (err error) {
		e, err = s.source(r, arn)
		return err
	})
	if err != nil {
		return nil, err
	}
	var docs []string
	for _, d := range e.Inline {
		docs = append(docs, d)
	}
	for _, arn := range e.Attached {
		p, err := s.policy(ctx, arn)
		if err != nil {
			return nil, err
		}
		v, err := s.version(ctx, arn, VersionID(p.Default))
		if err != nil {
			return nil, err
		}
		docs = append(docs, v.Document)
	}
	return docs, nil
}
