package iam

import (
	"context"
	"net/http"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/id"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Bounds of roles, in seconds.
// Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
const (
	leastSession = 3600
	mostSession  = 43200
)

// createRole makes a role. Its trust policy, and what else it has, is set in e.
func (s *Service) createRole(ctx context.Context, e *Entity, tags []Tag) error {
	e.Kind = Role
	if err := checkDescription(e.Description); err != nil {
		return err
	}
	if e.MaxSession == 0 {
		e.MaxSession = leastSession
	}
	if err := checkSession(e.MaxSession); err != nil {
		return err
	}
	if strings.HasPrefix(fold(e.Path), servicePath) && e.Service == "" {
		return validation("Role path %s is reserved for roles of services.", servicePath)
	}
	if err := checkTrust(e.Trust); err != nil {
		return err
	}
	return s.create(ctx, e, tags)
}

func checkSession(seconds int) error {
	switch {
	case seconds < leastSession:
		return constraint(seconds, "maxSessionDuration", "Member must have value greater than or equal to %d", leastSession)
	case seconds > mostSession:
		return constraint(seconds, "maxSessionDuration", "Member must have value less than or equal to %d", mostSession)
	}
	return nil
}

// alterRole is alter for roles that are not a service's own.
func (s *Service) alterRole(ctx context.Context, name string, fn func(tx store.Tx, e *Entity) error) error {
	return s.alter(ctx, Role, name, func(tx store.Tx, e *Entity) error {
		if err := modifiable(e); err != nil {
			return err
		}
		return fn(tx, e)
	})
}

// updateTrust says anew who may assume a role.
func (s *Service) updateTrust(ctx context.Context, name, document string) error {
	if err := checkTrust(document); err != nil {
		return err
	}
	return s.alterRole(ctx, name, func(tx store.Tx, e *Entity) (err error) {
		e.Trust = document
		e.Trusted, err = s.bind(tx, document)
		return err
	})
}

// updateRole sets a description and a longest session; nil leaves one as it is.
func (s *Service) updateRole(ctx context.Context, name string, description *string, maxSession *int32) (after *Entity, err error) {
	if description != nil {
		if err := checkDescription(*description); err != nil {
			return nil, err
		}
	}
	if maxSession != nil {
		if err := checkSession(int(*maxSession)); err != nil {
			return nil, err
		}
	}
	err = s.alter(ctx, Role, name, func(_ store.Tx, e *Entity) error {
		if description != nil {
			e.Description = *description
		}
		if maxSession != nil {
			if err := modifiable(e); err != nil {
				return err
			}
			e.MaxSession = int(*maxSession)
		}
		after = e
		return nil
	})
	return after, err
}

func (s *Service) deleteRole(ctx context.Context, name string) error {
	return s.remove(ctx, Role, name, func(tx store.Tx, e *Entity) error {
		if err := modifiable(e); err != nil {
			return err
		}
		profiles, err := lastParts(tx, below("carries", e.ID))
		if err == nil && len(profiles) > 0 {
			err = deleteConflict("Cannot delete entity, must remove roles from instance profile first.")
		}
		return err
	})
}

// servicePath begins the paths of roles that belong to services.
const servicePath = "/aws-service-role/"

// modifiable refuses to change what belongs to a service.
func modifiable(e *Entity) error {
	if e.Service == "" {
		return nil
	}
	return fault.New(http.StatusBadRequest, "UnmodifiableEntity",
		"Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", e.Name)
}

// linkedNames are the names that services have in those of their roles, where it is
// not their own.
var linkedNames = map[string]string{
	"lambda.amazonaws.com":            "Lambda",
	"replicator.lambda.amazonaws.com": "LambdaReplicator",
	"sqs.amazonaws.com":               "SQS",
	"apigateway.amazonaws.com":        "APIGateway",
	"ops.apigateway.amazonaws.com":    "APIGateway",
	"dynamodb.amazonaws.com":          "DynamoDB",
	"scheduler.amazonaws.com":         "Scheduler",
	"events.amazonaws.com":            "Events",
	"states.amazonaws.com":            "StepFunctions",
	"logs.amazonaws.com":              "CloudWatchLogs",
}

// linkedRole is the role a service has.
func linkedRole(service, suffix string) *Entity {
	name := linkedNames[service]
	if first, _, _ := strings.Cut(service, "."); name == "" && first != "" {
		name = strings.ToUpper(first[:1]) + first[1:]
	}
	e := &Entity{Kind: Role, Name: "AWSServiceRoleFor" + name, Path: servicePath + service + "/", Service: service}
	if suffix != "" {
		e.Name += "_" + suffix
	}
	return e
}

// createLinkedRole makes the role of a service that no one else may change.
func (s *Service) createLinkedRole(ctx context.Context, service, suffix, description string) (*Entity, error) {
	host, ok := strings.CutSuffix(service, ".amazonaws.com")
	if !ok || host == "" || !nameForm.MatchString(host) {
		return nil, invalidInput("%s is not a valid AWS service name.", clip(service))
	}
	e := linkedRole(service, suffix)
	e.Description = description
	e.Trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}]}`
	err := s.createRole(ctx, e, nil)
	if fault.Is(err, "EntityAlreadyExists") {
		err = invalidInput("Service role name %s has been taken in this account, please try a different suffix.", e.Name)
	}
	return e, err
}

// deleteLinkedRole removes a service's role at once and names the task that did.
func (s *Service) deleteLinkedRole(ctx context.Context, name string) (task string, err error) {
	err = s.remove(ctx, Role, name, func(_ store.Tx, e *Entity) error {
		if e.Service == "" {
			return noSuchEntity("The role %s is not a service-linked role.", e.Name)
		}
		task = "task" + e.Path + e.Name + "/" + id.UUID()
		return nil
	})
	return task, err
}

// RoleOf gives the role of an ARN.
func (s *Service) RoleOf(ctx context.Context, text string) (e *Entity, err error) {
	resource, path, name, ok := s.splitARN(text)
	if !ok || resource != string(Role) {
		return nil, noSuchEntity("The role %s cannot be found.", clip(text))
	}
	if e, err = s.Find(ctx, Role, name); err == nil && (e.Path != path || e.Name != name) {
		err = noSuchEntity("The role %s cannot be found.", clip(text))
	}
	return e, err
}
