package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// change is what an update does to a function that is there.
type change struct {
	code     bool
	settings *lambda.UpdateFunctionConfigurationInput
	what     []string // the settings, for a person; of variables the names alone
}

// update changes the code and the settings whose flags were given, where they
// differ from what is there. Lambda has no call for both, so the code is checked
// first, then the settings are changed, which checks them, and the code last: what
// is refused has changed nothing.
func (d *deployment) update(ctx context.Context, c *client, p *packed, current *lambda.GetFunctionConfigurationOutput, say *steps) error {
	do := d.change(p, current)
	if do.code {
		in := lambda.UpdateFunctionCodeInput{FunctionName: &d.name, ZipFile: p.zip, DryRun: true}
		if _, err := c.lambda.UpdateFunctionCode(ctx, &in); err != nil {
			return hint(err, "The code was refused: nothing was changed.")
		}
	}
	grants, err := d.planGrants(ctx, c, current)
	if err != nil {
		return err
	}
	if len(do.what) > 0 {
		if _, err := c.lambda.UpdateFunctionConfiguration(ctx, do.settings); err != nil {
			return hint(err, "The settings were refused: nothing was changed, and the code is the old one.")
		}
		say.say("changed %s", strings.Join(do.what, ", "))
	}
	if err := c.apply(ctx, ownRole(d.name), grants, say); err != nil {
		return hint(err, "The permissions were refused, and the code is the old one.")
	}
	if !do.code {
		say.say("the code is the same")
		return nil
	}
	if err := d.replaceCode(ctx, c, p); err != nil {
		if len(do.what) == 0 {
			return hint(err, "Nothing was changed.")
		}
		return hint(err, "The code is the old one, but these were changed: %s.", strings.Join(do.what, ", "))
	}
	say.say("changed the code")
	return nil
}

// planGrants checks what is asked for with the function's own role, and that it has one.
func (d *deployment) planGrants(ctx context.Context, c *client, current *lambda.GetFunctionConfigurationOutput) (*grantPlan, error) {
	if d.grants.none() {
		return &grantPlan{}, nil
	}
	if err := c.checkOwnRole(ctx, d.name, aws.ToString(current.Role)); err != nil {
		return nil, err
	}
	p, err := c.plan(ctx, ownRole(d.name), d.grants)
	var h hinted
	if err != nil && !errors.As(err, &h) {
		err = hint(err, "The permissions were refused: nothing was changed.")
	}
	return p, err
}

// replaceCode uploads the code, once the update before it has ended.
func (d *deployment) replaceCode(ctx context.Context, c *client, p *packed) error {
	err := lambda.NewFunctionUpdatedV2Waiter(c.lambda, func(o *lambda.FunctionUpdatedV2WaiterOptions) {
		o.MinDelay, o.MaxDelay = 50*time.Millisecond, time.Second
	}).Wait(ctx, &lambda.GetFunctionInput{FunctionName: &d.name}, 2*time.Minute)
	if err != nil {
		return fmt.Errorf("wait for the new settings: %w", err)
	}
	_, err = c.lambda.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &d.name, ZipFile: p.zip})
	return err
}

// change compares what was asked for with what is there; variables are added to
// those there are.
func (d *deployment) change(p *packed, current *lambda.GetFunctionConfigurationOutput) change {
	sum := sha256.Sum256(p.zip)
	in := &lambda.UpdateFunctionConfigurationInput{FunctionName: &d.name}
	do := change{code: base64.StdEncoding.EncodeToString(sum[:]) != aws.ToString(current.CodeSha256), settings: in}
	number := func(name string, want int32, have *int32, set **int32) {
		if want != 0 && want != aws.ToInt32(have) {
			*set = &want
			do.what = append(do.what, fmt.Sprintf("%s from %d to %d", name, aws.ToInt32(have), want))
		}
	}
	text := func(name, want, have string, set func()) {
		if want != "" && want != have {
			set()
			do.what = append(do.what, fmt.Sprintf("%s from %s to %s", name, have, want))
		}
	}
	number("memory", d.memory, current.MemorySize, &in.MemorySize)
	number("timeout", d.timeout, current.Timeout, &in.Timeout)
	text("runtime", d.runtime, string(current.Runtime), func() { in.Runtime = types.Runtime(d.runtime) })
	text("handler", d.handler, aws.ToString(current.Handler), func() { in.Handler = &d.handler })
	text("role", d.role, aws.ToString(current.Role), func() { in.Role = &d.role })
	vars := map[string]string{}
	if current.Environment != nil {
		maps.Copy(vars, current.Environment.Variables)
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(d.env)) {
		if old, there := vars[name]; !there || old != d.env[name] {
			vars[name] = d.env[name]
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		in.Environment = &types.Environment{Variables: vars}
		do.what = append(do.what, "variables "+strings.Join(names, " "))
	}
	return do
}
