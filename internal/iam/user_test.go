package iam_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mayfly-cloud/mayfly/internal/iam/iamtest"
)

var plain = cmpopts.IgnoreUnexported(types.User{}, types.Tag{}, types.Group{}, types.Role{}, types.Policy{}, types.PolicyVersion{},
	types.AttachedPermissionsBoundary{}, types.AttachedPolicy{}, types.RoleLastUsed{}, types.AccessKeyMetadata{})

func (n *node) user(name string) {
	n.t.Helper()
	ok[awsiam.CreateUserOutput](n.t)(n.CreateUser(n.t.Context(), &awsiam.CreateUserInput{UserName: &name}))
}

func TestUser(t *testing.T) {
	n, ctx := start(t), t.Context()
	created := ok[awsiam.CreateUserOutput](t)(n.CreateUser(ctx, &awsiam.CreateUserInput{
		UserName: aws.String("Ada"), Path: aws.String("/engines/"), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}},
	})).User
	if !regexp.MustCompile(`^AIDA[A-Z2-7]{17}$`).MatchString(*created.UserId) {
		t.Errorf("id %s", *created.UserId)
	}
	want := &types.User{
		UserName: aws.String("Ada"), Path: aws.String("/engines/"), UserId: created.UserId, CreateDate: &noon,
		Arn: aws.String("arn:aws:iam::" + account + ":user/engines/Ada"), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}},
	}
	got := ok[awsiam.GetUserOutput](t)(n.GetUser(ctx, &awsiam.GetUserInput{UserName: aws.String("Ada")})).User
	if diff := cmp.Diff([]*types.User{want, want}, []*types.User{created, got}, plain); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, err := n.CreateUser(ctx, &awsiam.CreateUserInput{UserName: aws.String("ADA")})
	refused(t, "a name that differs by case alone", err, "EntityAlreadyExists", "User with name ADA already exists.")

	_, err = n.UpdateUser(ctx, &awsiam.UpdateUserInput{UserName: aws.String("Ada"), NewUserName: aws.String("Lovelace"), NewPath: aws.String("/")})
	must(t, err)
	_, err = n.GetUser(ctx, &awsiam.GetUserInput{UserName: aws.String("Ada")})
	refused(t, "the old name", err, "NoSuchEntity", "The user with name Ada cannot be found.")
	got = ok[awsiam.GetUserOutput](t)(n.GetUser(ctx, &awsiam.GetUserInput{UserName: aws.String("Lovelace")})).User
	if *got.UserId != *created.UserId || *got.Arn != "arn:aws:iam::"+account+":user/Lovelace" {
		t.Errorf("renamed: %s %s", *got.UserId, *got.Arn)
	}
	_, err = n.DeleteUser(ctx, &awsiam.DeleteUserInput{UserName: aws.String("Lovelace")})
	must(t, err)
	_, err = n.DeleteUser(ctx, &awsiam.DeleteUserInput{UserName: aws.String("Lovelace")})
	refused(t, "delete again", err, "NoSuchEntity", "")
	summary := ok[awsiam.GetAccountSummaryOutput](t)(n.GetAccountSummary(ctx, &awsiam.GetAccountSummaryInput{}))
	if summary.SummaryMap["Users"] != 0 {
		t.Errorf("%d users are counted", summary.SummaryMap["Users"])
	}
}

