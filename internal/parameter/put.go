package parameter

import (
	"cmp"
	"context"
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Draft is what a new parameter, or a new version of one, is made of.
type Draft struct {
	Name, Value, Description string
	Kind                     Kind // "" for that of the parameter there is
	KeyID                    string
	AllowedPattern, DataType string
	Tier                     Tier // "" for the one it has, or Standard
	Tags                     []Tag
	Overwrite                bool
}

// String names the parameter and keeps its value to itself.
func (d Draft) String() string { return d.Name }

// Limits, as AWS has them.
// https://docs.aws.amazon.com/general/latest/gr/ssm.html#limits_ssm
const (
	maxStandardValue = 4096
	maxAdvancedValue = 8192
	maxDescription   = 1024
	maxPattern       = 1024
	maxVersions      = 100
	maxStandard      = 10_000
	maxAdvanced      = 100_000
)

// count is how many parameters there are of each tier.
type count struct{ Standard, Advanced int }

// Put makes a parameter or a new version of one, and gives the version's facts. It is
// encrypted first and then written in one transaction with all that depends on it: a
// crash leaves the new version the newest, or nothing of it.
func (s *Service) Put(ctx context.Context, d Draft) (*Facts, error) {
	display, path, err := s.checkName(d.Name)
	if err != nil {
		return nil, err
	}
	if err := s.checkDraft(ctx, path, &d); err != nil {
		return nil, err
	}
	tags, err := mergeTags(nil, d.Tags)
	if err != nil {
		return nil, err
	}
	v := &Version{Facts: Facts{
		Description: d.Description, AllowedPattern: d.AllowedPattern, DataType: cmp.Or(d.DataType, "text"),
		Modified: s.now(), User: auth.From(ctx).ARN,
	}}
	if d.Kind == SecureString {
		if v.Sealed, v.Facts.KeyARN, err = s.cfg.Keys.Encrypt(ctx, d.KeyID, []byte(d.Value), s.bound(path)); err != nil {
			return nil, badKey(err)
		}
		v.Facts.KeyID = cmp.Or(d.KeyID, usualKey)
	} else {
		v.Value = d.Value
	}
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		p, err := load[Parameter](tx, headKey(path), errNotFound)
		if errors.Is(err, errNotFound) {
			p = &Parameter{Name: display, Path: path, Kind: d.Kind, Tags: tags, Labels: map[string]int64{}}
		} else if err != nil {
			return err
		}
		return s.write(tx, p, v, d)
	})
	return &v.Facts, err
}

// usualKey is the key of SecureStrings that name none.
const usualKey = "alias/aws/ssm"

