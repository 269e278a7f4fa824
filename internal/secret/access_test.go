package secret_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/wire"
)

func TestEveryOperationSaysWhatItNeeds(t *testing.T) {
	n := start(t)
	api := n.service.API()
	router, err := wire.New(api)
	if err != nil {
		t.Fatal(err)
	}
	for _, operation := range router.Operations() {
		if api.Access[operation].Action != "secretsmanager:"+operation {
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
	arn, version := n.create(t, "prod/db", plain)
	other := *ok[sm.CreateSecretOutput](t)(n.CreateSecret(ctx, &sm.CreateSecretInput{Name: aws.String("mine"), SecretString: aws.String("x"), KmsKeyId: aws.String("k")})).ARN
	tags := []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}}
	for name, test := range map[string]struct {
		operation string
		in        any
		want      []string
	}{
		"get":            {"GetSecretValue", &sm.GetSecretValueInput{SecretId: aws.String("prod/db")}, []string{"secretsmanager:GetSecretValue " + arn, "kms:Decrypt key/usual"}},
		"by partial ARN": {"GetSecretValue", &sm.GetSecretValueInput{SecretId: aws.String(prefix + "mine"), VersionStage: aws.String("AWSCURRENT")}, []string{"secretsmanager:GetSecretValue " + other, "kms:Decrypt key/k"}},
		"by version":     {"GetSecretValue", &sm.GetSecretValueInput{SecretId: &arn, VersionId: &version}, []string{"secretsmanager:GetSecretValue " + arn, "kms:Decrypt key/usual"}},
		"none":           {"GetSecretValue", &sm.GetSecretValueInput{SecretId: aws.String("none")}, []string{"secretsmanager:GetSecretValue " + prefix + "none-??????"}},
		"describe":       {"DescribeSecret", &sm.DescribeSecretInput{SecretId: aws.String("mine")}, []string{"secretsmanager:DescribeSecret " + other}},
		"list":           {"ListSecrets", &sm.ListSecretsInput{}, []string{"secretsmanager:ListSecrets *"}},
		"create":         {"CreateSecret", &sm.CreateSecretInput{Name: aws.String("new")}, []string{"secretsmanager:CreateSecret " + prefix + "new-??????"}},
		"create with all": {"CreateSecret", &sm.CreateSecretInput{Name: aws.String("new"), SecretString: aws.String("x"), KmsKeyId: aws.String("k"), Tags: tags},
			[]string{"secretsmanager:CreateSecret " + prefix + "new-??????", "secretsmanager:TagResource " + prefix + "new-??????", "kms:GenerateDataKey k", "kms:Decrypt k"}},
		"put": {"PutSecretValue", &sm.PutSecretValueInput{SecretId: aws.String("mine"), SecretString: aws.String("x")},
			[]string{"secretsmanager:PutSecretValue " + other, "kms:GenerateDataKey k", "kms:Decrypt k"}},
		"update":         {"UpdateSecret", &sm.UpdateSecretInput{SecretId: aws.String("mine"), Description: aws.String("x")}, []string{"secretsmanager:UpdateSecret " + other}},
		"update its key": {"UpdateSecret", &sm.UpdateSecretInput{SecretId: aws.String("mine"), KmsKeyId: aws.String("z")}, []string{"secretsmanager:UpdateSecret " + other, "kms:Decrypt key/k", "kms:Encrypt z"}},
		"batch": {"BatchGetSecretValue", &sm.BatchGetSecretValueInput{SecretIdList: []string{"mine", "prod/db"}},
			[]string{"secretsmanager:BatchGetSecretValue *", "secretsmanager:GetSecretValue " + other, "kms:Decrypt key/k", "secretsmanager:GetSecretValue " + arn, "kms:Decrypt key/usual"}},
		"batch by filter": {"BatchGetSecretValue", &sm.BatchGetSecretValueInput{Filters: []types.Filter{{Key: "name", Values: []string{"mine"}}}},
			[]string{"secretsmanager:BatchGetSecretValue *", "secretsmanager:ListSecrets *", "secretsmanager:GetSecretValue " + other, "kms:Decrypt key/k"}},
		"validate": {"ValidateResourcePolicy", &sm.ValidateResourcePolicyInput{}, []string{"secretsmanager:ValidateResourcePolicy *"}},
	} {
		equal(t, name, test.want, resources(rules[test.operation].Needs(ctx, test.in)))
	}
}

