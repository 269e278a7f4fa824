package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/spf13/cobra"
)

// deployment is one folder on its way to becoming a function.
type deployment struct {
	dir, name, runtime, handler, role string
	memory, timeout                   int32
	env                               map[string]string
	private                           bool // asked for by --private
	public                            bool // asked for by --private=false
	permissions
	grants *grants
}

// deployed is what came of it.
type deployed struct {
	Name    string `json:"name"`
	ARN     string `json:"arn"`
	Runtime string `json:"runtime"`
	Role    string `json:"role"`
	URL     string `json:"url"`
	Created bool   `json:"created"`
}

func newDeploy(s *settings) *cobra.Command {
	d := &deployment{}
	cmd := &cobra.Command{
		Use:   "deploy DIR",
		Short: "Create or update a function from a folder, and print its URL",
		Long: `Deploy packs a folder, uploads it and waits until it can be called. The runtime
and the handler are told by the files (index.mjs, lambda_function.py, *.go,
*.java, bootstrap) unless given. An update changes the code, and only those
settings whose flags are given; all of it is checked before any of it is changed.

A new function gets a role of its own that may write its log and nothing else.
--allow adds to that, deployment by deployment, and --revoke takes back what it
added; --policy adds what a file says, in place of what it said before. What a
function was refused, mayfly audit --denied lists and mayfly why-denied explains.`,
		Example: `  mayfly deploy examples/hello-node
  mayfly deploy . --name orders --memory 512 --timeout 30 --env STAGE=test
  mayfly deploy . --allow 's3:GetObject on bucket/prefix/*' --allow 'dynamodb:PutItem on table orders'
  mayfly deploy . --policy policy.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d.dir = args[0]
			d.public = cmd.Flags().Changed("private") && !d.private
			c, err := s.client()
			if err != nil {
				return err
			}
			out, err := d.run(cmd.Context(), c, newSteps(cmd.ErrOrStderr()))
			if err != nil {
				return c.plain(err)
			}
			if s.json {
				return printJSON(cmd.OutOrStdout(), out)
			}
			fmt.Fprintln(cmd.OutOrStdout(), out.URL)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&d.name, "name", "", "function's name (default: the folder's)")
	f.StringVar(&d.runtime, "runtime", "", "runtime, such as nodejs22.x (default: the newest found)")
	f.StringVar(&d.handler, "handler", "", "handler, such as index.handler")
	f.StringVar(&d.role, "role", "", "execution role's ARN (default: a role of the function's own)")
	f.StringArrayVar(&d.allow, "allow", nil, "let the function do something: 'ACTION[,ACTION] on RESOURCE'; may be repeated")
	f.StringArrayVar(&d.revoke, "revoke", nil, "take back what --allow gave, in the same words; may be repeated")
	f.StringVar(&d.file, "policy", "", "file with a policy of what else the function may do")
	for _, name := range []string{"allow", "revoke", "policy"} {
		typedOnly(f, name)
		cmd.MarkFlagsMutuallyExclusive("role", name)
	}
	f.Int32Var(&d.memory, "memory", 0, "memory in MB, and with it the share of a processor (default 128)")
	f.Int32Var(&d.timeout, "timeout", 0, "seconds a call may take (default 3)")
	f.StringToStringVar(&d.env, "env", nil, "environment variables of the function: KEY=VALUE,...")
	f.BoolVar(&d.private, "private", false, "let only signed requests through its URL; --private=false opens it again")
	return cmd
}

func (d *deployment) run(ctx context.Context, c *client, say *steps) (*deployed, error) {
	dir, err := filepath.Abs(d.dir)
	if err != nil {
		return nil, fmt.Errorf("find folder: %w", err)
	}
	if d.name == "" {
		d.name = strings.ToLower(filepath.Base(dir))
	}
	if d.grants, err = d.permissions.read(ctx, c); err != nil {
		return nil, err
	}
	p, err := pack(ctx, dir, say)
	if err != nil {
		return nil, err
	}
	say.say("packed %d files, %s", p.files, bytesText(int64(len(p.zip))))
	created, err := d.upload(ctx, c, p, say)
	if err != nil {
		return nil, err
	}
	fn, err := lambda.NewFunctionActiveV2Waiter(c.lambda, func(o *lambda.FunctionActiveV2WaiterOptions) {
		o.MinDelay, o.MaxDelay = 50*time.Millisecond, time.Second
	}).WaitForOutput(ctx, &lambda.GetFunctionInput{FunctionName: &d.name}, 2*time.Minute)
	if err != nil {
		return nil, fmt.Errorf("wait for %s: %w", d.name, err)
	}
	url, err := d.url(ctx, c, say)
	if err != nil {
		return nil, err
	}
	say.say("%s is ready", d.name)
	return &deployed{d.name, aws.ToString(fn.Configuration.FunctionArn), string(fn.Configuration.Runtime),
		aws.ToString(fn.Configuration.Role), url, created}, nil
}

// upload creates the function, or updates the one there is.
func (d *deployment) upload(ctx context.Context, c *client, p *packed, say *steps) (created bool, err error) {
	current, err := c.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &d.name})
	var missing *types.ResourceNotFoundException
	switch {
	case errors.As(err, &missing):
		say.say("creating %s", d.name)
		return true, d.create(ctx, c, p, say)
	case err != nil:
		return false, err
	}
	say.say("updating %s", d.name)
	return false, d.update(ctx, c, p, current, say)
}

func (d *deployment) create(ctx context.Context, c *client, p *packed, say *steps) error {
	runtime, handler := d.runtime, d.handler
	var err error
	if runtime == "" {
		if runtime, err = newest(ctx, c, p.family); err != nil {
			return err
		}
	}
	if handler == "" {
		handler = p.handler
	}
	if handler == "" {
		return hint(errors.New("can't tell which function handles the calls"), "Say it with --handler FILE.FUNCTION")
	}
	in := &lambda.CreateFunctionInput{FunctionName: &d.name, Runtime: types.Runtime(runtime), Handler: &handler, Role: &d.role,
		Code: &types.FunctionCode{ZipFile: p.zip}}
	if d.memory != 0 {
		in.MemorySize = &d.memory
	}
	if d.timeout != 0 {
		in.Timeout = &d.timeout
	}
	if len(d.env) > 0 {
		in.Environment = &types.Environment{Variables: d.env}
	}
	if d.role != "" {
		_, err = c.lambda.CreateFunction(ctx, in)
		return err
	}
	role, made, err := c.makeRole(ctx, d.name)
	if err != nil {
		return err
	}
	in.Role = &role
	grants, err := c.plan(ctx, ownRole(d.name), d.grants)
	if err == nil {
		err = c.apply(ctx, ownRole(d.name), grants, say)
	}
	if err == nil {
		_, err = c.lambda.CreateFunction(ctx, in)
	}
	if err != nil && made { // nothing is left of a function that was refused
		err = errors.Join(err, c.removeRole(context.WithoutCancel(ctx), ownRole(d.name)))
	}
	return err
}

// newest is the newest runtime of the family that the node has found.
func newest(ctx context.Context, c *client, family string) (string, error) {
	var list []runtimeStatus
	if err := c.page(ctx, http.MethodGet, "runtimes", nil, &list); err != nil {
		return "", err
	}
	var found []string
	for _, r := range list {
		if r.Found && strings.HasPrefix(r.Name, family) {
			found = append(found, r.Name)
		}
	}
	if len(found) == 0 {
		return "", hint(fmt.Errorf("the node has no %s runtime", family), "See how to add one: mayfly runtime ls")
	}
	return slices.MaxFunc(found, compareVersions), nil
}

// compareVersions orders names that differ in their numbers: python3.9 comes
// before python3.14.
func compareVersions(a, b string) int {
	if d := len(a) - len(b); d != 0 {
		return d
	}
	return strings.Compare(a, b)
}
