package access

import (
	"context"
	"reflect"
)

// Table is what each operation of a service needs, by the operation's name.
type Table map[string]Rule

// Rule is what one operation needs.
type Rule struct {
	// Action is the permission: "lambda:InvokeFunction". Empty means that every
	// caller may, and nothing is asked for: sts:GetCallerIdentity.
	Action string
	// Itself says that the operation decides by itself whether the caller may,
	// because policies count that only it can read: sts:AssumeRole by a role's trust
	// policy. The gateway then asks for nothing; Needs still tells what is needed.
	Itself bool
	// Unsigned says that the operation is served without a signature, because what
	// it is sent says who calls: sts:AssumeRoleWithWebIdentity.
	Unsigned bool
	// Resources are the ARNs that in, a pointer to the SDK's input, is about. The
	// action must be allowed on each. Nil means "*".
	Resources func(ctx context.Context, in any) []string
	// Keys are the service's own condition keys of the request; nil means none.
	Keys func(ctx context.Context, in any) Keys
	// Also is what else in asks for: iam:PassRole for the role it hands over.
	Also func(ctx context.Context, in any) []Need
}

// Keys are condition keys ("lambda:FunctionUrlAuthType") and their values.
type Keys map[string][]string

// Need is one thing a caller must be allowed to do.
type Need struct {
	Action, Resource string
	Keys             Keys
}

// Needs lists what the operation needs for in.
func (r Rule) Needs(ctx context.Context, in any) []Need {
	resources := []string{"*"}
	if r.Resources != nil {
		resources = r.Resources(ctx, in)
	}
	var keys Keys
	if r.Keys != nil {
		keys = r.Keys(ctx, in)
	}
	needs := make([]Need, 0, len(resources)+1)
	for _, arn := range resources {
		if r.Action != "" {
			needs = append(needs, Need{Action: r.Action, Resource: arn, Keys: keys})
		}
	}
	if r.Also != nil {
		needs = append(needs, r.Also(ctx, in)...)
	}
	return needs
}

// Text reads a text member of an SDK input, a pointer to a struct: "" where it is
// nil, of another type, or not there.
func Text(in any, member string) string {
	v := reflect.ValueOf(in)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return ""
	}
	f := v.Elem().FieldByName(member)
	if f.Kind() == reflect.Pointer {
		f = f.Elem()
	}
	if f.Kind() != reflect.String {
		return ""
	}
	return f.String()
}