func TestConditions(t *testing.T) {
	n, ctx := start(t), context.Background()
	rules := n.service.API().Access
	arn, _ := n.create(t, "a", "x")
	tags := []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}}
	ok[sm.TagResourceOutput](t)(n.TagResource(ctx, &sm.TagResourceInput{SecretId: &arn, Tags: tags}))
	id := aws.String("a")
	about := func(more access.Keys) access.Keys {
		keys := access.Keys{"secretsmanager:SecretId": {arn}, "aws:ResourceTag/team": {"red"}, "secretsmanager:ResourceTag/team": {"red"}}
		for k, v := range more {
			keys[k] = v
		}
		return keys
	}
	for name, test := range map[string]struct {
		operation string
		in        any
		want      access.Keys
	}{
		"current by default": {"GetSecretValue", &sm.GetSecretValueInput{SecretId: id}, about(access.Keys{"secretsmanager:VersionStage": {"AWSCURRENT"}})},
		"stage":              {"GetSecretValue", &sm.GetSecretValueInput{SecretId: id, VersionStage: aws.String("blue")}, about(access.Keys{"secretsmanager:VersionStage": {"blue"}})},
		"version":            {"GetSecretValue", &sm.GetSecretValueInput{SecretId: id, VersionId: aws.String("v")}, about(access.Keys{"secretsmanager:VersionId": {"v"}})},
		"delete":             {"DeleteSecret", &sm.DeleteSecretInput{SecretId: id, RecoveryWindowInDays: aws.Int64(7)}, about(access.Keys{"secretsmanager:ForceDeleteWithoutRecovery": {"false"}, "secretsmanager:RecoveryWindowInDays": {"7"}})},
		"policy":             {"PutResourcePolicy", &sm.PutResourcePolicyInput{SecretId: id, BlockPublicPolicy: aws.Bool(true)}, about(access.Keys{"secretsmanager:BlockPublicPolicy": {"true"}})},
		"untag":              {"UntagResource", &sm.UntagResourceInput{SecretId: id, TagKeys: []string{"x"}}, about(access.Keys{"aws:TagKeys": {"x"}})},
		"create": {"CreateSecret", &sm.CreateSecretInput{Name: aws.String("new"), Description: aws.String("d"), KmsKeyId: aws.String("k"), Tags: tags},
			access.Keys{"secretsmanager:Name": {"new"}, "secretsmanager:Description": {"d"}, "secretsmanager:KmsKeyId": {"k"}, "aws:RequestTag/team": {"red"}, "aws:TagKeys": {"team"}}},
	} {
		equal(t, name, test.want, rules[test.operation].Needs(ctx, test.in)[0].Keys)
	}
}

// FuzzSecretId: any id is a secret's or refused.
func FuzzSecretId(f *testing.F) {
	n := start(f)
	n.create(f, "a", "x")
	for _, s := range []string{"a", prefix + "a", prefix + "a-AAAAAA", prefix, "arn:aws:secretsmanager", "-", prefix + "-AAAAAA"} {
		f.Add(s, "v", "AWSCURRENT")
	}
	f.Fuzz(func(t *testing.T, id, version, stage string) {
		if _, err := n.service.Get(context.Background(), id, version, stage); err != nil && fault.As(err).Status != 400 {
			t.Errorf("%q %q %q: %v", id, version, stage, err)
		}
		if _, err := n.service.ResourcePolicy(context.Background(), id); err != nil && fault.As(err).Status != 400 {
			t.Errorf("%q: %v", id, err)
		}
	})
}
