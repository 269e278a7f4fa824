package parameter_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/parameter"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

func queryOf(limit int) parameter.Query { return parameter.Query{Limit: limit} }

func TestEveryOperationSaysWhatItNeeds(t *testing.T) {
	n := start(t)
	api := n.service.API()
	router, err := wire.New(api)
	if err != nil {
		t.Fatal(err)
	}
	for _, operation := range router.Operations() {
		if api.Access[operation].Action != "ssm:"+operation {
			t.Errorf("%s asks for %q", operation, api.Access[operation].Action)
		}
	}
	if len(api.Access) != len(router.Operations()) {
		t.Errorf("%d rules for %d operations", len(api.Access), len(router.Operations()))
	}
}

// resources are the needs without their keys.
func resources(needs []access.Need) (list []string) {
	for _, n := range needs {
		list = append(list, n.Action+" "+n.Resource)
	}
	return list
}

func TestNeeds(t *testing.T) {
	n, ctx := start(t), context.Background()
	rules := n.service.API().Access
	n.put(t, "/prod/host", "h", types.ParameterTypeString)
	n.put(t, "/prod/secret", secret, types.ParameterTypeSecureString)
	ok[ssm.PutParameterOutput](t)(n.PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String("/prod/db/secret"), Value: aws.String(secret), Type: types.ParameterTypeSecureString, KeyId: aws.String("mine")}))
	yes := aws.Bool(true)
	for name, test := range map[string]struct {
		operation string
		in        any
		want      []string
	}{
		"get":              {"GetParameter", &ssm.GetParameterInput{Name: aws.String("/prod/host"), WithDecryption: yes}, []string{"ssm:GetParameter " + prefix + "prod/host"}},
		"get a version":    {"GetParameter", &ssm.GetParameterInput{Name: aws.String("/prod/host:1")}, []string{"ssm:GetParameter " + prefix + "prod/host"}},
		"get by ARN":       {"GetParameter", &ssm.GetParameterInput{Name: aws.String(prefix + "prod/host")}, []string{"ssm:GetParameter " + prefix + "prod/host"}},
		"get none":         {"GetParameter", &ssm.GetParameterInput{Name: aws.String("none"), WithDecryption: yes}, []string{"ssm:GetParameter " + prefix + "none"}},
		"get a ciphertext": {"GetParameter", &ssm.GetParameterInput{Name: aws.String("/prod/secret")}, []string{"ssm:GetParameter " + prefix + "prod/secret"}},
		"get a secret": {"GetParameter", &ssm.GetParameterInput{Name: aws.String("/prod/secret"), WithDecryption: yes},
			[]string{"ssm:GetParameter " + prefix + "prod/secret", "kms:Decrypt key/usual"}},
		"get many": {"GetParameters", &ssm.GetParametersInput{Names: []string{"/prod/host", "/prod/secret"}, WithDecryption: yes},
			[]string{"ssm:GetParameters " + prefix + "prod/host", "ssm:GetParameters " + prefix + "prod/secret", "kms:Decrypt key/usual"}},
		"get below": {"GetParametersByPath", &ssm.GetParametersByPathInput{Path: aws.String("/prod"), Recursive: yes, WithDecryption: yes},
			[]string{"ssm:GetParametersByPath " + prefix + "prod", "kms:Decrypt key/mine", "kms:Decrypt key/usual"}},
		"history": {"GetParameterHistory", &ssm.GetParameterHistoryInput{Name: aws.String("/prod/secret"), WithDecryption: yes},
			[]string{"ssm:GetParameterHistory " + prefix + "prod/secret", "kms:Decrypt key/usual"}},
		"put": {"PutParameter", &ssm.PutParameterInput{Name: aws.String("new"), Value: aws.String("x"), Type: types.ParameterTypeString, Tags: []types.Tag{{}}},
			[]string{"ssm:PutParameter " + prefix + "new", "ssm:AddTagsToResource " + prefix + "new"}},
		"put a secret": {"PutParameter", &ssm.PutParameterInput{Name: aws.String("new"), Value: aws.String("x"), Type: types.ParameterTypeSecureString, KeyId: aws.String("k")},
			[]string{"ssm:PutParameter " + prefix + "new", "kms:Encrypt k"}},
		"put a large secret": {"PutParameter", &ssm.PutParameterInput{Name: aws.String("new"), Value: aws.String("x"), Type: types.ParameterTypeSecureString, Tier: types.ParameterTierAdvanced},
			[]string{"ssm:PutParameter " + prefix + "new", "kms:GenerateDataKey "}},
		"put over a secret": {"PutParameter", &ssm.PutParameterInput{Name: aws.String("/prod/secret"), Value: aws.String("x"), Overwrite: yes},
			[]string{"ssm:PutParameter " + prefix + "prod/secret", "kms:Encrypt "}},
		"delete":    {"DeleteParameters", &ssm.DeleteParametersInput{Names: []string{"a", "/b"}}, []string{"ssm:DeleteParameters " + prefix + "a", "ssm:DeleteParameters " + prefix + "b"}},
		"delete no": {"DeleteParameters", &ssm.DeleteParametersInput{}, []string{"ssm:DeleteParameters *"}},
		"describe":  {"DescribeParameters", &ssm.DescribeParametersInput{}, []string{"ssm:DescribeParameters *"}},
		"tags":      {"ListTagsForResource", &ssm.ListTagsForResourceInput{ResourceId: aws.String("/a")}, []string{"ssm:ListTagsForResource " + prefix + "a"}},
	} {
		equal(t, name, test.want, resources(rules[test.operation].Needs(ctx, test.in)))
	}
}

func TestConditions(t *testing.T) {
	n, ctx := start(t), context.Background()
	rules := n.service.API().Access
	tags := []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}}
	ok[ssm.PutParameterOutput](t)(n.PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String("a"), Value: aws.String("x"), Type: types.ParameterTypeString, Tags: tags}))
	equal(t, "get", access.Keys{"aws:ResourceTag/team": {"red"}, "ssm:resourceTag/team": {"red"}},
		rules["GetParameter"].Needs(ctx, &ssm.GetParameterInput{Name: aws.String("a")})[0].Keys)
	equal(t, "put", access.Keys{"ssm:Overwrite": {"false"}, "aws:RequestTag/team": {"red"}, "aws:TagKeys": {"team"}},
		rules["PutParameter"].Needs(ctx, &ssm.PutParameterInput{Name: aws.String("b"), Tags: tags})[0].Keys)
	equal(t, "below", access.Keys{"ssm:Recursive": {"true"}},
		rules["GetParametersByPath"].Needs(ctx, &ssm.GetParametersByPathInput{Path: aws.String("/"), Recursive: aws.Bool(true)})[0].Keys)
}
