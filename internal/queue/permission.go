package queue

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/message"
)

// maxActions is how many actions one permission may name.
const maxActions = 7

// statement is one that AddPermission writes into a queue's policy. Others' statements
// stay as they are written.
type statement struct {
	Sid       string
	Effect    string
	Principal map[string]any
	Action    any
	Resource  string
}

// grantable are the actions that AddPermission gives.
var grantable = []string{
	"*", "SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes", "GetQueueUrl",
	"ListDeadLetterSourceQueues", "PurgeQueue",
}

// AddPermission adds a statement to a queue's policy that lets accounts do something.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html
func (s *Service) AddPermission(ctx context.Context, address, label string, accounts, actions []string) error {
	switch {
	case label == "" || len(label) > maxName || strings.ContainsFunc(label, notInName):
		return invalidValue(clip(label), "Label", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.")
	case len(accounts) == 0:
		return missing("AWSAccountIds")
	case len(actions) == 0:
		return missing("Actions")
	case len(actions) > maxActions:
		return refuse("OverLimit", "%d Actions were found, maximum allowed is %d.", len(actions), maxActions)
	}
	st := statement{Sid: label, Effect: "Allow"}
	var names, principals []string
	for _, a := range actions {
		if !slices.Contains(grantable, a) {
			return invalidValue("SQS:"+clip(a), "ActionName", "Please refer to the appropriate WSDL for a list of valid actions.")
		}
		names = append(names, "SQS:"+a)
	}
	for _, a := range accounts {
		if len(a) != 12 || strings.Trim(a, "0123456789") != "" {
			return invalidValue(clip(a), "PrincipalId", "Unable to verify.")
		}
		principals = append(principals, "arn:aws:iam::"+a+":root")
	}
	st.Action, st.Principal = oneOrAll(names), map[string]any{"AWS": oneOrAll(principals)}
	return s.changePolicy(ctx, address, func(q *Queue, list []json.RawMessage) ([]json.RawMessage, error) {
		if at(list, label) >= 0 {
			return nil, invalidValue(label, "Label", "Already exists.")
		}
		st.Resource = s.arn(q.Name)
		b, err := json.Marshal(st)
		return append(list, b), err
	})
}

// RemovePermission takes a statement out of a queue's policy.
func (s *Service) RemovePermission(ctx context.Context, address, label string) error {
	return s.changePolicy(ctx, address, func(_ *Queue, list []json.RawMessage) ([]json.RawMessage, error) {
		i := at(list, label)
		if i < 0 {
			return nil, invalidValue(clip(label), "Label", "can't find label on existing policy.")
		}
		return slices.Delete(list, i, i+1), nil
	})
}

func oneOrAll(list []string) any {
	if len(list) == 1 {
		return list[0]
	}
	return list
}

// at finds a statement by its id.
func at(list []json.RawMessage, sid string) int {
	return slices.IndexFunc(list, func(b json.RawMessage) bool {
		var st struct{ Sid string }
		return json.Unmarshal(b, &st) == nil && st.Sid == sid
	})
}

// changePolicy changes the statements of a queue's policy.
func (s *Service) changePolicy(ctx context.Context, address string, fn func(*Queue, []json.RawMessage) ([]json.RawMessage, error)) error {
	return s.change(ctx, address, func(_ *message.Tx, q *Queue) error {
		p := map[string]json.RawMessage{}
		if text := q.Attributes[attrPolicy]; text != "" {
			if err := json.Unmarshal([]byte(text), &p); err != nil {
				return badAttribute(attrPolicy, "It is not a JSON object.")
			}
		}
		var list []json.RawMessage
		if raw := p["Statement"]; len(raw) > 0 && json.Unmarshal(raw, &list) != nil {
			list = []json.RawMessage{raw} // one, not in a list
		}
		list, err := fn(q, list)
		if err != nil {
			return err
		}
		if q.Changed = s.now(); len(list) == 0 {
			delete(q.Attributes, attrPolicy)
			return nil
		}
		if len(p) == 0 {
			p["Version"] = json.RawMessage(`"2008-10-17"`)
			id, _ := json.Marshal(s.arn(q.Name) + "/SQSDefaultPolicy")
			p["Id"] = id
		}
		if p["Statement"], err = json.Marshal(list); err != nil {
			return err
		}
		b, err := json.Marshal(p)
		if err != nil {
			return err
		}
		if err := s.checkPolicy(q.Name, map[string]string{attrPolicy: string(b)}); err != nil {
			return err
		}
		q.Attributes[attrPolicy] = string(b)
		return nil
	})
}
