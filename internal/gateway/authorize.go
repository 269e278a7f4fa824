package gateway

import (
	"context"
	"net/http"
	"reflect"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/arn"
	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/fault"
)

// accessDenied is the code of what a caller may not do.
const accessDenied = "AccessDeniedException"

// Authorizer decides whether a caller may do something.
type Authorizer interface {
	// Authorize returns nil if p may do action ("lambda:InvokeFunction") with the
	// operation's input in, a pointer to the SDK's struct, nil for a page. A
	// refusal is a *fault.Error with the code AccessDeniedException; any other
	// error is a fault of ours. Whatever is not allowed is denied.
	Authorize(ctx context.Context, p auth.Principal, action string, in any) error
}

// actions are the permissions whose names are not their operation's.
var actions = map[string]string{
	"lambda:Invoke":                   "lambda:InvokeFunction",
	"lambda:InvokeWithResponseStream": "lambda:InvokeFunction",
	"lambda:GetLayerVersionByArn":     "lambda:GetLayerVersion",
}

// OwnerOnly lets the account's root user do everything and others nothing. It stands
// in while there are no policies to ask.
type OwnerOnly struct {
	// Region completes the names of resources in refusals.
	Region string
}

// Authorize implements Authorizer.
func (o OwnerOnly) Authorize(_ context.Context, p auth.Principal, action string, in any) error {
	if p.Kind == auth.RootUser {
		return nil
	}
	return fault.New(http.StatusForbidden, accessDenied, "User: %s is not authorized to perform: %s on resource: %s "+
		"because no identity-based policy allows the %s action", p.ARN, action, o.resource(p.Account, action, in), action)
}

// named are the members that name an operation's resource, and what comes before and
// after the name in its ARN, by service.
var named = map[string]struct{ member, before, after string }{
	"lambda": {"FunctionName", "function:", ""},
	"logs":   {"LogGroupName", "log-group:", ":log-stream:"},
}

// resource is the ARN of what in is about, or "*".
func (o OwnerOnly) resource(account, action string, in any) string {
	service, _, _ := strings.Cut(action, ":")
	n, ok := named[service]
	v := reflect.ValueOf(in)
	if !ok || v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return "*"
	}
	field := v.Elem().FieldByName(n.member)
	if !field.IsValid() || field.Kind() != reflect.Pointer || field.IsNil() {
		return "*"
	}
	name := field.Elem()
	if name.Kind() != reflect.String {
		return "*"
	}
	if arn.Is(name.String()) {
		return name.String()
	}
	return arn.New(service, o.Region, account, n.before+name.String()+n.after).String()
}
