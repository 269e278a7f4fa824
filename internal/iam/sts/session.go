package sts

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/iam"
	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
)

// Bounds of what a session is made with.
// Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const (
	leastLife      = 900
	maxPolicyText  = 2048 // of the policy and the ARNs together
	maxPolicyARNs  = 10
	maxTransitive  = 50
	defaultRole    = 3600
	longestRole    = 43200
	longestChained = 3600
	defaultUser    = 43200
	longestUser    = 129600
	longestRoot    = 3600
)

var (
	nameForm     = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]*$`)
	externalForm = regexp.MustCompile(`^[A-Za-z0-9_+=,.@:/-]*$`)
)

// wish is what a caller wants a session to be made with.
type wish struct {
	seconds    *int32
	policy     string
	policyARNs []string
	tags       []iam.Tag
	transitive []string
	source     string // the source identity
}

// within checks the length and the form of a text.
func within(text, member string, least, most int, form *regexp.Regexp) error {
	switch {
	case len(text) < least:
		return constraint(clip(text), member, "Member must have length greater than or equal to %d", least)
	case len(text) > most:
		return constraint(clip(text), member, "Member must have length less than or equal to %d", most)
	case !form.MatchString(text):
		return constraint(clip(text), member, "Member must satisfy regular expression pattern: %s", strings.Trim(form.String(), "^$"))
	}
	return nil
}

// life is how long a session shall live, checked against AWS's own bounds.
func (w *wish) life(usual, longest int) (time.Duration, error) {
	seconds := usual
	if w.seconds != nil {
		seconds = int(*w.seconds)
	}
	switch {
	case seconds < leastLife:
		return 0, constraint(seconds, "durationSeconds", "Member must have value greater than or equal to %d", leastLife)
	case seconds > longest:
		return 0, constraint(seconds, "durationSeconds", "Member must have value less than or equal to %d", longest)
	}
	return time.Duration(seconds) * time.Second, nil
}

// session checks a wish and makes what credentials carry of it.
func (s *Service) session(ctx context.Context, w *wish) (auth.Session, error) {
	var none auth.Session
	if err := s.checkPolicies(ctx, w); err != nil {
		return none, err
	}
	if err := iam.CheckTags(w.tags); err != nil {
		return none, validation("%w", err)
	}
	if len(w.transitive) > maxTransitive {
		return none, constraint(len(w.transitive), "transitiveTagKeys", "Member must have length less than or equal to %d", maxTransitive)
	}
	session := auth.Session{Policy: w.policy, PolicyARNs: w.policyARNs, SourceIdentity: w.source}
	if len(w.tags) > 0 {
		session.Tags = make(map[string]string, len(w.tags))
	}
	for _, t := range w.tags {
		session.Tags[t.Key] = t.Value
	}
	for _, key := range w.transitive {
		if _, ok := session.Tags[key]; !ok {
			return none, validation("Transitive tag key %s is not the key of a session tag.", clip(key))
		}
	}
	session.Transitive = w.transitive
	if w.source != "" {
		if err := within(w.source, "sourceIdentity", 2, 64, nameForm); err != nil {
			return none, err
		}
		if strings.HasPrefix(strings.ToLower(w.source), "aws:") {
			return none, validation("A source identity cannot begin with aws:.")
		}
	}
	return session, nil
}

// checkPolicies refuses session policies that are malformed, missing or too long.
func (s *Service) checkPolicies(ctx context.Context, w *wish) error {
	size := len([]rune(w.policy))
	for _, arn := range w.policyARNs {
		size += len(arn)
	}
	switch {
	case len(w.policyARNs) > maxPolicyARNs:
		return constraint(len(w.policyARNs), "policyArns", "Member must have length less than or equal to %d", maxPolicyARNs)
	case size > maxPolicyText:
		return constraint(size, "policy", "Member must have length less than or equal to %d", maxPolicyText)
	}
	if w.policy != "" {
		_, err := policy.Parse([]byte(w.policy), policy.Session)
		var bad *policy.MalformedError
		if errors.As(err, &bad) {
			return malformedPolicy("%s", bad.Reason)
		} else if err != nil {
			return err
		}
	}
	for _, arn := range w.policyARNs {
		if err := s.cfg.Identities.CheckManaged(ctx, arn); err != nil {
			return validation("Session policy %s is not a managed policy that is there.", clip(arn))
		}
	}
	return nil
}

// inherit takes over what goes on from the caller's session into the next one: its
// transitive tags and its source identity, which cannot be replaced.
func inherit(session *auth.Session, p auth.Principal) error {
	if p.Session == nil {
		return nil
	}
	for _, key := range p.Session.Transitive {
		for given := range session.Tags {
			if strings.EqualFold(given, key) {
				return validation("One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
			}
		}
		if session.Tags == nil {
			session.Tags = map[string]string{}
		}
		session.Tags[key] = p.Session.Tags[key]
		session.Transitive = append(slices.Clone(session.Transitive), key)
	}
	switch before := p.Session.SourceIdentity; {
	case before == "":
	case session.SourceIdentity == "" || session.SourceIdentity == before:
		session.SourceIdentity = before
	default:
		return denied("The source identity of the calling session cannot be changed.")
	}
	return nil
}

// setKeys sets the condition keys of what a session is to be made with.
func setKeys(k *policy.Keys, session *auth.Session) {
	for _, key := range slices.Sorted(maps.Keys(session.Tags)) {
		k.Set("aws:RequestTag/"+key, session.Tags[key])
	}
	k.Set("aws:TagKeys", slices.Sorted(maps.Keys(session.Tags))...)
	k.Set("sts:TransitiveTagKeys", session.Transitive...)
	if session.SourceIdentity != "" {
		k.Set("sts:SourceIdentity", session.SourceIdentity)
	}
}
