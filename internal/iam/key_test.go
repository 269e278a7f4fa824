package iam_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/mayfly-cloud/mayfly/internal/iam/iamtest"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// key makes a user an access key.
func (n *node) key(user string) *types.AccessKey {
	n.t.Helper()
	return ok[awsiam.CreateAccessKeyOutput](n.t)(n.CreateAccessKey(n.t.Context(), &awsiam.CreateAccessKeyInput{UserName: &user})).AccessKey
}

func static(k *types.AccessKey) aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(*k.AccessKeyId, *k.SecretAccessKey, "")
}

func TestAccessKey(t *testing.T) {
	n, ctx := start(t), t.Context()
	n.user("ada")
	k := n.key("ada")
	if !strings.HasPrefix(*k.AccessKeyId, "AKIA") || len(*k.AccessKeyId) != 20 || len(*k.SecretAccessKey) != 40 {
		t.Errorf("%s, a secret of %d characters", *k.AccessKeyId, len(*k.SecretAccessKey))
	}
	who := n.sts(static(k))
	id := ok[sts.GetCallerIdentityOutput](t)(who.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))
	if *id.Arn != "arn:aws:iam::"+account+":user/ada" || !strings.HasPrefix(*id.UserId, "AIDA") || *id.Account != account {
		t.Errorf("%s %s", *id.Arn, *id.UserId)
	}
	used := ok[awsiam.GetAccessKeyLastUsedOutput](t)(n.GetAccessKeyLastUsed(ctx, &awsiam.GetAccessKeyLastUsedInput{AccessKeyId: k.AccessKeyId}))
	if *used.UserName != "ada" || *used.AccessKeyLastUsed.ServiceName != "sts" || !used.AccessKeyLastUsed.LastUsedDate.Equal(noon) {
		t.Errorf("last used: %+v", used.AccessKeyLastUsed)
	}

	set := func(s types.StatusType) {
		_, err := n.UpdateAccessKey(ctx, &awsiam.UpdateAccessKeyInput{UserName: aws.String("ada"), AccessKeyId: k.AccessKeyId, Status: s})
		must(t, err)
	}
	set(types.StatusTypeInactive)
	_, err := who.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	refused(t, "an inactive key", err, "InvalidClientTokenId", "The security token included in the request is invalid.")
	set(types.StatusTypeActive)
	ok[sts.GetCallerIdentityOutput](t)(who.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))

	wrong := n.sts(credentials.NewStaticCredentialsProvider(*k.AccessKeyId, strings.Repeat("x", 40), ""))
	_, err = wrong.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	refused(t, "another secret", err, "SignatureDoesNotMatch", "")
	token := n.sts(credentials.NewStaticCredentialsProvider(*k.AccessKeyId, *k.SecretAccessKey, "token"))
	_, err = token.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	refused(t, "a token besides", err, "InvalidClientTokenId", "")

	n.key("ada")
	_, err = n.CreateAccessKey(ctx, &awsiam.CreateAccessKeyInput{UserName: aws.String("ada")})
	refused(t, "a third key", err, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
	list := ok[awsiam.ListAccessKeysOutput](t)(n.ListAccessKeys(ctx, &awsiam.ListAccessKeysInput{UserName: aws.String("ada")}))
	if len(list.AccessKeyMetadata) != 2 {
		t.Errorf("%d keys", len(list.AccessKeyMetadata))
	}
	_, err = n.DeleteUser(ctx, &awsiam.DeleteUserInput{UserName: aws.String("ada")})
	refused(t, "delete with keys", err, "DeleteConflict", "Cannot delete entity, must delete access keys first.")
	for _, m := range list.AccessKeyMetadata {
		_, err = n.DeleteAccessKey(ctx, &awsiam.DeleteAccessKeyInput{UserName: aws.String("ada"), AccessKeyId: m.AccessKeyId})
		must(t, err)
	}
	_, err = who.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	refused(t, "a deleted key", err, "InvalidClientTokenId", "")
	n.user("eve")
	_, err = n.DeleteAccessKey(ctx, &awsiam.DeleteAccessKeyInput{UserName: aws.String("eve"), AccessKeyId: n.key("ada").AccessKeyId})
	refused(t, "another user's key", err, "NoSuchEntity", "")
}

// A user may be allowed to look after keys of its own, and names itself by calling.
func TestOwnKeys(t *testing.T) {
	n, ctx := start(t), t.Context()
	n.user("ada")
	own := strings.ReplaceAll(iamtest.Allow("iam:*AccessKey*", "arn:aws:iam::*:user/USER"), "USER", "${aws:username}")
	_, err := n.PutUserPolicy(ctx, &awsiam.PutUserPolicyInput{UserName: aws.String("ada"), PolicyName: aws.String("own"), PolicyDocument: &own})
	must(t, err)
	ada := n.as(static(n.key("ada")))
	ok[awsiam.CreateAccessKeyOutput](t)(ada.CreateAccessKey(ctx, &awsiam.CreateAccessKeyInput{}))
	n.user("eve")
	_, err = ada.CreateAccessKey(ctx, &awsiam.CreateAccessKeyInput{UserName: aws.String("eve")})
	refused(t, "another's", err, "AccessDenied", "User: arn:aws:iam::"+account+":user/ada is not authorized to perform: iam:CreateAccessKey on resource: "+
		"arn:aws:iam::"+account+":user/eve because no identity-based policy allows the iam:CreateAccessKey action")
}

// Nothing in the store is the secret.
func TestSecretsAreSealed(t *testing.T) {
	n := start(t)
	n.user("ada")
	k := n.key("ada")
	err := n.Store.View(t.Context(), func(r store.Reader) error {
		for p, err := range r.Scan(store.Range{}) {
			if err != nil {
				return err
			}
			if strings.Contains(string(p.Value), *k.SecretAccessKey) {
				t.Errorf("%q holds the secret", p.Key)
			}
		}
		return nil
	})
	must(t, err)
}
