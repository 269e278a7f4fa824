package bus

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
)

// maxPolicy is the longest policy of a bus.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
const maxPolicy = 10240

// Permission is one statement of a bus's policy, as PutPermission takes it.
type Permission struct {
	Sid, Principal, Action string
	// Organization is the condition that the caller's account is in one; "" for none.
	Organization string
}

// policyDocument is a bus's policy; statements stay as they were written.
type policyDocument struct {
	Version   string
	Statement []json.RawMessage
}

type statement struct {
	Sid       string
	Effect    string
	Principal any
	Action    string
	Resource  string
	Condition any `json:",omitempty"`
}

// Permit adds a statement to a bus's policy, in place of one with the same id.
func (s *Service) Permit(ctx context.Context, ref string, p Permission) error {
	if err := statementID.check(p.Sid); err != nil {
		return err
	}
	if p.Action != "events:PutEvents" {
		return violates(clip(p.Action), "action", "Member must satisfy regular expression pattern: events:PutEvents")
	}
	name, err := s.bus(ref)
	if err != nil {
		return err
	}
	st := statement{Sid: p.Sid, Effect: "Allow", Principal: "*", Action: p.Action, Resource: s.busARN(name)}
	if p.Principal != "*" {
		if len(p.Principal) != 12 || strings.Trim(p.Principal, "0123456789") != "" {
			return violates(clip(p.Principal), "principal", `Member must satisfy regular expression pattern: (\d{12}|\*)`)
		}
		st.Principal = map[string]string{"AWS": "arn:aws:iam::" + p.Principal + ":root"}
	}
	if p.Organization != "" {
		st.Condition = map[string]any{"StringEquals": map[string]string{"aws:PrincipalOrgID": p.Organization}}
	}
	raw, err := json.Marshal(st)
	if err != nil {
		return err
	}
	_, err = s.ChangeBus(ctx, ref, func(b *Bus) error {
		doc, err := documentOf(b.Policy)
		if err != nil {
			return err
		}
		doc.Statement = append(slices.DeleteFunc(doc.Statement, hasSid(p.Sid)), raw)
		return s.setPolicy(b, doc)
	})
	return err
}

func documentOf(policy string) (doc policyDocument, err error) {
	if policy == "" {
		return policyDocument{Version: "2012-10-17"}, nil
	}
	var loose struct {
		Version   string
		Statement json.RawMessage
	}
	if err := json.Unmarshal([]byte(policy), &loose); err != nil {
		return doc, invalid("The policy of the event bus can't be read: %v", err)
	}
	doc.Version = loose.Version
	if json.Unmarshal(loose.Statement, &doc.Statement) != nil { // one statement stands without a list
		doc.Statement = []json.RawMessage{loose.Statement}
	}
	return doc, nil
}

func hasSid(sid string) func(json.RawMessage) bool {
	return func(raw json.RawMessage) bool {
		var st struct{ Sid string }
		return json.Unmarshal(raw, &st) == nil && st.Sid == sid
	}
}

func (s *Service) setPolicy(b *Bus, doc policyDocument) error {
	if len(doc.Statement) == 0 {
		b.Policy = ""
		return nil
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	return s.setDocument(b, string(raw))
}

func (s *Service) setDocument(b *Bus, document string) error {
	if len(document) > maxPolicy {
		return refuse("PolicyLengthExceededException", "The event bus policy is longer than %d characters.", maxPolicy)
	}
	if err := s.cfg.Policies.Check([]byte(document), s.busARN(b.Name)); err != nil {
		return invalid("Parameter Policy is not valid. Reason: %v", err)
	}
	b.Policy = document
	return nil
}

// SetPolicy replaces a bus's policy.
func (s *Service) SetPolicy(ctx context.Context, ref, document string) error {
	_, err := s.ChangeBus(ctx, ref, func(b *Bus) error { return s.setDocument(b, document) })
	return err
}

// Forbid takes a statement out of a bus's policy, or all of them.
func (s *Service) Forbid(ctx context.Context, ref, sid string, all bool) error {
	_, err := s.ChangeBus(ctx, ref, func(b *Bus) error {
		if all {
			b.Policy = ""
			return nil
		}
		doc, err := documentOf(b.Policy)
		if err != nil {
			return err
		}
		n := len(doc.Statement)
		if doc.Statement = slices.DeleteFunc(doc.Statement, hasSid(sid)); len(doc.Statement) == n {
			return notFound("Statement with the provided id does not exist.")
		}
		return s.setPolicy(b, doc)
	})
	return err
}

// ResourcePolicy gives the policy of the bus whose ARN it is, to whoever decides what
// callers may do; nil for none.
func (s *Service) ResourcePolicy(ctx context.Context, busARN string) ([]byte, error) {
	if _, ok := s.own(busARN, "event-bus/"); !ok {
		return nil, nil
	}
	b, err := s.Bus(ctx, busARN)
	if isCode(err, "ResourceNotFoundException") || err == nil && b.Policy == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []byte(b.Policy), nil
}