// write adds a version to p, which is new if it has none.
func (s *Service) write(tx store.Tx, p *Parameter, v *Version, d Draft) error {
	before := p.Newest.Tier
	isNew := p.Newest.Version == 0
	switch {
	case !isNew && !d.Overwrite:
		return refuse("ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
	case p.Kind != d.Kind:
		return mismatch()
	}
	tier, err := tierOf(d, before)
	if err != nil {
		return err
	}
	if tier != before {
		if err := errors.Join(addToCount(tx, before, -1), addToCount(tx, tier, 1)); err != nil {
			return err
		}
	}
	v.Facts.Tier, v.Facts.Version = tier, p.Newest.Version+1
	p.Newest = v.Facts
	if isNew {
		p.Oldest = 1
	}
	if v.Facts.Version-p.Oldest >= maxVersions {
		for label, n := range p.Labels {
			if n == p.Oldest {
				return refuse("ParameterMaxVersionLimitExceeded", "You attempted to create a new version of %s by calling the PutParameter API with the overwrite flag. "+
					"Version %d, the oldest version, can't be deleted because it has a label associated with it (%s). Move the label to another version of the parameter, and try again.",
					p.Name, p.Oldest, label)
			}
		}
		if err := tx.Delete(versionKey(p.Path, p.Oldest)); err != nil {
			return err
		}
		p.Oldest++
	}
	return errors.Join(save(tx, versionKey(p.Path, v.Facts.Version), v), save(tx, headKey(p.Path), p))
}

func mismatch() error {
	return refuse("HierarchyTypeMismatchException", "Parameter Store doesn't support changing a parameter type in a hierarchy. "+
		"For example, you can't change a parameter from a String type to a SecureString type. You must create a new, unique parameter.")
}

// tierOf is the tier of a version, after one of before.
func tierOf(d Draft, before Tier) (Tier, error) {
	tier := cmp.Or(d.Tier, before, Standard)
	if tier == Intelligent {
		tier = cmp.Or(before, Standard)
		if len(d.Value) > maxStandardValue {
			tier = Advanced
		}
	}
	switch {
	case before == Advanced && tier == Standard:
		return "", invalid("This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier to the standard-parameter tier. " +
			"If necessary, you can delete the advanced parameter and recreate it as a standard parameter.")
	case tier == Standard && len(d.Value) > maxStandardValue:
		return "", invalid("Standard tier parameters support a maximum parameter value of %d characters. "+
			"To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier.", maxStandardValue)
	case tier == Advanced && len(d.Value) > maxAdvancedValue:
		return "", invalid("Advanced tier parameters support a maximum parameter value of %d characters.", maxAdvancedValue)
	}
	return tier, nil
}

// addToCount keeps count of the parameters of a tier; "" is none.
func addToCount(tx store.Tx, tier Tier, n int) error {
	if tier == "" {
		return nil
	}
	c, err := load[count](tx, countKey(), nil)
	if errors.Is(err, store.ErrNotFound) {
		c, err = &count{}, nil
	}
	if err != nil {
		return err
	}
	if tier == Advanced {
		c.Advanced += n
	} else {
		c.Standard += n
	}
	if n > 0 && (c.Advanced > maxAdvanced || c.Standard > maxStandard) {
		return refuse("ParameterLimitExceeded", "You have exceeded the number of parameters for this account: %d Standard and %d Advanced.", maxStandard, maxAdvanced)
	}
	return save(tx, countKey(), c)
}

// checkDraft checks what does not depend on what is stored, and completes the type.
func (s *Service) checkDraft(ctx context.Context, path string, d *Draft) error {
	if d.Kind == "" {
		if err := s.complete(ctx, path, d); err != nil {
			return err
		}
	}
	switch {
	case d.Kind != String && d.Kind != StringList && d.Kind != SecureString:
		return violates(clip(string(d.Kind)), "type", "Member must satisfy enum value set: [SecureString, StringList, String]")
	case d.Tier != "" && d.Tier != Standard && d.Tier != Advanced && d.Tier != Intelligent:
		return violates(clip(string(d.Tier)), "tier", "Member must satisfy enum value set: [Standard, Advanced, Intelligent-Tiering]")
	case d.Overwrite && len(d.Tags) > 0:
		return invalid("Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. " +
			"To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.")
	case d.KeyID != "" && d.Kind != SecureString:
		return invalid("KeyId is required for SecureString type parameter only.")
	case len(d.Description) > maxDescription:
		return violates(clip(d.Description), "description", "Member must have length less than or equal to 1024")
	}
	return checkValue(d)
}

// complete takes the type of the parameter there is.
func (s *Service) complete(ctx context.Context, path string, d *Draft) error {
	return s.cfg.Store.View(ctx, func(r store.Reader) error {
		p, err := load[Parameter](r, headKey(path), invalid("A parameter type is required when you create a parameter."))
		if err == nil {
			d.Kind = p.Kind
		}
		return err
	})
}

// checkValue checks a value against its type, pattern and data type. The value is in
// no message: it may be a secret.
func checkValue(d *Draft) error {
	switch {
	case d.Value == "":
		return invalid("1 validation error detected: Value at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1.")
	case len(d.Value) > maxAdvancedValue:
		return invalid("Parameter values have at most %d bytes.", maxAdvancedValue)
	case !utf8.ValidString(d.Value):
		return invalid("Parameter values are text in UTF-8.")
	case nested.MatchString(d.Value):
		return invalid("Parameter value can't nest another parameter. Do not use {{}} in the value.")
	}
	if err := checkPattern(d); err != nil {
		return err
	}
	switch d.DataType {
	case "", "text":
		return nil
	case "aws:ec2:image":
		if d.Kind == String && image.MatchString(d.Value) {
			return nil
		}
		return invalid("A parameter of the data type aws:ec2:image is a String of the form ami-12345abcdeEXAMPLE.")
	case "aws:ssm:integration":
		if d.Kind == SecureString && strings.HasPrefix(strings.TrimPrefix(d.Name, "/"), integrations) {
			return nil
		}
		return invalid("A parameter of the data type aws:ssm:integration is a SecureString below /%s.", integrations)
	}
	return invalid("The following data type is not supported: %s (Data type names are all lowercase.)", clip(d.DataType))
}

var (
	nested = regexp.MustCompile(`\{\{.*\}\}`)
	image  = regexp.MustCompile(`^ami-[0-9a-z]{8,17}$`)
)

// integrations is where webhooks' parameters are.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/creating-integrations.html
const integrations = "d9d01087-4a3f-49e0-b0b4-d568d7826553/ssm/integrations/webhook/"

// checkPattern checks a value against its AllowedPattern, which may match any part of
// it: whoever means all of it writes ^ and $.
func checkPattern(d *Draft) error {
	if d.AllowedPattern == "" {
		return nil
	}
	if len(d.AllowedPattern) > maxPattern {
		return violates(clip(d.AllowedPattern), "allowedPattern", "Member must have length less than or equal to 1024")
	}
	p, err := regexp.Compile(d.AllowedPattern)
	if err != nil {
		return refuse("InvalidAllowedPatternException", "The request doesn't meet the regular expression requirement: %v", err)
	}
	if !p.MatchString(d.Value) {
		return refuse("ParameterPatternMismatchException", "Parameter value, cannot be validated against allowedPattern: %s", d.AllowedPattern)
	}
	return nil
}
