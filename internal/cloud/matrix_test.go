package cloud

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/clock"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/function"
	"github.com/mayfly-cloud/mayfly/internal/gateway"
	"github.com/mayfly-cloud/mayfly/internal/invoke"
	"github.com/mayfly-cloud/mayfly/internal/sdkhttp"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

// open are the operations that everybody may call who can sign, or shows a token.
var open = []string{"sts:GetCallerIdentity", "sts:GetSessionToken", "sts:AssumeRoleWithWebIdentity"}

// TestEveryOperationIsGuarded walks all operations of all APIs as a client would call
// them. Each is refused to who has no policy, allowed to who has one with exactly what
// its table says, and refused again with any one thing of it missing, or about
// something else.
func TestEveryOperationIsGuarded(t *testing.T) {
	m := newMatrix(t)
	for _, api := range m.apis {
		client, ok := m.clients[api.Service]
		if !ok {
			t.Errorf("no client for %s: add the SDK's to this test", api.Service)
			continue
		}
		for _, op := range api.Operations {
			t.Run(api.Service+" "+op.Name(), func(t *testing.T) {
				m.guarded(t, client, op.Name(), api.Access[op.Name()], slices.Contains(open, api.Service+":"+op.Name()))
			})
		}
	}
}

func (m *matrix) guarded(t *testing.T, client any, op string, rule access.Rule, isOpen bool) {
	m.allow(t, nil)
	if isOpen {
		if err := m.call(t, client, op); denied(err) {
			t.Errorf("everybody may, but: %v", err)
		}
		return
	}
	if err := m.call(t, client, op); !denied(err) {
		t.Fatalf("without a policy: %v", err)
	}
	needs := m.needs(t, client, op, rule)
	if len(needs) == 0 {
		t.Fatal("it asks for nothing")
	}
	for i, n := range needs {
		rest := slices.Concat(needs[:i:i], needs[i+1:])
		if slices.ContainsFunc(rest, func(o access.Need) bool { return o.Action == n.Action && o.Resource == n.Resource }) {
			continue // asked for twice
		}
		m.allow(t, rest)
		if err := m.call(t, client, op); !denied(err) || !strings.Contains(err.Error(), n.Action) {
			t.Errorf("without %s: %v", n.Action, err)
		}
		if n.Resource == "*" {
			continue
		}
		other := slices.Clone(needs)
		other[i].Resource += "-other"
		m.allow(t, other)
		if err := m.call(t, client, op); !denied(err) {
			t.Errorf("with %s on %s: %v", n.Action, other[i].Resource, err)
		}
	}
	needs = m.needs(t, client, op, rule)
	m.allow(t, needs)
	if err := m.call(t, client, op); denied(err) {
		t.Errorf("with all it asks for, %v: %v", needs, err)
	}
}

// denied says whether an error is that a permission is missing.
func denied(err error) bool {
	var e smithy.APIError
	return errors.As(err, &e) && strings.HasPrefix(e.ErrorCode(), "AccessDenied") && strings.Contains(e.ErrorMessage(), "not authorized to perform")
}

// matrix is a node's door and everything behind it but what runs functions.
type matrix struct {
	node    *Node
	apis    []wire.API
	clients map[string]any
	root    *awsiam.Client
	as      context.Context // carries the user
	texts   map[string]string
}

