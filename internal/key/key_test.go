package key_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestCreateAndDescribe(t *testing.T) {
	n, ctx := start(t), context.Background()
	made := ok[kms.CreateKeyOutput](t)(n.CreateKey(ctx, &kms.CreateKeyInput{Description: aws.String("payroll"), Tags: []types.Tag{{TagKey: aws.String("team"), TagValue: aws.String("a")}}})).KeyMetadata
	if *made.Arn != prefix+"key/"+*made.KeyId || !made.Enabled || made.KeyState != types.KeyStateEnabled || !made.CreationDate.Equal(noon) ||
		made.KeyManager != types.KeyManagerTypeCustomer || made.KeySpec != types.KeySpecSymmetricDefault || *made.Description != "payroll" || len(*made.CurrentKeyMaterialId) != 64 {
		t.Errorf("made %+v", made)
	}
	ok[kms.CreateAliasOutput](t)(n.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String("alias/pay"), TargetKeyId: made.KeyId}))
	for _, ref := range []string{*made.KeyId, *made.Arn, "alias/pay", prefix + "alias/pay"} {
		got := ok[kms.DescribeKeyOutput](t)(n.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &ref})).KeyMetadata
		if d := cmp.Diff(made, got, cmpopts.IgnoreUnexported(types.KeyMetadata{})); d != "" {
			t.Errorf("%s: %s", ref, d)
		}
	}
	for ref, code := range map[string]string{
		"":                                     "ValidationException",
		"nonsense":                             "NotFoundException",
		"11111111-2222-4333-8444-555555555555": "NotFoundException",
		"alias/none":                           "NotFoundException",
		prefix + "thing/x":                     "InvalidArnException",
		"arn:aws:s3:::bucket":                  "InvalidArnException",
		"arn:aws:kms:" + region + ":999999999999:key/" + *made.KeyId: "AccessDeniedException",
		"arn:aws:kms:us-east-1:" + account + ":key/" + *made.KeyId:   "NotFoundException",
		"alias/" + string(make([]byte, 3000)) + "x":                  "NotFoundException",
	} {
		_, err := n.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(ref)})
		refused(t, ref, err, code, "")
	}
}

func TestWhatIsNotOfferedIsNamed(t *testing.T) {
	n, ctx := start(t), context.Background()
	for words, in := range map[string]*kms.CreateKeyInput{
		"KeySpec RSA_2048":     {KeySpec: types.KeySpecRsa2048, KeyUsage: types.KeyUsageTypeSignVerify},
		"KeySpec HMAC_256":     {KeySpec: types.KeySpecHmac256, KeyUsage: types.KeyUsageTypeGenerateVerifyMac},
		"KeyUsage SIGN_VERIFY": {KeyUsage: types.KeyUsageTypeSignVerify},
		"Origin EXTERNAL":      {Origin: types.OriginTypeExternal},
		"MultiRegion":          {MultiRegion: aws.Bool(true)},
		"CustomKeyStoreId":     {CustomKeyStoreId: aws.String("cks-1")},
		"XksKeyId":             {XksKeyId: aws.String("x")},
	} {
		_, err := n.CreateKey(ctx, in)
		refused(t, words, err, "UnsupportedOperationException", words)
	}
	id := n.create(t)
	_, err := n.CreateGrant(ctx, &kms.CreateGrantInput{KeyId: id, GranteePrincipal: aws.String("x"), Operations: []types.GrantOperation{types.GrantOperationDecrypt}})
	refused(t, "grant", err, "UnknownOperationException", "CreateGrant")
	_, err = n.Encrypt(ctx, &kms.EncryptInput{KeyId: id, Plaintext: []byte("x"), GrantTokens: []string{"token"}})
	refused(t, "grant token", err, "InvalidGrantTokenException", "Grants are not offered")
	_, err = n.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: []byte("x"), Recipient: &types.RecipientInfo{AttestationDocument: []byte("x")}})
	refused(t, "recipient", err, "UnsupportedOperationException", "Recipient")
}

