package iam_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/auth"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/iam"
	"github.com/mayfly-cloud/mayfly/internal/iam/iamtest"
	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
)

// principal is a user's, as its access key gives it.
func (n *node) principal(k *types.AccessKey) auth.Principal {
	n.t.Helper()
	c, err := n.IAM.Keys().Secret(n.t.Context(), *k.AccessKeyId, "")
	must(n.t, err)
	return c.Principal
}

func names(list []policy.Attached) (names []string) {
	for _, a := range list {
		names = append(names, a.Name)
	}
	slices.Sort(names)
	return names
}

func TestCallerIsAUser(t *testing.T) {
	n, ctx := start(t), t.Context()
	n.user("ada")
	ada, s3 := aws.String("ada"), aws.String(iamtest.Allow("s3:*", "*"))
	p := n.principal(n.key("ada"))
	own, groups, boundary := n.policy("own", *s3), n.policy("groups", *s3), n.policy("limit", *s3)
	ok[awsiam.CreateGroupOutput](t)(n.CreateGroup(ctx, &awsiam.CreateGroupInput{GroupName: aws.String("g")}))
	for _, step := range []func() error{
		func() error {
			_, err := n.PutUserPolicy(ctx, &awsiam.PutUserPolicyInput{UserName: ada, PolicyName: aws.String("inline"), PolicyDocument: s3})
			return err
		},
		func() error {
			_, err := n.AttachUserPolicy(ctx, &awsiam.AttachUserPolicyInput{UserName: ada, PolicyArn: own})
			return err
		},
		func() error {
			_, err := n.PutGroupPolicy(ctx, &awsiam.PutGroupPolicyInput{GroupName: aws.String("g"), PolicyName: aws.String("of the group"), PolicyDocument: s3})
			refused(t, "a name with spaces", err, "ValidationError", "")
			_, err = n.PutGroupPolicy(ctx, &awsiam.PutGroupPolicyInput{GroupName: aws.String("g"), PolicyName: aws.String("group-inline"), PolicyDocument: s3})
			return err
		},
		func() error {
			_, err := n.AttachGroupPolicy(ctx, &awsiam.AttachGroupPolicyInput{GroupName: aws.String("g"), PolicyArn: groups})
			return err
		},
		func() error {
			_, err := n.AddUserToGroup(ctx, &awsiam.AddUserToGroupInput{GroupName: aws.String("g"), UserName: ada})
			return err
		},
		func() error {
			_, err := n.PutUserPermissionsBoundary(ctx, &awsiam.PutUserPermissionsBoundaryInput{UserName: ada, PermissionsBoundary: boundary})
			return err
		},
		func() error {
			_, err := n.TagUser(ctx, &awsiam.TagUserInput{UserName: ada, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}}})
			return err
		},
	} {
		must(t, step())
	}
	c, err := n.IAM.Caller(ctx, p)
	must(t, err)
	want := []string{*groups, *own, "group-inline", "inline"}
	slices.Sort(want)
	if diff := cmp.Diff(want, names(c.Identity)); diff != "" {
		t.Errorf("identity policies: %s", diff)
	}
	if diff := cmp.Diff([]string{*boundary}, names(c.Boundary)); diff != "" {
		t.Errorf("boundary: %s", diff)
	}
	var keys policy.Keys
	c.SetKeys(&keys)
	for k, want := range map[string]string{
		"aws:username": "ada", "aws:userid": p.UserID, "aws:PrincipalArn": "arn:aws:iam::" + account + ":user/ada", "aws:PrincipalTag/team": "a",
		"aws:PrincipalType": "User", "aws:PrincipalAccount": account, "aws:TokenIssueTime": "",
	} {
		if got := strings.Join(keys.Get(k), "|"); got != want {
			t.Errorf("%s is %q, want %q", k, got, want)
		}
	}
	if again, err := n.IAM.Caller(ctx, p); err != nil || again != c {
		t.Errorf("it was read again: %v", err)
	}
}