func newMatrix(t *testing.T) *matrix {
	t.Helper()
	n := &Node{cfg: Config{Data: t.TempDir(), Region: "us-east-1", Account: "123456789012", Log: slog.New(slog.DiscardHandler)}, failed: make(chan struct{})}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, open := range []func(context.Context) error{n.openGround, n.openIdentity, n.openSecrets, n.openQueues, n.openServices, n.openAudit} {
		if err := open(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	n.functions = function.New(function.Config{
		Store: n.store, Blobs: n.blobs, Runtimes: anyRuntime{}, Roles: roles{n}, Account: n.root.Account(), Region: n.cfg.Region,
		Endpoint: "http://localhost", Clock: clock.System, Log: n.cfg.Log,
	})
	n.openPermissions()
	m := &matrix{node: n, apis: n.apis(runsNothing{})}
	var routers []*wire.Router
	for _, api := range m.apis {
		r, err := wire.New(api)
		if err != nil {
			t.Fatal(err)
		}
		routers = append(routers, r)
	}
	server := httptest.NewServer(gateway.New(gateway.Config{
		APIs: routers, Permissions: n.may, Region: n.cfg.Region, Auth: auth.NewVerifier(auth.Config{Keys: n.keys(), Region: n.cfg.Region}),
	}))
	t.Cleanup(server.Close)
	m.connect(t, server)
	return m
}

// connect makes a user, and the SDK's clients for it.
func (m *matrix) connect(t *testing.T, server *httptest.Server) {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}}
	t.Cleanup(transport.CloseIdleConnections)
	config := func(key, secret string) aws.Config {
		return aws.Config{Region: "us-east-1", BaseEndpoint: &server.URL, HTTPClient: &http.Client{Transport: sdkhttp.Over(transport)},
			Credentials: awscredentials.NewStaticCredentialsProvider(key, secret, ""), Retryer: func() aws.Retryer { return aws.NopRetryer{} }}
	}
	ctx, root := t.Context(), config(m.node.root.AccessKeyID(), m.node.root.SecretAccessKey())
	m.root = awsiam.NewFromConfig(root)
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com","AWS":"123456789012"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}`
	_, err1 := m.root.CreateUser(ctx, &awsiam.CreateUserInput{UserName: aws.String("tester")})
	_, err2 := m.root.CreateRole(ctx, &awsiam.CreateRoleInput{RoleName: aws.String("trusting"), AssumeRolePolicyDocument: &trust})
	key, err3 := m.root.CreateAccessKey(ctx, &awsiam.CreateAccessKeyInput{UserName: aws.String("tester")})
	made, err4 := kms.NewFromConfig(root).CreateKey(ctx, &kms.CreateKeyInput{})
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	c := config(*key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey)
	m.clients = map[string]any{
		"lambda": lambda.NewFromConfig(c), "logs": cloudwatchlogs.NewFromConfig(c), "iam": awsiam.NewFromConfig(c), "sts": awssts.NewFromConfig(c),
		"kms": kms.NewFromConfig(c), "ssm": ssm.NewFromConfig(c), "secretsmanager": secretsmanager.NewFromConfig(c), "cloudtrail": cloudtrail.NewFromConfig(c),
		"sqs": sqs.NewFromConfig(c),
	}
	m.as = auth.With(ctx, auth.Principal{Kind: auth.User, Account: "123456789012", ARN: "arn:aws:iam::123456789012:user/tester"})
	m.texts = map[string]string{
		"KeyId": *made.KeyMetadata.Arn, "TargetKeyId": *made.KeyMetadata.Arn, "DestinationKeyId": *made.KeyMetadata.Arn, "AliasName": "alias/a",
		"Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "Arn": "arn:aws:lambda:us-east-1:123456789012:layer:l:1",
		"FunctionName": "f", "Qualifier": "live", "Role": "arn:aws:iam::123456789012:role/trusting", "RoleName": "other", "UserName": "other",
		"ResourceArn": "arn:aws:logs:us-east-1:123456789012:log-group:g", "PolicyArn": "arn:aws:iam::123456789012:policy/p",
		"RoleArn": "arn:aws:iam::123456789012:role/trusting", "PolicySourceArn": "arn:aws:iam::123456789012:user/tester",
		"Layer": "arn:aws:lambda:us-east-1:123456789012:layer:l:1", "Path": "/", "PathPrefix": "/", "NewPath": "/", "Policy": policyText,
		"OpenIDConnectProviderArn": "arn:aws:iam::123456789012:oidc-provider/x.example", "Url": "https://x.example",
	}
}