func TestStates(t *testing.T) {
	n, ctx := start(t), context.Background()
	id := n.create(t)
	use := func() error {
		_, err := n.Encrypt(ctx, &kms.EncryptInput{KeyId: id, Plaintext: []byte("x")})
		return err
	}
	blob := ok[kms.EncryptOutput](t)(n.Encrypt(ctx, &kms.EncryptInput{KeyId: id, Plaintext: []byte("x")})).CiphertextBlob
	ok[kms.DisableKeyOutput](t)(n.DisableKey(ctx, &kms.DisableKeyInput{KeyId: id}))
	refused(t, "disabled", use(), "DisabledException", prefix+"key/"+*id+" is disabled.")
	_, err := n.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: blob})
	refused(t, "decrypt under a disabled key", err, "DisabledException", "")
	ok[kms.EnableKeyOutput](t)(n.EnableKey(ctx, &kms.EnableKeyInput{KeyId: id}))
	if err := use(); err != nil {
		t.Error(err)
	}

	_, err = n.CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: id})
	refused(t, "cancel nothing", err, "KMSInvalidStateException", "is not pending deletion")
	for _, days := range []int32{0, 6, 31, -1} {
		_, err := n.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: id, PendingWindowInDays: &days})
		refused(t, fmt.Sprint(days, " days"), err, "ValidationException", "")
	}
	gone := ok[kms.ScheduleKeyDeletionOutput](t)(n.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: id, PendingWindowInDays: aws.Int32(7)}))
	if !gone.DeletionDate.Equal(noon.AddDate(0, 0, 7)) || gone.KeyState != types.KeyStatePendingDeletion || *gone.PendingWindowInDays != 7 || *gone.KeyId != prefix+"key/"+*id {
		t.Errorf("got %+v", gone)
	}
	for what, err := range map[string]error{
		"use": use(), "enable": second(n.EnableKey(ctx, &kms.EnableKeyInput{KeyId: id})),
		"again":  second(n.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: id})),
		"alias":  second(n.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String("alias/a"), TargetKeyId: id})),
		"tag":    second(n.TagResource(ctx, &kms.TagResourceInput{KeyId: id, Tags: []types.Tag{}})),
		"rotate": second(n.RotateKeyOnDemand(ctx, &kms.RotateKeyOnDemandInput{KeyId: id})),
	} {
		refused(t, what, err, "KMSInvalidStateException", "is pending deletion")
	}
	ok[kms.CancelKeyDeletionOutput](t)(n.CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: id}))
	refused(t, "saved, but disabled", use(), "DisabledException", "")
}

func second[T any](_ T, err error) error { return err }

// A key whose time is over is gone at once; Sweep erases what is left of it.
func TestDeletion(t *testing.T) {
	n, ctx := start(t), context.Background()
	id, other := n.create(t), n.create(t)
	ok[kms.CreateAliasOutput](t)(n.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String("alias/pay"), TargetKeyId: id}))
	blob := ok[kms.EncryptOutput](t)(n.Encrypt(ctx, &kms.EncryptInput{KeyId: id, Plaintext: []byte("x")})).CiphertextBlob
	ok[kms.ScheduleKeyDeletionOutput](t)(n.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: id}))
	n.clock.Advance(30*24*time.Hour - time.Second)
	if err := n.service.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	ok[kms.DescribeKeyOutput](t)(n.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: id}))
	n.clock.Advance(time.Second)
	for range 2 { // before and after the sweep
		_, err := n.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: id})
		refused(t, "gone", err, "NotFoundException", "Key '"+prefix+"key/"+*id+"' does not exist")
		_, err = n.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: blob})
		refused(t, "its ciphertext", err, "AccessDeniedException", "does not exist")
		_, err = n.CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: id})
		refused(t, "too late", err, "NotFoundException", "")
		list := ok[kms.ListKeysOutput](t)(n.ListKeys(ctx, &kms.ListKeysInput{}))
		if len(list.Keys) != 1 || *list.Keys[0].KeyId != *other {
			t.Errorf("listed %+v", list.Keys)
		}
		if err := n.service.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
	}
	ok[kms.CreateAliasOutput](t)(n.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String("alias/pay"), TargetKeyId: other}))
}

