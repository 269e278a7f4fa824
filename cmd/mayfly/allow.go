package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// maxPolicyFile is more than any policy of a role may have, in bytes.
const maxPolicyFile = 64 << 10

// statement is one of a policy that --allow makes.
type statement struct {
	Effect   string
	Action   []string
	Resource string
}

// policyDocument is a policy of such statements.
type policyDocument struct {
	Version   string
	Statement []statement
}

// what a grant may be about: kinds of resources, the service of their ARNs, what comes
// before and after the name there, and whether region and account do.
var resourceKinds = map[string]struct {
	service, before, after string
	region, account        bool
}{
	"function":  {"lambda", "function:", "", true, true},
	"table":     {"dynamodb", "table/", "", true, true},
	"queue":     {"sqs", "", "", true, true},
	"topic":     {"sns", "", "", true, true},
	"bucket":    {"s3", "", "", false, false},
	"log-group": {"logs", "log-group:", ":*", true, true},
	"parameter": {"ssm", "parameter/", "", true, true},
	"secret":    {"secretsmanager", "secret:", "-??????", true, true}, // AWS adds six characters to a secret's name
	"key":       {"kms", "key/", "", true, true},
	"alias":     {"kms", "alias/", "", true, true},
	"bus":       {"events", "event-bus/", "", true, true},
	"role":      {"iam", "role/", "", false, true},
	"user":      {"iam", "user/", "", false, true},
}

// usualKinds are what a name alone means, by the service of the action.
var usualKinds = map[string]string{
	"lambda": "function", "dynamodb": "table", "sqs": "queue", "sns": "topic", "s3": "bucket", "logs": "log-group",
	"ssm": "parameter", "secretsmanager": "secret", "sts": "role",
}

const grantForm = "Write ACTION on RESOURCE: 's3:GetObject on bucket/prefix/*', 'dynamodb:GetItem,dynamodb:PutItem on table NAME',\n" +
	"'sqs:SendMessage on queue NAME', 'lambda:InvokeFunction on function NAME', or a full ARN as the resource."

// parseGrant reads "ACTION[,ACTION...] on RESOURCE". account and region complete the
// resource's ARN.
func parseGrant(text, account, region string) (statement, error) {
	actions, resource, ok := strings.Cut(text, " on ")
	resource = strings.TrimSpace(resource)
	s := statement{Effect: "Allow"}
	for a := range strings.FieldsFuncSeq(actions, func(r rune) bool { return r == ',' || r == ' ' }) {
		if service, name, colon := strings.Cut(a, ":"); a != "*" && (!colon || service == "" || name == "") {
			return s, hint(fmt.Errorf("%q is no action", a), grantForm)
		}
		if !slices.Contains(s.Action, a) {
			s.Action = append(s.Action, a)
		}
	}
	if !ok || resource == "" || len(s.Action) == 0 {
		return s, hint(fmt.Errorf("%q doesn't say what is allowed on what", text), grantForm)
	}
	var err error
	s.Resource, err = expandResource(resource, account, region, s.Action)
	return s, err
}

// namesAliases says whether each action asks about an alias; those that use a key ask
// about the key, whatever it was called by:
// https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
func namesAliases(actions []string) bool {
	return !slices.ContainsFunc(actions, func(a string) bool { return !strings.HasSuffix(strings.ToLower(a), "alias") })
}

// expandResource makes a friendly name of a resource an ARN: "table NAME", "table/NAME",
// or a NAME of what the service has mostly; "*" and ARNs stay.
func expandResource(text, account, region string, actions []string) (string, error) {
	service, _, _ := strings.Cut(strings.ToLower(actions[0]), ":")
	if text == "*" || strings.HasPrefix(text, "arn:") {
		return text, nil
	}
	kind, name := usualKinds[service], text
	if word, rest, ok := strings.Cut(text, " "); ok {
		if _, known := resourceKinds[word]; !known {
			return "", hint(fmt.Errorf("%q is no kind of resource", word), grantForm)
		}
		kind, name = word, strings.TrimSpace(rest)
	} else if word, rest, ok := strings.Cut(text, "/"); ok && service != "s3" { // a bucket may be called anything
		if _, known := resourceKinds[word]; known {
			kind, name = word, rest
		}
	}
	k, ok := resourceKinds[kind]
	if !ok || name == "" || strings.ContainsAny(name, " \t") {
		return "", hint(fmt.Errorf("%q is no resource of %s", text, service), grantForm)
	}
	of := service
	if of == "sts" {
		of = "iam" // roles are assumed there
	}
	if k.service != of {
		return "", hint(fmt.Errorf("a %s is no resource of %s", kind, service), grantForm)
	}
	if kind == "alias" && !namesAliases(actions) {
		return "", hint(fmt.Errorf("%s is given on a key, not on its alias", strings.Join(actions, ",")),
			"Write 'on key ID'. The ID: aws kms describe-key --key-id alias/%s --query KeyMetadata.KeyId", name)
	}
	if kind == "parameter" {
		name = strings.TrimPrefix(name, "/")
	}
	if strings.HasSuffix(name, "*") && kind == "secret" {
		k.after = "" // it covers the six characters too
	}
	if !k.region {
		region = ""
	}
	if !k.account {
		account = ""
	}
	return strings.Join([]string{"arn:aws", k.service, region, account, k.before + name + k.after}, ":"), nil
}

// readPolicy reads a policy from a file: a document, one statement, or a list of them.
func readPolicy(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("read policy: %w", err)
	}
	if info.Size() > maxPolicyFile {
		return "", fmt.Errorf("read policy: %s has %s, more than a policy may have", path, bytesText(info.Size()))
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read policy: %w", err)
	}
	b = bytes.TrimSpace(b)
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(b, &doc); err != nil {
		var list []json.RawMessage
		if json.Unmarshal(b, &list) != nil {
			return "", hint(fmt.Errorf("read policy: %s is no JSON: %w", path, err), `A policy looks like {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}]}`)
		}
	}
	if _, whole := doc["Statement"]; whole {
		return string(b), nil
	}
	out, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": json.RawMessage(b)})
	if err != nil {
		return "", errors.Join(errors.New("read policy"), err)
	}
	return string(out), nil
}
