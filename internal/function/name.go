package function

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/arn"
	"github.com/mayfly-cloud/mayfly/internal/fault"
)

// Latest is the qualifier of the version that can be changed.
const Latest = "$LATEST"

// Name is a function as a caller named it: a name, and a qualifier or "".
type Name struct{ Function, Qualifier string }

const (
	maxFunctionName = 64
	maxFunctionARN  = 170
	maxQualifier    = 128
)

// The forms a function can be named in, as AWS documents its parameter:
//
//	hello, hello:live
//	123456789012:function:hello[:live]
//	[arn:aws:lambda:]us-east-1:123456789012:function:hello[:live]
const functionPattern = `(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?`

var (
	functionForm  = regexp.MustCompile(`^(?:arn:(?:aws[a-zA-Z-]*)?:lambda:)?(?:([a-z]{2}(?:-[a-z]+)+-\d{1,2}):)?(?:(\d{12}):)?(?:function:)?([a-zA-Z0-9-_]+)(?::(\$LATEST|[a-zA-Z0-9-_]+))?$`)
	qualifierForm = regexp.MustCompile(`^(?:\$LATEST|[a-zA-Z0-9$_-]+)$`)
	plainName     = regexp.MustCompile(`^[a-zA-Z0-9-_]+$`)
)

// Parse reads a function's name in any of its forms, and the qualifier given
// beside it, which must not contradict one in the name.
func (s *Service) Parse(function, qualifier string) (Name, error) {
	if err := shorter(function, "functionName", maxFunctionARN); err != nil {
		return Name{}, err
	}
	if err := checkQualifier(qualifier); err != nil {
		return Name{}, err
	}
	if plainName.MatchString(function) { // the form of nearly every call
		if len(function) > maxFunctionName {
			return Name{}, violates(clip(function), "functionName", "Member must have length less than or equal to %d", maxFunctionName)
		}
		return Name{function, qualifier}, nil
	}
	m := functionForm.FindStringSubmatch(function)
	if m == nil {
		return Name{}, violates(clip(function), "functionName", "Member must satisfy regular expression pattern: %s", functionPattern)
	}
	region, account, name, inName := m[1], m[2], m[3], m[4]
	if len(name) > maxFunctionName {
		return Name{}, violates(clip(name), "functionName", "Member must have length less than or equal to %d", maxFunctionName)
	}
	if region != "" && region != s.cfg.Region {
		return Name{}, notFound("Functions from '%s' are not reachable in this region ('%s')", region, s.cfg.Region)
	}
	if account != "" && account != s.cfg.Account {
		return Name{}, fault.New(http.StatusForbidden, "AccessDeniedException",
			"Functions of account %s are not reachable from account %s.", account, s.cfg.Account)
	}
	if inName != "" {
		if qualifier != "" && qualifier != inName {
			return Name{}, invalid("The derived qualifier from the function name does not match the specified qualifier.")
		}
		qualifier = inName
	}
	return Name{name, qualifier}, nil
}

// ARN is the one spelling of the function, version or alias that a caller named in any
// of the forms: the one that permission is asked for.
func (s *Service) ARN(function string) (string, error) {
	n, err := s.Parse(function, "")
	return s.arn(n.Function, n.Qualifier), err
}

func checkQualifier(q string) error {
	switch {
	case q == "":
		return nil
	case len(q) > maxQualifier:
		return violates(clip(q), "qualifier", "Member must have length less than or equal to %d", maxQualifier)
	case !qualifierForm.MatchString(q):
		return violates(clip(q), "qualifier", `Member must satisfy regular expression pattern: \$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+`)
	}
	return nil
}

// parseUnqualified reads a name for an operation that has no versions.
func (s *Service) parseUnqualified(function string) (string, error) {
	n, err := s.Parse(function, "")
	if err != nil {
		return "", err
	}
	if n.Qualifier != "" {
		return "", invalid("This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.")
	}
	return n.Function, nil
}

// arn is the ARN of a function, or with a qualifier of a version or alias.
func (s *Service) arn(name, qualifier string) string {
	resource := "function:" + name
	if qualifier != "" {
		resource += ":" + qualifier
	}
	return arn.New("lambda", s.cfg.Region, s.cfg.Account, resource).String()
}

// versionNumber reads a qualifier that names a version: 0 for $LATEST and for
// none. ok is false for one that can only be an alias.
func versionNumber(qualifier string) (n uint64, ok bool) {
	if qualifier == "" || qualifier == Latest {
		return 0, true
	}
	if strings.TrimLeft(qualifier, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseUint(qualifier, 10, 64)
	return n, err == nil && n > 0 && qualifier[0] != '0'
}

// number prints a version's number as the API does.
func number(n uint64) string {
	if n == 0 {
		return Latest
	}
	return strconv.FormatUint(n, 10)
}