func TestRunEnds(t *testing.T) {
	n := start(t)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- n.service.Run(ctx) }()
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestListKeysByPages(t *testing.T) {
	n, ctx := start(t), context.Background()
	want := map[string]bool{}
	for range 5 {
		want[*n.create(t)] = true
	}
	got := map[string]bool{}
	pages := kms.NewListKeysPaginator(n.Client, &kms.ListKeysInput{Limit: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range page.Keys {
			got[*k.KeyId] = true
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	_, err := n.ListKeys(ctx, &kms.ListKeysInput{Marker: aws.String("made up")})
	refused(t, "marker", err, "InvalidMarkerException", "")
	_, err = n.ListKeys(ctx, &kms.ListKeysInput{Limit: aws.Int32(0)})
	refused(t, "limit", err, "ValidationException", "between 1 and 1000")
}

func TestAliases(t *testing.T) {
	n, ctx := start(t), context.Background()
	one, two := n.create(t), n.create(t)
	alias := aws.String("alias/app/pay_1-x")
	ok[kms.CreateAliasOutput](t)(n.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: alias, TargetKeyId: one}))
	_, err := n.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: alias, TargetKeyId: two})
	refused(t, "again", err, "AlreadyExistsException", "An alias with the name "+prefix+*alias+" already exists")
	for name, code := range map[string]string{
		"pay": "ValidationException", "alias/": "ValidationException", "alias/a b": "ValidationException", "alias/a:b": "ValidationException",
		"alias/aws/mine": "NotAuthorizedException",
	} {
		_, err := n.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: &name, TargetKeyId: one})
		refused(t, name, err, code, "")
	}
	n.clock.Advance(time.Hour)
	ok[kms.UpdateAliasOutput](t)(n.UpdateAlias(ctx, &kms.UpdateAliasInput{AliasName: alias, TargetKeyId: two}))
	if list := ok[kms.ListAliasesOutput](t)(n.ListAliases(ctx, &kms.ListAliasesInput{KeyId: one})); len(list.Aliases) != 0 {
		t.Errorf("it still has %+v", list.Aliases)
	}
	list := ok[kms.ListAliasesOutput](t)(n.ListAliases(ctx, &kms.ListAliasesInput{KeyId: two}))
	want := []types.AliasListEntry{{
		AliasName: alias, AliasArn: aws.String(prefix + *alias), TargetKeyId: two, CreationDate: aws.Time(noon), LastUpdatedDate: aws.Time(noon.Add(time.Hour)),
	}}
	if d := cmp.Diff(want, list.Aliases, cmpopts.IgnoreUnexported(types.AliasListEntry{})); d != "" {
		t.Error(d)
	}
	var names []string
	pages := kms.NewListAliasesPaginator(n.Client, &kms.ListAliasesInput{Limit: aws.Int32(1)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page.Aliases {
			names = append(names, *a.AliasName)
		}
	}
	if d := cmp.Diff([]string{*alias, "alias/aws/lambda", "alias/aws/secretsmanager", "alias/aws/ssm"}, names); d != "" {
		t.Error(d)
	}
	ok[kms.DeleteAliasOutput](t)(n.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: alias}))
	_, err = n.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: alias})
	refused(t, "deleted twice", err, "NotFoundException", "Alias "+prefix+*alias+" is not found.")
	_, err = n.UpdateAlias(ctx, &kms.UpdateAliasInput{AliasName: alias, TargetKeyId: one})
	refused(t, "deleted", err, "NotFoundException", "")
	_, err = n.EnableKey(ctx, &kms.EnableKeyInput{KeyId: aws.String("alias/any")})
	refused(t, "an alias where a key must be", err, "NotFoundException", "Invalid keyId")
}

func TestAKeyHasFiftyAliases(t *testing.T) {
	n, ctx := start(t), context.Background()
	id := n.create(t)
	for i := range 50 {
		ok[kms.CreateAliasOutput](t)(n.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String(fmt.Sprint("alias/a", i)), TargetKeyId: id}))
	}
	_, err := n.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String("alias/more"), TargetKeyId: id})
	refused(t, "one more", err, "LimitExceededException", "")
	ok[kms.UpdateAliasOutput](t)(n.UpdateAlias(ctx, &kms.UpdateAliasInput{AliasName: aws.String("alias/a0"), TargetKeyId: id})) // the same again
}

