package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
)

// A function that is deployed without a role gets one of its own, tagged with its name.
// It holds up to three inline policies:
//
//	mayfly-logging   its own log, and nothing else
//	mayfly-allow     what --allow gave
//	mayfly-policy    what is in the file of --policy
const (
	functionTag   = "mayfly:function"
	loggingPolicy = "mayfly-logging"
	allowPolicy   = "mayfly-allow"
	filePolicy    = "mayfly-policy"
)

// lambdaTrust lets functions assume a role.
const lambdaTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

// permissions are what is asked for with a deployment.
type permissions struct {
	allow, revoke []string
	file          string
}

// grants are permissions, read: nothing of them is sent before all are.
type grants struct {
	allow, revoke []statement
	file          string // a document; empty for none
}

func (p *permissions) read(ctx context.Context, c *client) (g *grants, err error) {
	g = &grants{}
	var account string
	if len(p.allow)+len(p.revoke) > 0 {
		if account, err = c.account(ctx); err != nil {
			return nil, err
		}
	}
	if p.file != "" {
		if g.file, err = readPolicy(p.file); err != nil {
			return nil, err
		}
	}
	for _, list := range []struct {
		texts []string
		into  *[]statement
	}{{p.allow, &g.allow}, {p.revoke, &g.revoke}} {
		for _, text := range list.texts {
			s, err := parseGrant(text, account, region())
			if err != nil {
				return nil, err
			}
			*list.into = append(*list.into, s)
		}
	}
	return g, nil
}

func (g *grants) none() bool { return g.file == "" && len(g.allow)+len(g.revoke) == 0 }

// ownRole is the name of the role that a function gets: at most 64 characters.
func ownRole(function string) string {
	name := "mayfly-" + function
	if len(name) > 64 {
		sum := sha256.Sum256([]byte(function))
		name = name[:55] + "-" + hex.EncodeToString(sum[:4])
	}
	return name
}

// makeRole makes the role of a new function. One that an earlier function of this name
// left is made anew, so that the function may do no more than is asked for now; unless
// others use it, then it is taken as it is.
func (c *client) makeRole(ctx context.Context, function string) (arn string, made bool, err error) {
	account, err := c.account(ctx)
	if err != nil {
		return "", false, err
	}
	name := ownRole(function)
	in := &iam.CreateRoleInput{
		RoleName: &name, AssumeRolePolicyDocument: aws.String(lambdaTrust),
		Description: aws.String("Made by mayfly deploy for the function " + function),
		Tags:        []types.Tag{{Key: aws.String(functionTag), Value: &function}},
	}
	out, err := c.iam.CreateRole(ctx, in)
	var there *types.EntityAlreadyExistsException
	if errors.As(err, &there) {
		role, left, err := c.replaceRole(ctx, function)
		if err != nil || left {
			return role, false, err
		}
		if out, err = c.iam.CreateRole(ctx, in); err != nil {
			return "", false, err
		}
	} else if err != nil {
		return "", false, err
	}
	group := strings.Join([]string{"arn:aws:logs", region(), account, "log-group:/aws/lambda/" + function + ":*"}, ":")
	err = c.putPolicy(ctx, name, loggingPolicy, []statement{{"Allow", []string{"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}, group}})
	if err != nil {
		return "", false, errors.Join(err, c.removeRole(ctx, name))
	}
	return aws.ToString(out.Role.Arn), true, nil
}

// replaceRole removes the role of an earlier function, or leaves it to those that use it.
func (c *client) replaceRole(ctx context.Context, function string) (arn string, left bool, err error) {
	name := ownRole(function)
	role, err := c.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if err != nil {
		return "", false, err
	}
	if !isOf(role.Role, function) {
		return "", false, hint(fmt.Errorf("there is a role %s that mayfly deploy did not make", name),
			"Deploy with that role: --role %s\nOr delete it, or give the function another name.", aws.ToString(role.Role.Arn))
	}
	removed, err := c.removeOwnRole(ctx, function)
	return aws.ToString(role.Role.Arn), !removed, err
}

// isOf says whether a role was made for a function.
func isOf(r *types.Role, function string) bool {
	return r != nil && slices.ContainsFunc(r.Tags, func(t types.Tag) bool {
		return aws.ToString(t.Key) == functionTag && aws.ToString(t.Value) == function
	})
}

// checkOwnRole sees that a function runs under the role that was made for it.
func (c *client) checkOwnRole(ctx context.Context, function, arn string) error {
	name := ownRole(function)
	out, err := c.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	var missing *types.NoSuchEntityException
	if err != nil && !errors.As(err, &missing) {
		return err
	}
	if err != nil || aws.ToString(out.Role.Arn) != arn || !isOf(out.Role, function) {
		return hint(fmt.Errorf("%s runs under %s, which mayfly deploy did not make", function, arn),
			"Give that role the permission: aws iam put-role-policy")
	}
	return nil
}

// grantPlan is what grants change in a role.
type grantPlan struct {
	file    string      // new document of filePolicy; empty to leave it
	allow   []statement // new statements of allowPolicy
	changed bool        // whether allowPolicy changes
	did     []string    // for people
}

// plan finds out what grants change in a role, and checks it, before anything does.
func (c *client) plan(ctx context.Context, role string, g *grants) (*grantPlan, error) {
	p := &grantPlan{file: g.file}
	if g.file != "" {
		p.did = append(p.did, "allowed what the policy says")
	}
	if len(g.allow)+len(g.revoke) > 0 {
		have, err := c.allowed(ctx, role)
		if err != nil {
			return nil, err
		}
		for _, s := range g.revoke {
			left := slices.DeleteFunc(slices.Clone(have), s.is)
			if len(left) == len(have) {
				return nil, hint(fmt.Errorf("--allow never gave %s", s.text()), "It gave: %s", textOf(have))
			}
			have, p.changed, p.did = left, true, append(p.did, "no longer allowed "+s.text())
		}
		for _, s := range g.allow {
			if !slices.ContainsFunc(have, s.is) {
				have, p.changed, p.did = append(have, s), true, append(p.did, "allowed "+s.text())
			}
		}
		p.allow = have
	}
	return p, c.checkPlan(ctx, p)
}

// checkPlan has identity management read the policies that would be written. Who may
// not ask for that learns of mistakes later.
func (c *client) checkPlan(ctx context.Context, p *grantPlan) error {
	var docs []string
	if p.file != "" {
		docs = append(docs, p.file)
	}
	if len(p.allow) > 0 {
		doc, err := policyText(p.allow)
		if err != nil {
			return err
		}
		docs = append(docs, doc)
	}
	if len(docs) == 0 {
		return nil
	}
	_, err := c.iam.SimulateCustomPolicy(ctx, &iam.SimulateCustomPolicyInput{PolicyInputList: docs, ActionNames: []string{"sts:GetCallerIdentity"}})
	var refused smithy.APIError
	if errors.As(err, &refused) && refused.ErrorCode() == "AccessDenied" {
		return nil
	}
	return err
}

// apply does what a plan says, and tells of it.
func (c *client) apply(ctx context.Context, role string, p *grantPlan, say *steps) error {
	if p.file != "" {
		_, err := c.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &role, PolicyName: aws.String(filePolicy), PolicyDocument: &p.file})
		if err != nil {
			return err
		}
	}
	var err error
	switch {
	case !p.changed:
	case len(p.allow) == 0:
		_, err = c.iam.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &role, PolicyName: aws.String(allowPolicy)})
	default:
		err = c.putPolicy(ctx, role, allowPolicy, p.allow)
	}
	if err != nil {
		return err
	}
	for _, line := range p.did {
		say.say("%s", line)
	}
	return nil
}

