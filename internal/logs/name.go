package logs

import (
	"fmt"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/arn"
)

// maxName is the longest name of a group or stream, in characters.
const maxName = 512

// checkGroup refuses names no group can have.
func checkGroup(name string) error {
	if name == "" || len(name) > maxName {
		return length(name, "logGroupName")
	}
	ok := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune(".-_/#", c)
	}
	if strings.IndexFunc(name, func(c rune) bool { return !ok(c) }) >= 0 {
		return constraint(name, "logGroupName", `Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+`)
	}
	return nil
}

// checkStream refuses names no stream can have.
func checkStream(name string) error {
	if name == "" || len(name) > maxName {
		return length(name, "logStreamName")
	}
	if strings.ContainsAny(name, ":*\x00") {
		return constraint(name, "logStreamName", `Member must satisfy regular expression pattern: [^:*]*`)
	}
	return nil
}

func length(name, member string) error {
	if name == "" {
		return constraint(name, member, "Member must have length greater than or equal to 1")
	}
	return constraint(name, member, fmt.Sprintf("Member must have length less than or equal to %d", maxName))
}

// groupOf gives the group a request means: by name, or by an identifier, which
// is a name or an ARN with or without ":*" at its end.
func (s *Service) groupOf(name, identifier string) (string, error) {
	switch {
	case name != "" && identifier != "":
		return "", invalid("LogGroupName and LogGroupIdentifier cannot both be specified.")
	case identifier == "":
		return name, checkGroup(name)
	case !arn.Is(identifier):
		return identifier, checkGroup(identifier)
	}
	a, err := arn.Parse(identifier)
	group, ok := strings.CutPrefix(a.Resource, "log-group:")
	if err != nil || !ok || a.Service != "logs" {
		return "", invalid("The specified log group identifier is not valid: %s", identifier)
	}
	if a.Account != s.cfg.Account || a.Region != s.cfg.Region {
		return "", errNoGroup
	}
	group = strings.TrimSuffix(group, ":*")
	return group, checkGroup(group)
}

func (s *Service) groupARN(group string) string {
	return arn.New("logs", s.cfg.Region, s.cfg.Account, "log-group:"+group).String()
}

func (s *Service) streamARN(group, stream string) string {
	return s.groupARN(group) + ":log-stream:" + stream
}