// allow gives the user one policy, or none.
func (m *matrix) allow(t *testing.T, needs []access.Need) {
	t.Helper()
	var err error
	if len(needs) == 0 {
		_, err = m.root.DeleteUserPolicy(t.Context(), &awsiam.DeleteUserPolicyInput{UserName: aws.String("tester"), PolicyName: aws.String("p")})
		var e smithy.APIError
		if errors.As(err, &e) && e.ErrorCode() == "NoSuchEntity" {
			err = nil
		}
	} else {
		var statements []string
		for _, n := range needs {
			statements = append(statements, fmt.Sprintf(`{"Effect":"Allow","Action":%q,"Resource":%q}`, n.Action, n.Resource))
		}
		_, err = m.root.PutUserPolicy(t.Context(), &awsiam.PutUserPolicyInput{UserName: aws.String("tester"), PolicyName: aws.String("p"),
			PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`)})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// needs is what the table asks for with the input of call.
func (m *matrix) needs(t *testing.T, client any, op string, rule access.Rule) []access.Need {
	t.Helper()
	_, in := m.method(t, client, op)
	return rule.Needs(m.as, in.Interface())
}

// call calls an operation with something in every member of its input.
func (m *matrix) call(t *testing.T, client any, op string) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel() // streams end
	method, in := m.method(t, client, op)
	out := method.Call([]reflect.Value{reflect.ValueOf(ctx), in})
	err, _ := out[1].Interface().(error)
	return err
}

func (m *matrix) method(t *testing.T, client any, op string) (method, in reflect.Value) {
	t.Helper()
	method = reflect.ValueOf(client).MethodByName(op)
	if !method.IsValid() {
		t.Fatalf("the SDK's client has no %s", op)
	}
	in = reflect.New(method.Type().In(1).Elem())
	m.fill(in.Elem(), op, 0)
	return method, in
}

const policyText = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// unsaid are members that some operation refuses before it asks for anything.
var unsaid = []string{"MinimumSessionTokenSize", "SerialNumber", "TokenCode", "ProvidedContexts", "PolicyArns"}

// fill puts something of the right kind into every member.
func (m *matrix) fill(v reflect.Value, name string, depth int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(m.text(name))
	case reflect.Bool:
	case reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		m.fill(v.Elem(), name, depth)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		m.fill(v.Index(0), strings.TrimSuffix(name, "s"), depth)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		m.fill(key, "Key", depth)
		m.fill(value, "Value", depth)
		v.SetMapIndex(key, value)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Now()))
			return
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && depth < 4 && !slices.Contains(unsaid, f.Name) {
				m.fill(v.Field(i), f.Name, depth+1)
			}
		}
	case reflect.Interface:
		if r := reflect.ValueOf(strings.NewReader("{}")); r.Type().Implements(v.Type()) && v.NumMethod() > 0 {
			v.Set(r)
		}
	}
}

func (m *matrix) text(name string) string {
	if s, ok := m.texts[name]; ok {
		return s
	}
	if strings.HasSuffix(name, "Arn") {
		return "arn:aws:iam::123456789012:role/x"
	}
	return "x1"
}

// anyRuntime takes every runtime, and runsNothing runs nothing.
type anyRuntime struct{}

func (anyRuntime) Check(string) error { return nil }

type runsNothing struct{}

var errRunsNothing = fault.New(http.StatusNotFound, "ResourceNotFoundException", "Function not found")

func (runsNothing) Invoke(context.Context, invoke.Request) (*invoke.Response, error) {
	return nil, errRunsNothing
}

func (runsNothing) InvokeStream(context.Context, invoke.Request, invoke.Stream) (*invoke.Response, error) {
	return nil, errRunsNothing
}

func (runsNothing) InvokeAsync(context.Context, invoke.Request) error { return errRunsNothing }