func TestRefusedUsers(t *testing.T) {
	n := start(t)
	long := strings.Repeat("x", 65)
	tag := func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} }
	many := make([]types.Tag, 51)
	for i := range many {
		many[i] = tag(fmt.Sprint("k", i), "")
	}
	for what, tt := range map[string]struct {
		in   awsiam.CreateUserInput
		code string
	}{
		"empty name":          {awsiam.CreateUserInput{UserName: aws.String("")}, "ValidationError"},
		"long name":           {awsiam.CreateUserInput{UserName: &long}, "ValidationError"},
		"slash in name":       {awsiam.CreateUserInput{UserName: aws.String("a/b")}, "ValidationError"},
		"path without end":    {awsiam.CreateUserInput{UserName: aws.String("a"), Path: aws.String("/x")}, "ValidationError"},
		"empty path segment":  {awsiam.CreateUserInput{UserName: aws.String("a"), Path: aws.String("//")}, "ValidationError"},
		"long path":           {awsiam.CreateUserInput{UserName: aws.String("a"), Path: aws.String("/" + strings.Repeat("x", 511) + "/")}, "ValidationError"},
		"boundary not there":  {awsiam.CreateUserInput{UserName: aws.String("a"), PermissionsBoundary: aws.String("arn:aws:iam::aws:policy/Nothing")}, "NoSuchEntity"},
		"tag of AWS's":        {awsiam.CreateUserInput{UserName: aws.String("a"), Tags: []types.Tag{tag("AWS:x", "")}}, "InvalidInput"},
		"one tag twice":       {awsiam.CreateUserInput{UserName: aws.String("a"), Tags: []types.Tag{tag("k", ""), tag("K", "")}}, "InvalidInput"},
		"too many tags":       {awsiam.CreateUserInput{UserName: aws.String("a"), Tags: many}, "LimitExceeded"},
		"tag with a bad rune": {awsiam.CreateUserInput{UserName: aws.String("a"), Tags: []types.Tag{tag("k", "<>")}}, "ValidationError"},
	} {
		_, err := n.CreateUser(t.Context(), &tt.in)
		refused(t, what, err, tt.code, "")
	}
	list := ok[awsiam.ListUsersOutput](t)(n.ListUsers(t.Context(), &awsiam.ListUsersInput{}))
	if len(list.Users) != 0 {
		t.Errorf("a refused user is there: %+v", list.Users)
	}
}

