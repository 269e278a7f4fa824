package key_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/access"
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
		if api.Access[operation].Action == "" {
			t.Errorf("%s asks for nothing", operation)
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
	one, two := n.create(t), n.create(t)
	ok[kms.CreateAliasOutput](t)(n.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String("alias/pay"), TargetKeyId: one}))
	ok[kms.TagResourceOutput](t)(n.TagResource(ctx, &kms.TagResourceInput{KeyId: one, Tags: []types.Tag{{TagKey: aws.String("team"), TagValue: aws.String("a")}}}))
	blob := ok[kms.EncryptOutput](t)(n.Encrypt(ctx, &kms.EncryptInput{KeyId: one, Plaintext: secret})).CiphertextBlob
	first, other := prefix+"key/"+*one, prefix+"key/"+*two
	for name, test := range map[string]struct {
		operation string
		in        any
		want      []string
	}{
		"by id":                                  {"Encrypt", &kms.EncryptInput{KeyId: one}, []string{"kms:Encrypt " + first}},
		"by alias":                               {"GenerateDataKey", &kms.GenerateDataKeyInput{KeyId: aws.String("alias/pay")}, []string{"kms:GenerateDataKey " + first}},
		"by alias's arn":                         {"DescribeKey", &kms.DescribeKeyInput{KeyId: aws.String(prefix + "alias/pay")}, []string{"kms:DescribeKey " + first}},
		"no such alias":                          {"DescribeKey", &kms.DescribeKeyInput{KeyId: aws.String("alias/none")}, []string{"kms:DescribeKey " + prefix + "alias/none"}},
		"nonsense":                               {"DescribeKey", &kms.DescribeKeyInput{}, []string{"kms:DescribeKey " + prefix + "key/unknown"}},
		"create":                                 {"CreateKey", &kms.CreateKeyInput{}, []string{"kms:CreateKey *"}},
		"create tagged":                          {"CreateKey", &kms.CreateKeyInput{Tags: []types.Tag{{}}}, []string{"kms:CreateKey *", "kms:TagResource *"}},
		"the ciphertext's key, whatever is said": {"Decrypt", &kms.DecryptInput{CiphertextBlob: blob, KeyId: two}, []string{"kms:Decrypt " + first}},
		"no ciphertext":                          {"Decrypt", &kms.DecryptInput{KeyId: two}, []string{"kms:Decrypt " + prefix + "key/unknown"}},
		"from one to another":                    {"ReEncrypt", &kms.ReEncryptInput{CiphertextBlob: blob, DestinationKeyId: two}, []string{"kms:ReEncryptFrom " + first, "kms:ReEncryptTo " + other}},
		"new alias":                              {"CreateAlias", &kms.CreateAliasInput{AliasName: aws.String("alias/x"), TargetKeyId: two}, []string{"kms:CreateAlias " + prefix + "alias/x", "kms:CreateAlias " + other}},
		"moved alias": {"UpdateAlias", &kms.UpdateAliasInput{AliasName: aws.String("alias/pay"), TargetKeyId: two},
			[]string{"kms:UpdateAlias " + prefix + "alias/pay", "kms:UpdateAlias " + first, "kms:UpdateAlias " + other}},
		"deleted alias": {"DeleteAlias", &kms.DeleteAliasInput{AliasName: aws.String("alias/pay")}, []string{"kms:DeleteAlias " + prefix + "alias/pay", "kms:DeleteAlias " + first}},
		"list":          {"ListKeys", &kms.ListKeysInput{}, []string{"kms:ListKeys *"}},
	} {
		if d := cmp.Diff(test.want, resources(rules[test.operation].Needs(ctx, test.in))); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	keys := rules["Encrypt"].Needs(ctx, &kms.EncryptInput{KeyId: aws.String("alias/pay"), EncryptionContext: map[string]string{"app": "x"}})[0].Keys
	want := access.Keys{
		"kms:CallerAccount": {account}, "kms:KeySpec": {"SYMMETRIC_DEFAULT"}, "kms:CustomerMasterKeySpec": {"SYMMETRIC_DEFAULT"},
		"kms:KeyUsage": {"ENCRYPT_DECRYPT"}, "kms:CustomerMasterKeyUsage": {"ENCRYPT_DECRYPT"}, "kms:KeyOrigin": {"AWS_KMS"}, "kms:MultiRegion": {"false"},
		"kms:RequestAlias": {"alias/pay"}, "kms:ResourceAliases": {"alias/pay"}, "kms:EncryptionAlgorithm": {"SYMMETRIC_DEFAULT"},
		"kms:EncryptionContext:app": {"x"}, "kms:EncryptionContextKeys": {"app"}, "aws:ResourceTag/team": {"a"},
	}
	if d := cmp.Diff(want, keys); d != "" {
		t.Error(d)
	}
}

func TestNeedOfAService(t *testing.T) {
	n, ctx := start(t), context.Background()
	need := n.service.Via("ssm").Need(ctx, "kms:Decrypt", "", map[string]string{"PARAMETER_ARN": "p"})
	made := ok[kms.DescribeKeyOutput](t)(n.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String("alias/aws/ssm")})).KeyMetadata
	if need.Action != "kms:Decrypt" || need.Resource != *made.Arn {
		t.Errorf("got %+v", need)
	}
	for key, want := range map[string]string{
		"kms:ViaService": "ssm.eu-central-1.amazonaws.com", "kms:CallerAccount": account, "kms:EncryptionContext:PARAMETER_ARN": "p",
	} {
		if got := need.Keys[key]; len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q", key, got)
		}
	}
	blob, _, err := n.service.Via("ssm").Encrypt(ctx, "", secret, nil)
	if err != nil {
		t.Fatal(err)
	}
	asked := n.service.API().Access["Decrypt"].Needs(ctx, &kms.DecryptInput{CiphertextBlob: blob})[0]
	if asked.Keys["kms:ViaService"] != nil || asked.Resource != *made.Arn {
		t.Errorf("a caller of its own passes for a service: %+v", asked)
	}
}
