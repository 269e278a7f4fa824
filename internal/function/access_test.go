package function_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/function"
)

func TestNeeds(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	c := w.creation("hello")
	c.Tags = map[string]string{"team": "a"}
	if _, err := w.Create(ctx, c); err != nil {
		t.Fatal(err)
	}
	if _, err := w.CreateURL(ctx, "hello", "", function.URLChange{Auth: ptr("AWS_IAM")}); err != nil {
		t.Fatal(err)
	}
	w.allow("s", "*", "NONE")
	hello, layer := prefix+"function:hello", prefix+"layer:l:3"
	tags := access.Keys{"aws:ResourceTag/team": {"a"}}
	with := func(more access.Keys) access.Keys {
		more["aws:ResourceTag/team"] = []string{"a"}
		return more
	}
	need := func(action, resource string, keys access.Keys) access.Need {
		return access.Need{Action: "lambda:" + action, Resource: resource, Keys: keys}
	}
	pass := func(function string) access.Need {
		return access.Need{Action: "iam:PassRole", Resource: role, Keys: access.Keys{
			"iam:PassedToService": {"lambda.amazonaws.com"}, "iam:AssociatedResourceArn": {prefix + "function:" + function}}}
	}
	created := access.Keys{"aws:RequestTag/k": {"v"}, "aws:TagKeys": {"k"}, "lambda:Layer": {layer}}
	table := w.API(w.invoker).Access
	for name, tt := range map[string]struct {
		op   string
		in   any
		want []access.Need
	}{
		"by name":               {"Invoke", &lambda.InvokeInput{FunctionName: aws.String("hello")}, []access.Need{need("InvokeFunction", hello, tags)}},
		"by ARN":                {"Invoke", &lambda.InvokeInput{FunctionName: aws.String(hello)}, []access.Need{need("InvokeFunction", hello, tags)}},
		"with a qualifier":      {"Invoke", &lambda.InvokeInput{FunctionName: aws.String("hello"), Qualifier: aws.String("live")}, []access.Need{need("InvokeFunction", hello+":live", tags)}},
		"qualified by its name": {"GetFunction", &lambda.GetFunctionInput{FunctionName: aws.String("hello:live")}, []access.Need{need("GetFunction", hello+":live", tags)}},
		"of another account": {"Invoke", &lambda.InvokeInput{FunctionName: aws.String("arn:aws:lambda:eu-central-1:210987654321:function:f")},
			[]access.Need{need("InvokeFunction", "arn:aws:lambda:eu-central-1:210987654321:function:f", access.Keys{})}},
		"not there": {"Invoke", &lambda.InvokeInput{FunctionName: aws.String("none")}, []access.Need{need("InvokeFunction", prefix+"function:none", access.Keys{})}},
		"streaming": {"InvokeWithResponseStream", &lambda.InvokeWithResponseStreamInput{FunctionName: aws.String("hello")}, []access.Need{need("InvokeFunction", hello, tags)}},
		"the old way": {"InvokeAsync", &lambda.InvokeAsyncInput{FunctionName: aws.String("hello")},
			[]access.Need{need("InvokeAsync", hello, tags), need("InvokeFunction", hello, tags)}},
		"an alias":   {"GetAlias", &lambda.GetAliasInput{FunctionName: aws.String("hello"), Name: aws.String("live")}, []access.Need{need("GetAlias", hello, tags)}},
		"everything": {"ListFunctions", &lambda.ListFunctionsInput{}, []access.Need{need("ListFunctions", "*", nil)}},
		"a new function": {"CreateFunction", &lambda.CreateFunctionInput{FunctionName: aws.String("new"), Role: aws.String(role), Layers: []string{layer}, Tags: map[string]string{"k": "v"}},
			[]access.Need{need("CreateFunction", prefix+"function:new", created), pass("new"), {Action: "lambda:GetLayerVersion", Resource: layer},
				need("TagResource", prefix+"function:new", created)}},
		"other settings": {"UpdateFunctionConfiguration", &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("hello"), VpcConfig: &types.VpcConfig{SubnetIds: []string{"s"}}},
			[]access.Need{need("UpdateFunctionConfiguration", hello, with(access.Keys{"lambda:SubnetIds": {"s"}, "lambda:SecurityGroupIds": nil}))}},
		"another role": {"UpdateFunctionConfiguration", &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("hello"), Role: aws.String(role)},
			[]access.Need{need("UpdateFunctionConfiguration", hello, tags), pass("hello")}},
		"a permission": {"AddPermission", &lambda.AddPermissionInput{FunctionName: aws.String("hello"), Principal: aws.String("s3.amazonaws.com"), FunctionUrlAuthType: "NONE"},
			[]access.Need{need("AddPermission", hello, with(access.Keys{"lambda:Principal": {"s3.amazonaws.com"}, "lambda:FunctionUrlAuthType": {"NONE"}}))}},
		"a permission's end": {"RemovePermission", &lambda.RemovePermissionInput{FunctionName: aws.String("hello"), StatementId: aws.String("s")},
			[]access.Need{need("RemovePermission", hello, with(access.Keys{"lambda:Principal": {"*"}, "lambda:FunctionUrlAuthType": {"NONE"}}))}},
		"a URL as it is to be": {"UpdateFunctionUrlConfig", &lambda.UpdateFunctionUrlConfigInput{FunctionName: aws.String("hello"), AuthType: "NONE"},
			[]access.Need{need("UpdateFunctionUrlConfig", hello, with(access.Keys{"lambda:FunctionArn": {hello}, "lambda:FunctionUrlAuthType": {"NONE"}}))}},
		"a URL as it is": {"DeleteFunctionUrlConfig", &lambda.DeleteFunctionUrlConfigInput{FunctionName: aws.String("hello")},
			[]access.Need{need("DeleteFunctionUrlConfig", hello, with(access.Keys{"lambda:FunctionArn": {hello}, "lambda:FunctionUrlAuthType": {"AWS_IAM"}}))}},
		"tags": {"TagResource", &lambda.TagResourceInput{Resource: aws.String(hello), Tags: map[string]string{"x": "y"}},
			[]access.Need{need("TagResource", hello, with(access.Keys{"aws:RequestTag/x": {"y"}, "aws:TagKeys": {"x"}}))}},
		"a layer":         {"PublishLayerVersion", &lambda.PublishLayerVersionInput{LayerName: aws.String("l")}, []access.Need{{Action: "lambda:PublishLayerVersion", Resource: prefix + "layer:l"}}},
		"a layer version": {"DeleteLayerVersion", &lambda.DeleteLayerVersionInput{LayerName: aws.String("l"), VersionNumber: aws.Int64(3)}, []access.Need{{Action: "lambda:DeleteLayerVersion", Resource: layer}}},
		"a layer, spelled otherwise": {"GetLayerVersionByArn", &lambda.GetLayerVersionByArnInput{Arn: aws.String(strings.Replace(prefix, "arn:aws:", "arn:aws-cn:", 1) + "layer:l:003")},
			[]access.Need{{Action: "lambda:GetLayerVersion", Resource: layer}}},
		"a layer by its ARN": {"GetLayerVersionByArn", &lambda.GetLayerVersionByArnInput{Arn: aws.String(layer)}, []access.Need{{Action: "lambda:GetLayerVersion", Resource: layer}}},
	} {
		if d := cmp.Diff(tt.want, table[tt.op].Needs(ctx, tt.in)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// A policy counts for what it was added to alone, and from the moment it was.
func TestResourcePolicies(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.create("hello")
	if _, err := w.Publish(ctx, "hello", function.Publication{}); err != nil {
		t.Fatal(err)
	}
	has := func(arn string) bool {
		t.Helper()
		doc, err := w.ResourcePolicy(ctx, arn)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(doc), `"Resource":"`+arn+`"`)
	}
	arn := prefix + "function:hello"
	if has(arn) || has(arn+":1") {
		t.Error("there is a policy that nobody made")
	}
	add := func(qualifier, sid string) {
		t.Helper()
		if _, err := w.AddPermission(ctx, "hello", qualifier, function.Permission{Sid: sid, Action: "lambda:InvokeFunction", Principal: "s3.amazonaws.com"}); err != nil {
			t.Fatal(err)
		}
	}
	add("", "a")
	if !has(arn) || has(arn+":1") {
		t.Error("the policy of a function is not its own alone")
	}
	add("1", "b")
	if !has(arn + ":1") {
		t.Error("the policy of a version is not there")
	}
	if err := w.RemovePermission(ctx, "hello", "", "a", ""); err != nil {
		t.Fatal(err)
	}
	if has(arn) || !has(arn+":1") {
		t.Error("the policy of the function is still there")
	}
	v, err := w.PublishLayer(ctx, function.LayerCreation{Name: "l", Source: function.Source{Zip: zipOf(t, "x", "y")}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.AddLayerPermission(ctx, "l", int64(v.Number), function.Permission{Sid: "a", Action: "lambda:GetLayerVersion", Principal: "210987654321"}); err != nil {
		t.Fatal(err)
	}
	if !has(prefix + "layer:l:1") {
		t.Error("the policy of a layer is not there")
	}
	for _, other := range []string{"*", "", "arn:aws:lambda:eu-central-1:210987654321:function:hello:1", "arn:aws:s3:::hello", prefix + "event-source-mapping:x"} {
		if has(other) {
			t.Errorf("%q has a policy", other)
		}
	}
}

// roles refuse all but one role, and remember what for they were asked.
type roles struct{ good, asked string }

func (r *roles) CheckRole(_ context.Context, roleARN, functionARN string) error {
	r.asked = functionARN
	if roleARN == r.good {
		return nil
	}
	return fault.New(400, "InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.")
}

func TestRolesAreChecked(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	good := &roles{good: role}
	w.config.Roles = good
	w.Service = function.New(w.config)
	bad := w.creation("hello")
	bad.Change.Role = ptr(role + "x")
	_, err := w.Create(ctx, bad)
	refused(t, err, "InvalidParameterValueException", "cannot be assumed by Lambda")
	if good.asked != prefix+"function:hello" {
		t.Errorf("asked for %s", good.asked)
	}
	w.create("hello")
	_, err = w.UpdateSettings(ctx, "hello", function.Change{Role: ptr(role + "x")}, "")
	refused(t, err, "InvalidParameterValueException", "cannot be assumed by Lambda")
	if _, err = w.UpdateSettings(ctx, "hello", function.Change{Timeout: ptr(5)}, ""); err != nil {
		t.Error(err)
	}
}
