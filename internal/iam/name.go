package iam

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/arn"
)

// Bounds of names and texts.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	maxPath        = 512
	maxDescription = 1000
	maxPolicyName  = 128
	maxProfileName = 128
)

var (
	nameForm  = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]+$`)
	pathForm  = regexp.MustCompile(`^(/|/[!-~]+/)$`)
	aliasForm = regexp.MustCompile(`^[a-z0-9](-?[a-z0-9])+$`)
	textForm  = regexp.MustCompile(`^[\x{9}\x{A}\x{D}\x{20}-\x{7E}\x{A1}-\x{FF}]*$`)
)

// checkName refuses names that nothing can have. member is the parameter's name in
// messages: "userName".
func checkName(name, member string, longest int) error {
	switch {
	case name == "":
		return constraint(name, member, "Member must have length greater than or equal to 1")
	case len(name) > longest:
		return constraint(clip(name), member, "Member must have length less than or equal to %d", longest)
	case !nameForm.MatchString(name):
		return validation("The specified value for %s is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-", member)
	}
	return nil
}

// checkPath gives the path of a new thing, "/" for none.
func checkPath(path string) (string, error) {
	if path == "" {
		return "/", nil
	}
	if len(path) > maxPath {
		return "", constraint(clip(path), "path", "Member must have length less than or equal to %d", maxPath)
	}
	if !pathForm.MatchString(path) || strings.Contains(path, "//") {
		return "", validation("The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
	}
	return path, nil
}

func checkDescription(text string) error {
	if len(text) > maxDescription {
		return constraint(clip(text), "description", "Member must have length less than or equal to %d", maxDescription)
	}
	if !textForm.MatchString(text) {
		return constraint(clip(text), "description", `Member must satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*`)
	}
	return nil
}

// arn is the ARN of something of this account's: resource is "user", "policy", ...
func (s *Service) arn(resource, path, name string) string {
	return arn.New("iam", "", s.cfg.Account, resource+path+name).String()
}

// splitARN takes an ARN of this account's apart: "role", "/service/", "reader".
func (s *Service) splitARN(text string) (resource, path, name string, ok bool) {
	a, err := arn.Parse(text)
	if err != nil || a.Partition != "aws" || a.Service != "iam" || a.Region != "" || a.Account != s.cfg.Account {
		return "", "", "", false
	}
	first, last := strings.IndexByte(a.Resource, '/'), strings.LastIndexByte(a.Resource, '/')
	if first < 0 {
		return "", "", "", false
	}
	return a.Resource[:first], a.Resource[first : last+1], a.Resource[last+1:], true
}

// Escape encodes a policy document as the API's answers have it: by RFC 3986, in
// which nothing but letters, digits and -._~ stands for itself.
func Escape(document string) string {
	return strings.ReplaceAll(url.QueryEscape(document), "+", "%20")
}
