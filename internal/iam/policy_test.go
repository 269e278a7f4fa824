package iam_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/mayfly-cloud/mayfly/internal/iam/iamtest"
	"github.com/mayfly-cloud/mayfly/internal/iam/managed"
	"github.com/mayfly-cloud/mayfly/internal/iam/policy"
)

func (n *node) policy(name, doc string) *string {
	n.t.Helper()
	return ok[awsiam.CreatePolicyOutput](n.t)(n.CreatePolicy(n.t.Context(), &awsiam.CreatePolicyInput{PolicyName: &name, PolicyDocument: &doc})).Policy.Arn
}

func TestManagedPolicy(t *testing.T) {
	n, ctx := start(t), t.Context()
	doc := iamtest.Allow("s3:GetObject", "*")
	made := ok[awsiam.CreatePolicyOutput](t)(n.CreatePolicy(ctx, &awsiam.CreatePolicyInput{
		PolicyName: aws.String("read"), Path: aws.String("/x/"), PolicyDocument: &doc, Description: aws.String("d"),
	})).Policy
	if !strings.HasPrefix(*made.PolicyId, "ANPA") {
		t.Errorf("id %s", *made.PolicyId)
	}
	arn := made.Arn
	want := &types.Policy{
		Arn: aws.String("arn:aws:iam::" + account + ":policy/x/read"), PolicyName: aws.String("read"), PolicyId: made.PolicyId, Path: aws.String("/x/"),
		Description: aws.String("d"), CreateDate: &noon, UpdateDate: &noon, DefaultVersionId: aws.String("v1"), IsAttachable: true,
		AttachmentCount: aws.Int32(0), PermissionsBoundaryUsageCount: aws.Int32(0),
	}
	got := ok[awsiam.GetPolicyOutput](t)(n.GetPolicy(ctx, &awsiam.GetPolicyInput{PolicyArn: arn})).Policy
	got.Tags = nil
	if diff := cmp.Diff([]*types.Policy{want, want}, []*types.Policy{made, got}, plain); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for v := 2; v <= 5; v++ {
		doc := iamtest.Allow("s3:*", fmt.Sprintf("arn:aws:s3:::v%d", v))
		ok[awsiam.CreatePolicyVersionOutput](t)(n.CreatePolicyVersion(ctx, &awsiam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: &doc, SetAsDefault: v == 3}))
	}
	_, err := n.CreatePolicyVersion(ctx, &awsiam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: &doc})
	refused(t, "a sixth version", err, "LimitExceeded", "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.")
	_, err = n.DeletePolicyVersion(ctx, &awsiam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v3")})
	refused(t, "delete the default", err, "DeleteConflict", "Cannot delete the default version of a policy.")
	_, err = n.DeletePolicy(ctx, &awsiam.DeletePolicyInput{PolicyArn: arn})
	refused(t, "delete with versions", err, "DeleteConflict", "")
	_, err = n.DeletePolicyVersion(ctx, &awsiam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v1")})
	must(t, err)
	_, err = n.SetDefaultPolicyVersion(ctx, &awsiam.SetDefaultPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v1")})
	refused(t, "a version that is gone", err, "NoSuchEntity", "")
	_, err = n.SetDefaultPolicyVersion(ctx, &awsiam.SetDefaultPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v5")})
	must(t, err)
	var ids []string
	for _, v := range ok[awsiam.ListPolicyVersionsOutput](t)(n.ListPolicyVersions(ctx, &awsiam.ListPolicyVersionsInput{PolicyArn: arn})).Versions {
		ids = append(ids, fmt.Sprint(*v.VersionId, v.IsDefaultVersion))
	}
	if diff := cmp.Diff([]string{"v5true", "v4false", "v3false", "v2false"}, ids); diff != "" {
		t.Error(diff)
	}
	for _, v := range []string{"v2", "v3", "v4"} {
		_, err = n.DeletePolicyVersion(ctx, &awsiam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: &v})
		must(t, err)
	}
	_, err = n.DeletePolicy(ctx, &awsiam.DeletePolicyInput{PolicyArn: arn})
	must(t, err)
	_, err = n.GetPolicy(ctx, &awsiam.GetPolicyInput{PolicyArn: arn})
	refused(t, "gone", err, "NoSuchEntity", "Policy "+*arn+" was not found.")
}

func TestRefusedPolicies(t *testing.T) {
	n, ctx := start(t), t.Context()
	good := iamtest.Allow("s3:*", "*")
	for what, tt := range map[string]struct{ name, doc, code string }{
		"version":  {"p", `{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`, "MalformedPolicyDocument"},
		"not JSON": {"p", "x", "MalformedPolicyDocument"},
		"large":    {"p", iamtest.Allow("s3:*", "arn:aws:s3:::"+strings.Repeat("x", 6144)), "LimitExceeded"},
		"name":     {"a b", good, "ValidationError"},
	} {
		_, err := n.CreatePolicy(ctx, &awsiam.CreatePolicyInput{PolicyName: &tt.name, PolicyDocument: &tt.doc})
		refused(t, what, err, tt.code, "")
	}
	// White space does not count.
	spaced := strings.Replace(good, `"Statement":`, `"Statement":`+strings.Repeat(" ", 10000), 1)
	n.policy("spaced", spaced)
	_, err := n.CreatePolicy(ctx, &awsiam.CreatePolicyInput{PolicyName: aws.String("SPACED"), PolicyDocument: &good})
	refused(t, "the same name", err, "EntityAlreadyExists", "A policy called SPACED already exists. Duplicate names are not allowed.")
	for _, arn := range []string{"arn:aws:iam::999999999999:policy/p", "arn:aws:iam::aws:policy/None", "arn:aws:iam::" + account + ":policy/x/spaced"} {
		_, err = n.GetPolicy(ctx, &awsiam.GetPolicyInput{PolicyArn: &arn})
		refused(t, arn, err, "NoSuchEntity", "Policy "+arn+" was not found.")
	}
	_, err = n.GetPolicy(ctx, &awsiam.GetPolicyInput{PolicyArn: aws.String("not an arn at all...")})
	refused(t, "no ARN", err, "ValidationError", "")
	admin := aws.String("arn:aws:iam::aws:policy/AdministratorAccess")
	_, err = n.DeletePolicy(ctx, &awsiam.DeletePolicyInput{PolicyArn: admin})
	refused(t, "delete AWS's", err, "AccessDenied", "")
	_, err = n.CreatePolicyVersion(ctx, &awsiam.CreatePolicyVersionInput{PolicyArn: admin, PolicyDocument: &good})
	refused(t, "change AWS's", err, "AccessDenied", "")
}

func TestAttachments(t *testing.T) {
	n, ctx := start(t), t.Context()
	arn := n.policy("p", iamtest.Allow("s3:*", "*"))
	n.user("u")
	n.role("r", lambdaTrust)
	ok[awsiam.CreateGroupOutput](t)(n.CreateGroup(ctx, &awsiam.CreateGroupInput{GroupName: aws.String("g")}))
	_, err := n.AttachUserPolicy(ctx, &awsiam.AttachUserPolicyInput{UserName: aws.String("u"), PolicyArn: arn})
	must(t, err)
	_, err = n.AttachGroupPolicy(ctx, &awsiam.AttachGroupPolicyInput{GroupName: aws.String("g"), PolicyArn: arn})
	must(t, err)
	_, err = n.PutRolePermissionsBoundary(ctx, &awsiam.PutRolePermissionsBoundaryInput{RoleName: aws.String("r"), PermissionsBoundary: arn})
	must(t, err)
	p := ok[awsiam.GetPolicyOutput](t)(n.GetPolicy(ctx, &awsiam.GetPolicyInput{PolicyArn: arn})).Policy
	if *p.AttachmentCount != 2 || *p.PermissionsBoundaryUsageCount != 1 {
		t.Errorf("attached %d times, boundary of %d", *p.AttachmentCount, *p.PermissionsBoundaryUsageCount)
	}
	e := ok[awsiam.ListEntitiesForPolicyOutput](t)(n.ListEntitiesForPolicy(ctx, &awsiam.ListEntitiesForPolicyInput{PolicyArn: arn}))
	if len(e.PolicyUsers) != 1 || len(e.PolicyGroups) != 1 || len(e.PolicyRoles) != 1 {
		t.Errorf("%+v", e)
	}
	e = ok[awsiam.ListEntitiesForPolicyOutput](t)(n.ListEntitiesForPolicy(ctx, &awsiam.ListEntitiesForPolicyInput{PolicyArn: arn, EntityFilter: types.EntityTypeRole, PolicyUsageFilter: types.PolicyUsageTypePermissionsPolicy}))
	if len(e.PolicyRoles) != 0 {
		t.Errorf("roles it is attached to: %+v", e)
	}
	for _, in := range []awsiam.ListPoliciesInput{
		{Scope: types.PolicyScopeTypeLocal}, {OnlyAttached: true}, {PolicyUsageFilter: types.PolicyUsageTypePermissionsBoundary},
	} {
		if list := ok[awsiam.ListPoliciesOutput](t)(n.ListPolicies(ctx, &in)); len(list.Policies) != 1 || *list.Policies[0].Arn != *arn {
			t.Errorf("%+v: %d policies", in, len(list.Policies))
		}
	}
	_, err = n.DeletePolicy(ctx, &awsiam.DeletePolicyInput{PolicyArn: arn})
	refused(t, "delete an attached policy", err, "DeleteConflict", "Cannot delete a policy attached to entities.")
	_, err = n.DetachUserPolicy(ctx, &awsiam.DetachUserPolicyInput{UserName: aws.String("u"), PolicyArn: arn})
	must(t, err)
	_, err = n.DetachGroupPolicy(ctx, &awsiam.DetachGroupPolicyInput{GroupName: aws.String("g"), PolicyArn: arn})
	must(t, err)
	_, err = n.DeletePolicy(ctx, &awsiam.DeletePolicyInput{PolicyArn: arn})
	refused(t, "delete a boundary", err, "DeleteConflict", "")
	_, err = n.DeleteRole(ctx, &awsiam.DeleteRoleInput{RoleName: aws.String("r")}) // takes its boundary with it
	must(t, err)
	_, err = n.DeletePolicy(ctx, &awsiam.DeletePolicyInput{PolicyArn: arn})
	must(t, err)
	for i := range 11 {
		arn := n.policy(fmt.Sprint("q", i), iamtest.Allow("s3:*", "*"))
		_, err = n.AttachUserPolicy(ctx, &awsiam.AttachUserPolicyInput{UserName: aws.String("u"), PolicyArn: arn})
	}
	refused(t, "an eleventh policy", err, "LimitExceeded", "Cannot exceed quota for PoliciesPerUser: 10")
	none := "arn:aws:iam::" + account + ":policy/none"
	_, err = n.AttachUserPolicy(ctx, &awsiam.AttachUserPolicyInput{UserName: aws.String("u"), PolicyArn: &none})
	refused(t, "a policy that is not there", err, "NoSuchEntity", "Policy "+none+" does not exist or is not attachable.")
}

// Those that functions and tools attach are there, compile, and can be read.
func TestAWSPolicies(t *testing.T) {
	n, ctx := start(t), t.Context()
	var arns []string
	for pages := awsiam.NewListPoliciesPaginator(n, &awsiam.ListPoliciesInput{Scope: types.PolicyScopeTypeAws, MaxItems: aws.Int32(7)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		must(t, err)
		for _, p := range page.Policies {
			arns = append(arns, *p.Arn)
			v := ok[awsiam.GetPolicyVersionOutput](t)(n.GetPolicyVersion(ctx, &awsiam.GetPolicyVersionInput{PolicyArn: p.Arn, VersionId: p.DefaultVersionId})).PolicyVersion
			doc, err := url.QueryUnescape(*v.Document)
			must(t, err)
			if _, err := policy.Parse([]byte(doc), policy.Managed); err != nil {
				t.Errorf("%s: %v", *p.Arn, err)
			}
		}
	}
	if diff := cmp.Diff(managed.ARNs(), arns); diff != "" {
		t.Error(diff)
	}
	for _, name := range strings.Fields(`AdministratorAccess PowerUserAccess ReadOnlyAccess IAMFullAccess IAMReadOnlyAccess AWSLambda_FullAccess
		AWSLambda_ReadOnlyAccess service-role/AWSLambdaRole service-role/AWSLambdaBasicExecutionRole service-role/AWSLambdaSQSQueueExecutionRole
		service-role/AWSLambdaDynamoDBExecutionRole service-role/AWSLambdaKinesisExecutionRole service-role/AWSLambdaVPCAccessExecutionRole
		AWSXRayDaemonWriteAccess CloudWatchLogsFullAccess CloudWatchLogsReadOnlyAccess AmazonSQSFullAccess AmazonSNSFullAccess
		AmazonDynamoDBFullAccess AmazonS3FullAccess AmazonS3ReadOnlyAccess AmazonEventBridgeFullAccess AmazonSSMReadOnlyAccess SecretsManagerReadWrite`) {
		if !slices.Contains(arns, managed.Prefix+name) {
			t.Errorf("%s is missing", name)
		}
	}
}
