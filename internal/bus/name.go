package bus

import (
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/arn"
	"github.com/mayfly-cloud/mayfly/internal/fault"
)

// defaultBus is the bus that is always there.
const defaultBus = "default"

// nameRule is what a kind of name may be.
type nameRule struct {
	member string
	most   int
	slash  bool
	words  string // AWS's regular expression
}

var (
	busName         = nameRule{"name", 256, true, `[/\.\-_A-Za-z0-9]+`}
	ruleName        = nameRule{"name", 64, false, `[\.\-_A-Za-z0-9]+`}
	archiveName     = nameRule{"archiveName", 48, false, `[\.\-_A-Za-z0-9]+`}
	replayName      = nameRule{"replayName", 64, false, `[\.\-_A-Za-z0-9]+`}
	connectionName  = nameRule{"name", 64, false, `[\.\-_A-Za-z0-9]+`}
	destinationName = nameRule{"name", 64, false, `[\.\-_A-Za-z0-9]+`}
	targetID        = nameRule{"id", 64, false, `[\.\-_A-Za-z0-9]+`}
	statementID     = nameRule{"statementId", 64, false, `[a-zA-Z0-9-_]+`}
)

func (n nameRule) check(name string) *fault.Error {
	switch {
	case name == "":
		return violates(name, n.member, "Member must have length greater than or equal to 1")
	case len(name) > n.most:
		return violates(clip(name), n.member, "Member must have length less than or equal to "+itoa(n.most))
	case strings.IndexFunc(name, func(r rune) bool { return !isNameRune(r) && (r != '/' || !n.slash) }) >= 0:
		return violates(clip(name), n.member, "Member must satisfy regular expression pattern: "+n.words)
	}
	return nil
}

func isNameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_'
}

// bus finds the name of a bus that is meant by a name or an ARN; nothing means the
// default one.
func (s *Service) bus(ref string) (string, error) {
	if ref == "" {
		return defaultBus, nil
	}
	if !arn.Is(ref) {
		if err := busName.check(ref); err != nil {
			return "", err
		}
		return ref, nil
	}
	name, ok := s.own(ref, "event-bus/")
	if !ok {
		return "", noBus(ref)
	}
	return name, nil
}

// own gives what follows the prefix in the ARN of a resource of this account's.
func (s *Service) own(ref, prefix string) (string, bool) {
	a, err := arn.Parse(ref)
	if err != nil || a.Service != "events" || a.Account != s.cfg.Account || a.Region != s.cfg.Region {
		return "", false
	}
	name, ok := strings.CutPrefix(a.Resource, prefix)
	return name, ok && name != ""
}

func (s *Service) busARN(name string) string { return s.arn("event-bus/" + name) }

func (s *Service) ruleARN(bus, name string) string {
	if bus == defaultBus {
		return s.arn("rule/" + name)
	}
	return s.arn("rule/" + bus + "/" + name)
}

// ruleOf reads what follows "rule/" in an ARN: NAME on the default bus, or BUS/NAME.
func ruleOf(resource string) (bus, name string) {
	if at := strings.LastIndexByte(resource, '/'); at >= 0 {
		return resource[:at], resource[at+1:]
	}
	return defaultBus, resource
}