// Whoever has seen a change answered never meets what was there before.
func TestNothingIsStale(t *testing.T) {
	n, ctx := start(t), t.Context()
	n.user("ada")
	k := n.key("ada")
	ada := n.as(static(k))
	list := func() error {
		_, err := ada.ListUsers(ctx, &awsiam.ListUsersInput{})
		return err
	}
	full := aws.String("arn:aws:iam::aws:policy/IAMFullAccess")
	for range 10 {
		refused(t, "without a policy", list(), "AccessDenied", "User: arn:aws:iam::"+account+":user/ada is not authorized to perform: iam:ListUsers"+
			" on resource: arn:aws:iam::"+account+":user/ because no identity-based policy allows the iam:ListUsers action")
		_, err := n.AttachUserPolicy(ctx, &awsiam.AttachUserPolicyInput{UserName: aws.String("ada"), PolicyArn: full})
		must(t, err)
		must(t, list())
		_, err = n.DetachUserPolicy(ctx, &awsiam.DetachUserPolicyInput{UserName: aws.String("ada"), PolicyArn: full})
		must(t, err)
	}
	_, err := n.DeleteAccessKey(ctx, &awsiam.DeleteAccessKeyInput{UserName: aws.String("ada"), AccessKeyId: k.AccessKeyId})
	must(t, err)
	refused(t, "with a deleted key", list(), "InvalidClientTokenId", "")
}

// Another node's changes are seen by watching the store.
func TestOtherNodesChanges(t *testing.T) {
	n := start(t)
	n.user("ada")
	p := n.principal(n.key("ada"))
	other := iam.New(iam.Config{Store: n.Store, Account: account, Sealer: n.NodeKey})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- other.Run(ctx) }()
	count := func() int {
		c, err := other.Caller(t.Context(), p)
		must(t, err)
		return len(c.Identity)
	}
	if count() != 0 {
		t.Error("a policy is there already")
	}
	_, err := n.AttachUserPolicy(t.Context(), &awsiam.AttachUserPolicyInput{UserName: aws.String("ada"), PolicyArn: aws.String(basic)})
	must(t, err)
	for deadline := time.Now().Add(5 * time.Second); count() != 1; {
		if time.Now().After(deadline) {
			t.Fatal("the change was not seen")
		}
		time.Sleep(time.Millisecond)
	}
	stop()
	must(t, <-ended)
}

func TestGoneCallers(t *testing.T) {
	n, ctx := start(t), t.Context()
	n.user("ada")
	user := n.principal(n.key("ada"))
	role := n.role("r", lambdaTrust)
	c, err := n.Sessions.Issue(auth.Grant{Kind: auth.RoleSession, ARN: *role.Arn, ID: *role.RoleId, Name: "s", Life: time.Hour})
	must(t, err)
	f, err := n.Sessions.ForRole(*role.Arn, "s", "arn:aws:lambda:us-east-1:"+account+":function:f", time.Hour)
	must(t, err)
	owned := n.IAM.Owned(n.Sessions)
	session, err := owned.Secret(ctx, c.AccessKeyID, c.Token)
	must(t, err)
	function, err := owned.Secret(ctx, f.AccessKeyID, f.Token)
	must(t, err)
	for _, m := range ok[awsiam.ListAccessKeysOutput](t)(n.ListAccessKeys(ctx, &awsiam.ListAccessKeysInput{UserName: aws.String("ada")})).AccessKeyMetadata {
		_, err = n.DeleteAccessKey(ctx, &awsiam.DeleteAccessKeyInput{UserName: aws.String("ada"), AccessKeyId: m.AccessKeyId})
		must(t, err)
	}
	_, err = n.DeleteUser(ctx, &awsiam.DeleteUserInput{UserName: aws.String("ada")})
	must(t, err)
	_, err = n.DeleteRole(ctx, &awsiam.DeleteRoleInput{RoleName: aws.String("r")})
	must(t, err)
	n.Clock.Advance(time.Second)
	gone := func(when string) {
		for what, p := range map[string]auth.Principal{"user": user, "session": session.Principal, "function": function.Principal} {
			if _, err := n.IAM.Caller(ctx, p); !fault.Is(err, "InvalidClientTokenId") {
				t.Errorf("%s of a deleted owner, %s: %v", what, when, err)
			}
		}
		for what, x := range map[string]auth.Credentials{"session": c, "function": f} {
			if _, err := owned.Secret(ctx, x.AccessKeyID, x.Token); err != auth.ErrInvalidToken {
				t.Errorf("credentials of a %s, %s: %v", what, when, err)
			}
		}
	}
	gone("then")
	n.user("ada")
	n.role("r", lambdaTrust)
	gone("with others under their names")

	// Between trusting a role and making its credentials, another may take its name.
	late, err := n.Sessions.Issue(auth.Grant{Kind: auth.RoleSession, ARN: *role.Arn, ID: *role.RoleId, Name: "s", Life: time.Hour})
	must(t, err)
	if _, err := owned.Secret(ctx, late.AccessKeyID, late.Token); err != auth.ErrInvalidToken {
		t.Errorf("credentials made for a role that is gone are those of one that took its name: %v", err)
	}
}

