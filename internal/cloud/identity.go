package cloud

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/arn"
	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/gateway"
	"github.com/mayfly-cloud/mayfly/internal/iam"
	"github.com/mayfly-cloud/mayfly/internal/iam/sts"
	"github.com/mayfly-cloud/mayfly/internal/invoke"
	"github.com/mayfly-cloud/mayfly/internal/worker"
)

// openIdentity opens who there is, and who makes temporary credentials.
func (n *Node) openIdentity(context.Context) error {
	n.iam = iam.New(iam.Config{
		Store: n.store, Account: n.root.Account(), Region: n.cfg.Region, Sealer: n.nodeKey, Clock: clock.System, Log: n.cfg.Log,
	})
	n.run("identities", n.iam.Run)
	n.sts = sts.New(sts.Config{Identities: n.iam, Sessions: n.sessions, Keys: gateway.SetKeys, Denied: gateway.Denied, Clock: clock.System})
	return nil
}

// openPermissions joins who there is with what there is.
func (n *Node) openPermissions() {
	n.may = gateway.NewPermissions(gateway.PermissionsConfig{
		Identities: n.iam, Region: n.cfg.Region, Log: n.cfg.Log,
		Resources: map[string]gateway.Protected{
			"lambda":         {Policies: n.functions},
			"kms":            {Policies: n.encryption, MustAllow: true},
			"secretsmanager": {Policies: n.secrets},
			"sqs":            {Policies: n.queues},
		},
	})
}

// keys are all access keys that requests may be signed with. Temporary ones are good
// as long as whose they are is there.
func (n *Node) keys() auth.Keys {
	return auth.Ring{n.root, n.iam.Keys(), n.iam.Owned(n.root.Owned(n.sessions))}
}

// lambdaService is the function service as trust policies name it.
const lambdaService = "lambda.amazonaws.com"

// errCannotAssume is what AWS says of a role that functions cannot run under.
var errCannotAssume = fault.New(http.StatusBadRequest, "InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.")

// roles are the execution roles as the function service sees them.
type roles struct{ *Node }

func (r roles) CheckRole(ctx context.Context, roleARN, functionARN string) error {
	if role, err := arn.Parse(roleARN); err == nil && role.Account != r.root.Account() {
		return fault.New(http.StatusForbidden, "AccessDeniedException", "Cross-account pass role is not allowed.")
	}
	may, err := r.sts.MayAssume(ctx, lambdaService, roleARN, functionARN)
	if err != nil {
		return fmt.Errorf("ask who may assume %s: %w", roleARN, err)
	}
	if !may {
		return errCannotAssume
	}
	return nil
}

// credentials are the keys of roles as the worker sees them.
type credentials struct{ *Node }

// ForRole asks anew whether the role may be assumed: it may have been deleted, or
// trust others now.
func (c credentials) ForRole(ctx context.Context, roleARN, session, functionARN string) (worker.Keys, error) {
	got, err := c.sts.ForService(ctx, sts.ServiceSession{
		Service: lambdaService, RoleARN: roleARN, Name: session, Source: functionARN, Life: sessionLife,
	})
	if fault.Is(err, "AccessDenied") {
		return worker.Keys{}, fault.New(http.StatusForbidden, "AccessDeniedException", "%s", errCannotAssume.Message)
	}
	if err != nil {
		return worker.Keys{}, fmt.Errorf("make credentials of %s: %w", roleARN, err)
	}
	return worker.Keys{AccessKeyID: got.AccessKeyID, SecretAccessKey: got.Secret, SessionToken: got.Token, Expires: got.Expires}, nil
}

// MayLog asks the role's policies, as AWS does for every log group. It is the function
// that writes, not whoever called it: the call is no circumstance of it.
func (c credentials) MayLog(_ context.Context, roleARN, functionARN, group, stream string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	p, err := auth.ForFunction(roleARN, functionARN, clock.System.Now())
	if err != nil {
		return false
	}
	resource := arn.New("logs", c.cfg.Region, c.root.Account(), "log-group:"+group+":log-stream:"+stream).String()
	return c.may.May(ctx, p, access.Need{Action: "logs:PutLogEvents", Resource: resource}) == nil
}

func (c credentials) Revoke(k worker.Keys) { c.sessions.Revoke(k.AccessKeyID, k.Expires) }

// mayInvoke asks whether a function's role lets it hand something to another function.
func (n *Node) mayInvoke(ctx context.Context, from invoke.Sender, to string) error {
	resource, err := n.functions.ARN(to)
	if err != nil {
		return err
	}
	return n.maySend(ctx, from, "lambda:InvokeFunction", resource)
}

// maySend asks whether a function's role lets it hand something on: the role has to be
// one that functions still run under.
func (n *Node) maySend(ctx context.Context, from invoke.Sender, action, resource string) error {
	may, err := n.sts.MayAssume(ctx, lambdaService, from.Role, from.Function)
	if err != nil {
		return fmt.Errorf("ask who may assume %s: %w", from.Role, err)
	}
	if !may {
		return errCannotAssume
	}
	p, err := auth.ForFunction(from.Role, from.Function, clock.System.Now())
	if err != nil {
		return err
	}
	return n.may.May(ctx, p, access.Need{Action: action, Resource: resource})
}

// RotateRoot makes new root credentials in the data folder of a node that is not
// running, which the folder's lock makes sure of.
func RotateRoot(ctx context.Context, dir string) (err error) {
	root, err := auth.ReadRoot(dir)
	if err != nil {
		return err
	}
	lock, err := lockFolder(dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	return root.Rotate(dir)
}
