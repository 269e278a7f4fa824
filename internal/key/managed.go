package key

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// managedServices are those that have an AWS managed key, and what is said of it.
var managedServices = map[string]string{
	"lambda":         "Default key that protects my Lambda functions when no other key is defined",
	"secretsmanager": "Default key that protects my Secrets Manager data when no other key is defined",
	"ssm":            "Default key that protects my SSM parameters when no other key is defined",
}

func managedAlias(service string) string { return aliasPrefix + "aws/" + service }

// managedBy is the service whose AWS managed key has the alias; "" for other aliases.
func managedBy(alias string) string {
	service, ok := strings.CutPrefix(alias, managedAlias(""))
	if _, known := managedServices[service]; !ok || !known {
		return ""
	}
	return service
}

// managed gives the AWS managed key of a service. Its first user makes it, with its
// alias, in one transaction; of two at once one finds the other's.
func (s *Service) managed(ctx context.Context, service string) (k *Key, err error) {
	err = s.cfg.Store.View(ctx, func(r store.Reader) error {
		k, err = s.find(r, managedAlias(service))
		return err
	})
	if err == nil || !isMissing(err) {
		return k, err
	}
	err = s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		if k, err = s.find(tx, managedAlias(service)); err == nil || !isMissing(err) {
			return err
		}
		k = &Key{
			ID: id.UUID(), Service: service, Description: managedServices[service], Policy: s.managedPolicy(service),
			Rotation: Rotation{Days: usualRotation, Next: s.now().AddDate(0, 0, usualRotation)},
		}
		a := &Alias{Name: managedAlias(service), Key: k.ID, Created: s.now(), Updated: s.now()}
		return errors.Join(s.add(tx, k), putAlias(tx, a))
	})
	return k, err
}

// managedPolicy lets everybody in the account use the key, but only by way of the
// service.
// https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-key
func (s *Service) managedPolicy(service string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Id":"auto-%[1]s-1","Statement":[`+
		`{"Sid":"Allow access through %[1]s for all principals in the account that are authorized to use it",`+
		`"Effect":"Allow","Principal":{"AWS":"*"},"Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDataKey*","kms:DescribeKey"],`+
		`"Resource":"*","Condition":{"StringEquals":{"kms:CallerAccount":"%[2]s","kms:ViaService":"%[3]s"}}},`+
		`{"Sid":"Allow direct access to key metadata to the account","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%[2]s:root"},`+
		`"Action":["kms:Describe*","kms:Get*","kms:List*"],"Resource":"*"}]}`, service, s.cfg.Account, s.endpoint(service))
}

// endpoint is a service's name in kms:ViaService.
func (s *Service) endpoint(service string) string {
	return service + "." + s.cfg.Region + ".amazonaws.com"
}

// withUnused adds the aliases of AWS managed keys that nobody has used yet.
func withUnused(list []Alias) []Alias {
	for service := range managedServices {
		name := managedAlias(service)
		if !slices.ContainsFunc(list, func(a Alias) bool { return a.Name == name }) {
			list = append(list, Alias{Name: name})
		}
	}
	slices.SortFunc(list, func(a, b Alias) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// Via is KMS as one of this node's services uses it on a caller's behalf. Whether
// the caller may is asked beforehand, with what Need says.
type Via struct {
	s       *Service
	service string
}

// Via gives the KMS of a service that has an AWS managed key: ssm, secretsmanager,
// lambda.
func (s *Service) Via(service string) *Via {
	if _, ok := managedServices[service]; !ok {
		panic("key: no AWS managed key for " + service) // a mistake of the composition
	}
	return &Via{s, service}
}

// Encrypt encrypts plain, of any size, under the key that ref means; "" is the
// service's AWS managed key, made when it is first used. It gives the key's ARN too.
func (v *Via) Encrypt(ctx context.Context, ref string, plain []byte, context map[string]string) (blob []byte, keyARN string, err error) {
	if n, err := v.s.parse(cmp.Or(ref, managedAlias(v.service))); err != nil {
		return nil, "", err
	} else if n.alias == managedAlias(v.service) {
		k, err := v.s.managed(ctx, v.service)
		if err != nil {
			return nil, "", err
		}
		ref = k.ID
	}
	blob, k, err := v.s.encrypt(ctx, ref, plain, context)
	if err != nil {
		return nil, "", err
	}
	return blob, v.s.keyARN(k.ID), nil
}

// Decrypt decrypts what Encrypt made, with the same context.
func (v *Via) Decrypt(ctx context.Context, blob []byte, context map[string]string) ([]byte, error) {
	plain, _, err := v.s.decrypt(ctx, blob, "", context)
	return plain, err
}

// Need is what a caller must be allowed ("kms:Decrypt") so that the service may use
// the key for it. A key that is not there yet is asked for by its alias.
func (v *Via) Need(ctx context.Context, action, ref string, context map[string]string) access.Need {
	ref = cmp.Or(ref, managedAlias(v.service))
	n, _ := v.s.parse(ref)
	if n.alias == managedAlias(v.service) { // so that its policy can be asked
		if k, err := v.s.managed(ctx, v.service); err == nil {
			ref = k.ID
		}
	}
	keys := v.s.conditions(ctx, ref)
	keys["kms:ViaService"] = []string{v.s.endpoint(v.service)}
	addContext(keys, context)
	return access.Need{Action: action, Resource: v.s.resource(ctx, ref), Keys: keys}
}
