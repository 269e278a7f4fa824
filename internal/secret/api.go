package secret

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/schemas"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"

	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// api turns the SDK's inputs into calls of the Service, and what comes back into
// its outputs.
type api struct{ *Service }

// API lists Secrets Manager's operations: those served, and those AWS has and this
// node has not, whose callers are told so.
func (s *Service) API() wire.API {
	a := api{s}
	return wire.API{
		Service:   "secretsmanager",
		Protocols: []wire.Protocol{wire.JSON11},
		Target:    "secretsmanager",
		Errors:    secretsmanager.TypeRegistry,
		Access:    a.access(),
		Absent:    absent,
		Operations: []wire.Operation{
			wire.Op(schemas.CreateSecret, a.createSecret),
			wire.Op(schemas.UpdateSecret, a.updateSecret),
			wire.Op(schemas.DescribeSecret, a.describeSecret),
			wire.Op(schemas.ListSecrets, a.listSecrets),
			wire.Op(schemas.DeleteSecret, a.deleteSecret),
			wire.Op(schemas.RestoreSecret, a.restoreSecret),

			wire.Op(schemas.PutSecretValue, a.putSecretValue),
			wire.Op(schemas.GetSecretValue, a.getSecretValue),
			wire.Op(schemas.BatchGetSecretValue, a.batchGetSecretValue),
			wire.Op(schemas.ListSecretVersionIds, a.listSecretVersionIDs),
			wire.Op(schemas.UpdateSecretVersionStage, a.updateSecretVersionStage),
			wire.Op(schemas.GetRandomPassword, a.getRandomPassword),

			wire.Op(schemas.TagResource, a.tagResource),
			wire.Op(schemas.UntagResource, a.untagResource),
			wire.Op(schemas.GetResourcePolicy, a.getResourcePolicy),
			wire.Op(schemas.PutResourcePolicy, a.putResourcePolicy),
			wire.Op(schemas.DeleteResourcePolicy, a.deleteResourcePolicy),
			wire.Op(schemas.ValidateResourcePolicy, a.validateResourcePolicy),
		},
	}
}

// absent are the operations that are not here.
var absent = []*smithy.Schema{
	schemas.CancelRotateSecret, schemas.RemoveRegionsFromReplication, schemas.ReplicateSecretToRegions,
	schemas.RotateSecret, schemas.StopReplicationToReplica,
}

// text makes an optional text of an output: nil for an empty one.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// limitOf checks the number of items asked for; absent is the most.
func limitOf(n *int32, most int) (int, error) {
	if n == nil {
		return most, nil
	}
	if *n < 1 || int(*n) > most {
		return 0, violates(*n, "maxResults", "Member must have a value of at least 1 and no more than what the operation gives")
	}
	return int(*n), nil
}

// contentOf reads the two members a value may be in; nil for none.
func contentOf(binary []byte, text *string) (*Content, error) {
	switch {
	case len(binary) > 0 && text != nil:
		return nil, invalid("You can't specify both a binary secret value and a string secret value in the same secret.")
	case text != nil:
		return &Content{Bytes: []byte(*text)}, nil
	case binary != nil:
		return &Content{Bytes: binary, Binary: true}, nil
	}
	return nil, nil
}

// members are the two members a value goes out in.
func (c Content) members() (binary []byte, text *string) {
	if c.Binary {
		return c.Bytes, nil
	}
	return nil, aws.String(string(c.Bytes))
}

func tagsOf(list []types.Tag) []Tag {
	tags := make([]Tag, len(list))
	for i, t := range list {
		tags[i] = Tag{aws.ToString(t.Key), aws.ToString(t.Value)}
	}
	return tags
}

func (sec *Secret) tagList() []types.Tag {
	list := []types.Tag{}
	for _, name := range slices.Sorted(maps.Keys(sec.Tags)) {
		list = append(list, types.Tag{Key: &name, Value: aws.String(sec.Tags[name])})
	}
	return list
}

// stagesByVersion is how a secret's labels are printed.
func (sec *Secret) stagesByVersion() map[string][]string {
	m := map[string][]string{}
	for _, version := range sec.Stages {
		m[version] = sec.stagesOf(version)
	}
	return m
}

func filtersOf(list []types.Filter) []Filter {
	filters := make([]Filter, len(list))
	for i, f := range list {
		filters[i] = Filter{string(f.Key), f.Values}
	}
	return filters
}