func TestCallersWithoutPolicies(t *testing.T) {
	n, ctx := start(t), t.Context()
	for what, tt := range map[string]struct {
		p    auth.Principal
		kind policy.PrincipalType
	}{
		"root":    {auth.Principal{Kind: auth.RootUser, Account: account, ARN: "arn:aws:iam::" + account + ":root", AccessKeyID: n.Root.AccessKeyID()}, policy.Root},
		"service": {auth.Principal{Kind: auth.Service, ARN: "s3.amazonaws.com"}, policy.Service},
		"nobody":  {auth.Nobody, policy.Anonymous},
	} {
		c, err := n.IAM.Caller(ctx, tt.p)
		if err != nil || c.Principal.Type != tt.kind || len(c.Identity)+len(c.Boundary)+len(c.Session) > 0 {
			t.Errorf("%s: %+v %v", what, c, err)
		}
	}
}

// A session made by GetSessionToken is its user's, but for identity management.
func TestUsersOwnSession(t *testing.T) {
	n, ctx := start(t), t.Context()
	n.user("ada")
	k := n.key("ada")
	_, err := n.AttachUserPolicy(ctx, &awsiam.AttachUserPolicyInput{UserName: aws.String("ada"), PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})
	must(t, err)
	got := ok[sts.GetSessionTokenOutput](t)(n.sts(static(k)).GetSessionToken(ctx, &sts.GetSessionTokenInput{})).Credentials
	temporary := credentials.NewStaticCredentialsProvider(*got.AccessKeyId, *got.SecretAccessKey, *got.SessionToken)
	id := ok[sts.GetCallerIdentityOutput](t)(n.sts(temporary).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))
	if *id.Arn != "arn:aws:iam::"+account+":user/ada" {
		t.Errorf("%s", *id.Arn)
	}
	_, err = n.as(temporary).ListUsers(ctx, &awsiam.ListUsersInput{})
	refused(t, "identity management", err, "AccessDenied", "")
	_, err = n.sts(temporary).GetSessionToken(ctx, &sts.GetSessionTokenInput{})
	refused(t, "another session", err, "AccessDenied", "Cannot call GetSessionToken with session credentials")
	// The key it was made with may go: the session is the user's.
	_, err = n.DeleteAccessKey(ctx, &awsiam.DeleteAccessKeyInput{UserName: aws.String("ada"), AccessKeyId: k.AccessKeyId})
	must(t, err)
	ok[sts.GetCallerIdentityOutput](t)(n.sts(temporary).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))
}

func BenchmarkCaller(b *testing.B) {
	n := start(b)
	n.user("ada")
	p := n.principal(n.key("ada"))
	ctx := b.Context()
	for b.Loop() {
		if _, err := n.IAM.Caller(ctx, p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSecret(b *testing.B) {
	n := start(b)
	n.user("ada")
	k, keys, ctx := *n.key("ada").AccessKeyId, n.IAM.Keys(), b.Context()
	for b.Loop() {
		if _, err := keys.Secret(ctx, k, ""); err != nil {
			b.Fatal(err)
		}
	}
}