func TestPolicies(t *testing.T) {
	n, ctx := start(t), context.Background()
	id := n.create(t)
	usual := ok[kms.GetKeyPolicyOutput](t)(n.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: id}))
	want := `{"Version":"2012-10-17","Id":"key-default-1","Statement":[{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"kms:*","Resource":"*"}]}`
	if *usual.Policy != want || *usual.PolicyName != "default" {
		t.Errorf("got %s", *usual.Policy)
	}
	mine := `{"Version":"2012-10-17","Statement":[]}`
	ok[kms.PutKeyPolicyOutput](t)(n.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: id, Policy: &mine}))
	if got, err := n.service.ResourcePolicy(ctx, prefix+"key/"+*id); string(got) != mine || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
	for _, none := range []string{"key/11111111-2222-4333-8444-555555555555", "alias/none", "pay"} { // the last is of a mistyped alias
		if got, err := n.service.ResourcePolicy(ctx, prefix+none); got != nil || err != nil {
			t.Errorf("%s: got %s, %v", none, got, err)
		}
	}
	for _, bad := range []string{"", "{}", string(make([]byte, 40000))} {
		_, err := n.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: id, Policy: &bad})
		refused(t, "a bad policy", err, "MalformedPolicyDocumentException", "")
	}
	_, err := n.CreateKey(ctx, &kms.CreateKeyInput{Policy: aws.String("{}")})
	refused(t, "a bad policy at birth", err, "MalformedPolicyDocumentException", "Missing required field Statement")
	_, err = n.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: id, PolicyName: aws.String("other")})
	refused(t, "another name", err, "NotFoundException", "")
	names := ok[kms.ListKeyPoliciesOutput](t)(n.ListKeyPolicies(ctx, &kms.ListKeyPoliciesInput{KeyId: id}))
	if d := cmp.Diff([]string{"default"}, names.PolicyNames); d != "" {
		t.Error(d)
	}
}

func TestTags(t *testing.T) {
	n, ctx := start(t), context.Background()
	id := n.create(t)
	tag := func(pairs ...string) (tags []types.Tag) {
		for i := 0; i < len(pairs); i += 2 {
			tags = append(tags, types.Tag{TagKey: &pairs[i], TagValue: &pairs[i+1]})
		}
		return tags
	}
	ok[kms.TagResourceOutput](t)(n.TagResource(ctx, &kms.TagResourceInput{KeyId: id, Tags: tag("a", "1", "b", "2", "c", "")}))
	ok[kms.TagResourceOutput](t)(n.TagResource(ctx, &kms.TagResourceInput{KeyId: id, Tags: tag("a", "3")}))
	ok[kms.UntagResourceOutput](t)(n.UntagResource(ctx, &kms.UntagResourceInput{KeyId: id, TagKeys: []string{"b", "none"}}))
	var got []types.Tag
	pages := kms.NewListResourceTagsPaginator(n.Client, &kms.ListResourceTagsInput{KeyId: id, Limit: aws.Int32(1)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, page.Tags...)
	}
	if d := cmp.Diff(tag("a", "3", "c", ""), got, cmpopts.IgnoreUnexported(types.Tag{})); d != "" {
		t.Error(d)
	}
	var many []string
	for i := range 51 {
		many = append(many, fmt.Sprint("k", i), "")
	}
	for what, in := range map[string][]types.Tag{"aws: reserved": tag("AWS:x", "1"), "twice": tag("x", "1", "x", "2"), "no name": tag("", "1")} {
		_, err := n.TagResource(ctx, &kms.TagResourceInput{KeyId: id, Tags: in})
		refused(t, what, err, "TagException", "")
	}
	_, err := n.TagResource(ctx, &kms.TagResourceInput{KeyId: id, Tags: tag(many...)})
	refused(t, "too many", err, "LimitExceededException", "")
}
