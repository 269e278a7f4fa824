package parameter

import (
	"strconv"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/arn"
)

// Limits of names, as AWS has them.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-parameter-name-constraints.html
const (
	maxName   = 2048 // of what a request may say
	maxARN    = 1011 // of a name together with the ARN before it
	maxLevels = 15
)

// name is what a Name of a request means: a parameter, and with a selector
// one of its versions, by number or label.
type name struct{ path, selector string }

// parse reads a name, with ":3" or ":label" behind it, or the ARN of one. Whether it
// is a name that a parameter may have is checkName's to say.
func (s *Service) parse(text string) (name, error) {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > maxName {
		return name{}, violates(clip(text), "name", "Member must have length between 1 and 2048")
	}
	if arn.Is(text) {
		a, err := arn.Parse(text)
		path, ok := strings.CutPrefix(a.Resource, "parameter/")
		switch {
		case err != nil || a.Service != "ssm" || !ok:
			return name{}, invalid("The ARN %s is not that of a parameter.", clip(text))
		case a.Account != s.cfg.Account || a.Region != s.cfg.Region:
			return name{}, errNotFound // nothing is shared with this account
		}
		text = "/" + path
	}
	path, selector, has := strings.Cut(text, ":")
	if has && !isVersion(selector) && !isLabel(selector) {
		return name{}, invalid("Invalid parameter name %s. Please use correct syntax for referencing a version/label  <name>:<version/label>", clip(text))
	}
	rest, qualified := strings.CutPrefix(path, "/")
	if !qualified && strings.Contains(path, "/") {
		return name{}, invalid("Parameter name must be a fully qualified name.")
	}
	if rest == "" || strings.ContainsFunc(rest, notInName) {
		return name{}, invalid("Parameter name %s is not valid: it has letters, numbers and the symbols .-_ in parts divided by slashes.", clip(text))
	}
	return name{rest, selector}, nil
}

// checkName checks the name of a parameter that is to be made, and gives it without
// the spaces around it.
func (s *Service) checkName(text string) (display, path string, err error) {
	display = strings.TrimSpace(text)
	if arn.Is(display) {
		return "", "", invalid("The ARN of a parameter can't be its name.")
	}
	n, err := s.parse(display)
	if err != nil {
		return "", "", err
	}
	lower := strings.ToLower(n.path)
	deep := strings.Contains(n.path, "/")
	switch {
	case n.selector != "":
		return "", "", invalid("Parameter name %s is not valid: it can't have a version or label.", clip(text))
	case strings.HasPrefix(lower, "aws") && deep:
		return "", "", refuse("AccessDeniedException", "No access to reserved parameter name: %s.", clip(display))
	case strings.HasPrefix(lower, "aws") || strings.HasPrefix(lower, "ssm"):
		return "", "", invalid(`Parameter name: can't be prefixed with "aws" or "ssm" (case-insensitive).`)
	case strings.HasSuffix(n.path, "/") || strings.Contains("/"+n.path, "//"):
		return "", "", invalid("Parameter name %s is not valid: a part of its path is empty.", clip(display))
	case strings.Count(n.path, "/")+1 > maxLevels:
		return "", "", refuse("HierarchyLevelLimitExceededException", "A hierarchy can have a maximum of %d levels; %s has more.", maxLevels, clip(display))
	case len(s.arn(n.path)) > maxARN:
		return "", "", invalid("Parameter name is too long: with the ARN before it, it has more than %d characters.", maxARN)
	}
	return display, n.path, nil
}

func notInName(c rune) bool {
	return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '/' || c == '.' || c == '-' || c == '_')
}

// isVersion says whether a selector is a version's number.
func isVersion(s string) bool {
	_, err := strconv.ParseInt(s, 10, 64)
	return err == nil && s[0] >= '1' && s[0] <= '9'
}

// isLabel says whether s may be a label.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-labels.html
func isLabel(s string) bool {
	lower := strings.ToLower(s)
	return s != "" && len(s) <= 100 && !strings.ContainsFunc(s, func(c rune) bool { return notInName(c) || c == '/' }) &&
		!(s[0] >= '0' && s[0] <= '9') && !strings.HasPrefix(lower, "aws") && !strings.HasPrefix(lower, "ssm")
}

// hierarchy reads a path of GetParametersByPath: the prefix of the paths below it.
func hierarchy(path string) (string, error) {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok || len(path) > maxName || strings.ContainsFunc(rest, notInName) || strings.Contains(path, "//") {
		return "", invalid("The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash \"/\". " +
			"It can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). " +
			"Special characters are not allowed.")
	}
	rest = strings.TrimSuffix(rest, "/")
	if strings.Count(rest, "/")+1 > maxLevels {
		return "", refuse("HierarchyLevelLimitExceededException", "A hierarchy can have a maximum of %d levels.", maxLevels)
	}
	if rest == "" {
		return "", nil
	}
	return rest + "/", nil
}