func (s statement) is(o statement) bool {
	return s.Resource == o.Resource && slices.Equal(slices.Sorted(slices.Values(s.Action)), slices.Sorted(slices.Values(o.Action)))
}

func (s statement) text() string { return strings.Join(s.Action, ",") + " on " + s.Resource }

func textOf(list []statement) string {
	var texts []string
	for _, s := range list {
		texts = append(texts, s.text())
	}
	if len(texts) == 0 {
		return "nothing"
	}
	return strings.Join(texts, "; ")
}

// allowed reads what --allow gave until now.
func (c *client) allowed(ctx context.Context, role string) ([]statement, error) {
	out, err := c.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &role, PolicyName: aws.String(allowPolicy)})
	var missing *types.NoSuchEntityException
	if errors.As(err, &missing) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	text, err := url.PathUnescape(aws.ToString(out.PolicyDocument))
	var doc policyDocument
	if err == nil {
		err = json.Unmarshal([]byte(text), &doc)
	}
	if err != nil {
		return nil, hint(fmt.Errorf("read policy %s of role %s: %w", allowPolicy, role, err), "It was changed by hand: use another name for such a policy.")
	}
	return doc.Statement, nil
}

func (c *client) putPolicy(ctx context.Context, role, name string, list []statement) error {
	doc, err := policyText(list)
	if err == nil {
		_, err = c.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &role, PolicyName: &name, PolicyDocument: &doc})
	}
	return err
}

func policyText(list []statement) (string, error) {
	b, err := json.Marshal(policyDocument{"2012-10-17", list})
	if err != nil {
		return "", fmt.Errorf("write policy: %w", err)
	}
	return string(b), nil
}

// removeOwnRole deletes the role that was made for a function, if there is one and no
// function uses it.
func (c *client) removeOwnRole(ctx context.Context, function string) (removed bool, err error) {
	name := ownRole(function)
	out, err := c.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	var missing *types.NoSuchEntityException
	if errors.As(err, &missing) || err == nil && !isOf(out.Role, function) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	pages := lambda.NewListFunctionsPaginator(c.lambda, &lambda.ListFunctionsInput{FunctionVersion: lambdatypes.FunctionVersionAll})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return false, err
		}
		for _, f := range page.Functions {
			if aws.ToString(f.Role) == aws.ToString(out.Role.Arn) {
				return false, nil
			}
		}
	}
	return true, c.removeRole(ctx, name)
}

// removeRole deletes a role and its policies.
func (c *client) removeRole(ctx context.Context, name string) error {
	inline := iam.NewListRolePoliciesPaginator(c.iam, &iam.ListRolePoliciesInput{RoleName: &name})
	for inline.HasMorePages() {
		page, err := inline.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, p := range page.PolicyNames {
			if _, err := c.iam.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &name, PolicyName: &p}); err != nil {
				return err
			}
		}
	}
	attached := iam.NewListAttachedRolePoliciesPaginator(c.iam, &iam.ListAttachedRolePoliciesInput{RoleName: &name})
	for attached.HasMorePages() {
		page, err := attached.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, p := range page.AttachedPolicies {
			if _, err := c.iam.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: &name, PolicyArn: p.PolicyArn}); err != nil {
				return err
			}
		}
	}
	_, err := c.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &name})
	return err
}