func TestListUsers(t *testing.T) {
	n, ctx := start(t), t.Context()
	for i := range 5 {
		path := "/"
		if i%2 == 1 {
			path = "/odd/"
		}
		ok[awsiam.CreateUserOutput](t)(n.CreateUser(ctx, &awsiam.CreateUserInput{UserName: aws.String(fmt.Sprint("u", i)), Path: &path}))
	}
	var names []string
	for pages := awsiam.NewListUsersPaginator(n, &awsiam.ListUsersInput{MaxItems: aws.Int32(2)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		must(t, err)
		if len(page.Users) > 2 {
			t.Errorf("a page of %d", len(page.Users))
		}
		for _, u := range page.Users {
			names = append(names, *u.UserName)
		}
	}
	if diff := cmp.Diff([]string{"u0", "u1", "u2", "u3", "u4"}, names); diff != "" {
		t.Error(diff)
	}
	odd := ok[awsiam.ListUsersOutput](t)(n.ListUsers(ctx, &awsiam.ListUsersInput{PathPrefix: aws.String("/odd/")}))
	if len(odd.Users) != 2 || odd.IsTruncated {
		t.Errorf("below /odd/: %+v", odd.Users)
	}
	for _, in := range []awsiam.ListUsersInput{{Marker: aws.String("nonsense")}, {MaxItems: aws.Int32(0)}, {MaxItems: aws.Int32(1001)}} {
		_, err := n.ListUsers(ctx, &in)
		refused(t, fmt.Sprintf("%+v", in), err, "ValidationError", "")
	}
}

func TestUserTags(t *testing.T) {
	n, ctx := start(t), t.Context()
	n.user("ada")
	tags := func(kv ...string) (list []types.Tag) {
		for i := 0; i < len(kv); i += 2 {
			list = append(list, types.Tag{Key: &kv[i], Value: &kv[i+1]})
		}
		return list
	}
	_, err := n.TagUser(ctx, &awsiam.TagUserInput{UserName: aws.String("ada"), Tags: tags("a", "1", "b", "2")})
	must(t, err)
	_, err = n.TagUser(ctx, &awsiam.TagUserInput{UserName: aws.String("ada"), Tags: tags("B", "3")})
	must(t, err)
	_, err = n.UntagUser(ctx, &awsiam.UntagUserInput{UserName: aws.String("ada"), TagKeys: []string{"a", "none"}})
	must(t, err)
	got := ok[awsiam.ListUserTagsOutput](t)(n.ListUserTags(ctx, &awsiam.ListUserTagsInput{UserName: aws.String("ada")}))
	if diff := cmp.Diff(tags("B", "3"), got.Tags, plain); diff != "" {
		t.Error(diff)
	}
}

// What Terraform and the command line read before they delete a user.
func TestUserHasNothingElse(t *testing.T) {
	n, ctx := start(t), t.Context()
	n.user("ada")
	ada := aws.String("ada")
	if out := ok[awsiam.ListMFADevicesOutput](t)(n.ListMFADevices(ctx, &awsiam.ListMFADevicesInput{UserName: ada})); len(out.MFADevices) != 0 {
		t.Error("devices")
	}
	ok[awsiam.ListSSHPublicKeysOutput](t)(n.ListSSHPublicKeys(ctx, &awsiam.ListSSHPublicKeysInput{UserName: ada}))
	ok[awsiam.ListSigningCertificatesOutput](t)(n.ListSigningCertificates(ctx, &awsiam.ListSigningCertificatesInput{UserName: ada}))
	ok[awsiam.ListServiceSpecificCredentialsOutput](t)(n.ListServiceSpecificCredentials(ctx, &awsiam.ListServiceSpecificCredentialsInput{UserName: ada}))
	ok[awsiam.ListVirtualMFADevicesOutput](t)(n.ListVirtualMFADevices(ctx, &awsiam.ListVirtualMFADevicesInput{}))
	_, err := n.DeleteLoginProfile(ctx, &awsiam.DeleteLoginProfileInput{UserName: ada})
	refused(t, "no password", err, "NoSuchEntity", "Login Profile for User ada cannot be found.")
	_, err = n.ListMFADevices(ctx, &awsiam.ListMFADevicesInput{UserName: aws.String("nobody")})
	refused(t, "no user", err, "NoSuchEntity", "")
}

func TestRootAsksWhoItIs(t *testing.T) {
	n := start(t)
	u := ok[awsiam.GetUserOutput](t)(n.GetUser(t.Context(), &awsiam.GetUserInput{})).User
	if *u.Arn != "arn:aws:iam::"+account+":root" || *u.UserId != account {
		t.Errorf("%+v", u)
	}
	_, err := n.CreateAccessKey(t.Context(), &awsiam.CreateAccessKeyInput{})
	refused(t, "a key of root's", err, "ValidationError", "")
}

func TestGroup(t *testing.T) {
	n, ctx := start(t), t.Context()
	n.user("ada")
	group, ada := aws.String("Engineers"), aws.String("ada")
	g := ok[awsiam.CreateGroupOutput](t)(n.CreateGroup(ctx, &awsiam.CreateGroupInput{GroupName: group, Path: aws.String("/x/")})).Group
	if !strings.HasPrefix(*g.GroupId, "AGPA") || *g.Arn != "arn:aws:iam::"+account+":group/x/Engineers" {
		t.Errorf("%+v", g)
	}
	for range 2 { // being in it already is fine
		_, err := n.AddUserToGroup(ctx, &awsiam.AddUserToGroupInput{GroupName: group, UserName: ada})
		must(t, err)
	}
	got := ok[awsiam.GetGroupOutput](t)(n.GetGroup(ctx, &awsiam.GetGroupInput{GroupName: group}))
	if len(got.Users) != 1 || *got.Users[0].UserName != "ada" {
		t.Errorf("members: %+v", got.Users)
	}
	_, err := n.UpdateGroup(ctx, &awsiam.UpdateGroupInput{GroupName: group, NewGroupName: aws.String("Builders")})
	must(t, err)
	of := ok[awsiam.ListGroupsForUserOutput](t)(n.ListGroupsForUser(ctx, &awsiam.ListGroupsForUserInput{UserName: ada}))
	if len(of.Groups) != 1 || *of.Groups[0].GroupName != "Builders" {
		t.Errorf("groups: %+v", of.Groups)
	}
	group = aws.String("Builders")
	_, err = n.DeleteGroup(ctx, &awsiam.DeleteGroupInput{GroupName: group})
	refused(t, "delete with a member", err, "DeleteConflict", "Cannot delete entity, must remove users from group first.")
	_, err = n.DeleteUser(ctx, &awsiam.DeleteUserInput{UserName: ada})
	refused(t, "delete a member", err, "DeleteConflict", "Cannot delete entity, must remove users from group first.")
	_, err = n.RemoveUserFromGroup(ctx, &awsiam.RemoveUserFromGroupInput{GroupName: group, UserName: ada})
	must(t, err)
	_, err = n.RemoveUserFromGroup(ctx, &awsiam.RemoveUserFromGroupInput{GroupName: group, UserName: ada})
	refused(t, "remove again", err, "NoSuchEntity", "")
	_, err = n.DeleteGroup(ctx, &awsiam.DeleteGroupInput{GroupName: group})
	must(t, err)
	for i := range 11 {
		name := fmt.Sprint("g", i)
		ok[awsiam.CreateGroupOutput](t)(n.CreateGroup(ctx, &awsiam.CreateGroupInput{GroupName: &name}))
		_, err = n.AddUserToGroup(ctx, &awsiam.AddUserToGroupInput{GroupName: &name, UserName: ada})
	}
	refused(t, "an eleventh group", err, "LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10")
}

func TestInlinePolicy(t *testing.T) {
	n, ctx := start(t), t.Context()
	n.user("ada")
	ada, doc := aws.String("ada"), `{"Version":"2012-10-17", "Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::a b+c/*"}]}`
	_, err := n.PutUserPolicy(ctx, &awsiam.PutUserPolicyInput{UserName: ada, PolicyName: aws.String("p"), PolicyDocument: &doc})
	must(t, err)
	got := ok[awsiam.GetUserPolicyOutput](t)(n.GetUserPolicy(ctx, &awsiam.GetUserPolicyInput{UserName: ada, PolicyName: aws.String("p")}))
	want := `%7B%22Version%22%3A%222012-10-17%22%2C%20%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22s3%3A%2A%22%2C%22Resource%22%3A%22arn%3Aaws%3As3%3A%3A%3Aa%20b%2Bc%2F%2A%22%7D%5D%7D`
	if *got.PolicyDocument != want {
		t.Errorf("document %s", *got.PolicyDocument)
	}
	big := iamtest.Allow("s3:*", "arn:aws:s3:::"+strings.Repeat("x", 2100))
	_, err = n.PutUserPolicy(ctx, &awsiam.PutUserPolicyInput{UserName: ada, PolicyName: aws.String("big"), PolicyDocument: &big})
	refused(t, "too large", err, "LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user ada")
	_, err = n.PutUserPolicy(ctx, &awsiam.PutUserPolicyInput{UserName: ada, PolicyName: aws.String("bad"), PolicyDocument: aws.String(`{"Statement":[]}`)})
	refused(t, "malformed", err, "MalformedPolicyDocument", "")
	_, err = n.DeleteUser(ctx, &awsiam.DeleteUserInput{UserName: ada})
	refused(t, "delete with a policy", err, "DeleteConflict", "Cannot delete entity, must delete policies first.")
	list := ok[awsiam.ListUserPoliciesOutput](t)(n.ListUserPolicies(ctx, &awsiam.ListUserPoliciesInput{UserName: ada}))
	if diff := cmp.Diff([]string{"p"}, list.PolicyNames); diff != "" {
		t.Error(diff)
	}
	_, err = n.DeleteUserPolicy(ctx, &awsiam.DeleteUserPolicyInput{UserName: ada, PolicyName: aws.String("p")})
	must(t, err)
	_, err = n.GetUserPolicy(ctx, &awsiam.GetUserPolicyInput{UserName: ada, PolicyName: aws.String("p")})
	refused(t, "gone", err, "NoSuchEntity", "The user policy with name p cannot be found.")
}
