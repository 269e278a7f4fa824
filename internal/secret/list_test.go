package secret_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/mayfly-cloud/mayfly/internal/secret"
)

// fill makes some secrets a minute apart.
func fill(t *testing.T, n *node) {
	for _, s := range []struct{ name, description, tag, value string }{
		{"prod/db", "the Main database", "team", "red"},
		{"prod/api", "key of the API", "team", "blue"},
		{"test/db", "", "stage", "red"},
	} {
		ok[sm.CreateSecretOutput](t)(n.CreateSecret(context.Background(), &sm.CreateSecretInput{
			Name: &s.name, Description: &s.description, SecretString: aws.String("value of " + s.name), Tags: []types.Tag{{Key: &s.tag, Value: &s.value}},
		}))
		n.clock.Advance(time.Minute)
	}
}

func TestListByFilters(t *testing.T) {
	n, ctx := start(t), context.Background()
	fill(t, n)
	for what, test := range map[string]struct {
		key    types.FilterNameStringType
		values []string
		want   []string
	}{
		"name":            {"name", []string{"prod/"}, []string{"prod/api", "prod/db"}},
		"name by case":    {"name", []string{"Prod"}, nil},
		"names":           {"name", []string{"prod/a", "test"}, []string{"test/db", "prod/api"}},
		"not":             {"name", []string{"!prod"}, []string{"test/db"}},
		"description":     {"description", []string{"main"}, []string{"prod/db"}},
		"tag's key":       {"tag-key", []string{"te"}, []string{"prod/api", "prod/db"}},
		"tag's value":     {"tag-value", []string{"red"}, []string{"test/db", "prod/db"}},
		"anywhere":        {"all", []string{"DB red"}, []string{"test/db", "prod/db"}},
		"another service": {"owning-service", []string{"rds"}, nil},
	} {
		var got []string
		for _, s := range ok[sm.ListSecretsOutput](t)(n.ListSecrets(ctx, &sm.ListSecretsInput{Filters: []types.Filter{{Key: test.key, Values: test.values}}})).SecretList {
			got = append(got, *s.Name)
		}
		equal(t, what, test.want, got)
	}
	for what, f := range map[string]types.Filter{"key": {Key: "size", Values: []string{"x"}}, "values": {Key: "name", Values: []string{}}} {
		_, err := n.ListSecrets(ctx, &sm.ListSecretsInput{Filters: []types.Filter{f}})
		refused(t, what, err, "ValidationException", "")
	}
}

func TestListInOrderByPages(t *testing.T) {
	n, ctx := start(t), context.Background()
	fill(t, n)
	ok[sm.UpdateSecretOutput](t)(n.UpdateSecret(ctx, &sm.UpdateSecretInput{SecretId: aws.String("prod/db"), Description: aws.String("x")}))
	for what, test := range map[string]struct {
		in   sm.ListSecretsInput
		want []string
	}{
		"newest first": {sm.ListSecretsInput{}, []string{"test/db", "prod/api", "prod/db"}},
		"oldest first": {sm.ListSecretsInput{SortOrder: "asc"}, []string{"prod/db", "prod/api", "test/db"}},
		"by name":      {sm.ListSecretsInput{SortBy: "name", SortOrder: "asc"}, []string{"prod/api", "prod/db", "test/db"}},
		"by change":    {sm.ListSecretsInput{SortBy: "last-changed-date"}, []string{"prod/db", "test/db", "prod/api"}},
		"never read":   {sm.ListSecretsInput{SortBy: "last-accessed-date", SortOrder: "asc"}, []string{"prod/api", "prod/db", "test/db"}},
	} {
		var got []string
		test.in.MaxResults = aws.Int32(1)
		pages := sm.NewListSecretsPaginator(n.Client, &test.in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range page.SecretList {
				got = append(got, *s.Name)
			}
		}
		equal(t, what, test.want, got)
	}
	for what, in := range map[string]*sm.ListSecretsInput{"by": {SortBy: "size"}, "order": {SortOrder: "up"}, "many": {MaxResults: aws.Int32(101)}} {
		_, err := n.ListSecrets(ctx, in)
		refused(t, what, err, "ValidationException", "")
	}
	_, err := n.ListSecrets(ctx, &sm.ListSecretsInput{NextToken: aws.String("made up")})
	refused(t, "token", err, "InvalidNextTokenException", "")
}

func TestBatch(t *testing.T) {
	n, ctx := start(t), context.Background()
	fill(t, n)
	got := ok[sm.BatchGetSecretValueOutput](t)(n.BatchGetSecretValue(ctx, &sm.BatchGetSecretValueInput{SecretIdList: []string{"prod/db", "none", "prod/api"}}))
	if len(got.SecretValues) != 2 || *got.SecretValues[1].SecretString != "value of prod/api" || len(got.Errors) != 1 || *got.Errors[0].ErrorCode != "ResourceNotFoundException" {
		t.Errorf("got %+v", got)
	}
	var names []string
	pages := sm.NewBatchGetSecretValuePaginator(n.Client, &sm.BatchGetSecretValueInput{Filters: []types.Filter{{Key: "name", Values: []string{"prod"}}}, MaxResults: aws.Int32(1)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.SecretValues {
			names = append(names, *v.Name)
		}
	}
	equal(t, "by filter", []string{"prod/api", "prod/db"}, names)
	for what, in := range map[string]*sm.BatchGetSecretValueInput{
		"neither": {}, "both": {SecretIdList: []string{"a"}, Filters: []types.Filter{{Key: "name", Values: []string{"a"}}}}, "limit": {SecretIdList: []string{"a"}, MaxResults: aws.Int32(1)},
	} {
		_, err := n.BatchGetSecretValue(ctx, in)
		refused(t, what, err, "InvalidParameterException", "")
	}
}

func TestPolicies(t *testing.T) {
	n, ctx := start(t), context.Background()
	arn, _ := n.create(t, "a", "x")
	id := aws.String("a")
	if got := ok[sm.GetResourcePolicyOutput](t)(n.GetResourcePolicy(ctx, &sm.GetResourcePolicyInput{SecretId: id})); got.ResourcePolicy != nil {
		t.Errorf("got %s", *got.ResourcePolicy)
	}
	open, mine := `{"Statement":[{"Principal":"*"}]}`, `{"Statement":[]}`
	for _, p := range []string{open, mine} {
		ok[sm.PutResourcePolicyOutput](t)(n.PutResourcePolicy(ctx, &sm.PutResourcePolicyInput{SecretId: id, ResourcePolicy: &p}))
		if got := ok[sm.GetResourcePolicyOutput](t)(n.GetResourcePolicy(ctx, &sm.GetResourcePolicyInput{SecretId: id})); *got.ResourcePolicy != p {
			t.Errorf("got %s", *got.ResourcePolicy)
		}
	}
	if got, err := n.service.ResourcePolicy(ctx, arn); string(got) != mine || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
	_, err := n.PutResourcePolicy(ctx, &sm.PutResourcePolicyInput{SecretId: id, ResourcePolicy: &open, BlockPublicPolicy: aws.Bool(true)})
	refused(t, "public", err, "PublicPolicyException", "")
	_, err = n.PutResourcePolicy(ctx, &sm.PutResourcePolicyInput{SecretId: id, ResourcePolicy: aws.String("{}")})
	refused(t, "malformed", err, "MalformedPolicyDocumentException", "Missing required field Statement")
	for _, bad := range []string{"", strings.Repeat("x", 20481)} {
		_, err = n.PutResourcePolicy(ctx, &sm.PutResourcePolicyInput{SecretId: id, ResourcePolicy: &bad})
		refused(t, "length", err, "ValidationException", "")
	}
	for document, check := range map[string]string{mine: "", open: "BlockPublicPolicy", "{}": "PolicySyntax"} {
		for _, about := range []*string{nil, id} {
			got := ok[sm.ValidateResourcePolicyOutput](t)(n.ValidateResourcePolicy(ctx, &sm.ValidateResourcePolicyInput{SecretId: about, ResourcePolicy: &document}))
			if got.PolicyValidationPassed != (check == "") || check != "" && *got.ValidationErrors[0].CheckName != check {
				t.Errorf("%s: %+v", document, got)
			}
		}
	}
	ok[sm.DeleteResourcePolicyOutput](t)(n.DeleteResourcePolicy(ctx, &sm.DeleteResourcePolicyInput{SecretId: id}))
	if got, err := n.service.ResourcePolicy(ctx, arn); got != nil || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
	if got, err := n.service.ResourcePolicy(ctx, prefix+"none-AAAAAA"); got != nil || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestTags(t *testing.T) {
	n, ctx := start(t), context.Background()
	n.create(t, "a", "x")
	id := aws.String("a")
	ok[sm.TagResourceOutput](t)(n.TagResource(ctx, &sm.TagResourceInput{SecretId: id, Tags: []types.Tag{{Key: aws.String("x"), Value: aws.String("1")}, {Key: aws.String("y"), Value: aws.String("2")}}}))
	ok[sm.UntagResourceOutput](t)(n.UntagResource(ctx, &sm.UntagResourceInput{SecretId: id, TagKeys: []string{"x", "none"}}))
	got := ok[sm.DescribeSecretOutput](t)(n.DescribeSecret(ctx, &sm.DescribeSecretInput{SecretId: id})).Tags
	if len(got) != 1 || *got[0].Key != "y" || *got[0].Value != "2" {
		t.Errorf("got %+v", got)
	}
	var many []types.Tag
	for i := range 50 {
		many = append(many, types.Tag{Key: aws.String(fmt.Sprint("k", i)), Value: aws.String("")})
	}
	_, err := n.TagResource(ctx, &sm.TagResourceInput{SecretId: id, Tags: many})
	refused(t, "too many", err, "LimitExceededException", "")
}

func TestPasswords(t *testing.T) {
	n, ctx := start(t), context.Background()
	sets := map[string]string{"lower": "abcdefghijklmnopqrstuvwxyz", "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "digit": "0123456789", "symbol": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "space": " "}
	for what, test := range map[string]struct {
		in   sm.GetRandomPasswordInput
		with []string
		size int
	}{
		"usual":   {sm.GetRandomPasswordInput{}, []string{"lower", "upper", "digit", "symbol"}, 32},
		"short":   {sm.GetRandomPasswordInput{PasswordLength: aws.Int64(4)}, []string{"lower", "upper", "digit", "symbol"}, 4},
		"space":   {sm.GetRandomPasswordInput{PasswordLength: aws.Int64(5), IncludeSpace: aws.Bool(true)}, []string{"lower", "upper", "digit", "symbol", "space"}, 5},
		"digits":  {sm.GetRandomPasswordInput{ExcludeLowercase: aws.Bool(true), ExcludeUppercase: aws.Bool(true), ExcludePunctuation: aws.Bool(true)}, []string{"digit"}, 32},
		"without": {sm.GetRandomPasswordInput{ExcludeNumbers: aws.Bool(true), ExcludeCharacters: aws.String(sets["symbol"] + "abc")}, []string{"lower", "upper"}, 32},
	} {
		for range 20 {
			p := *ok[sm.GetRandomPasswordOutput](t)(n.GetRandomPassword(ctx, &test.in)).RandomPassword
			if len(p) != test.size {
				t.Errorf("%s: %d characters", what, len(p))
			}
			allowed := ""
			for _, name := range test.with {
				allowed += sets[name]
				if !strings.ContainsAny(p, sets[name]) {
					t.Errorf("%s: %q has no %s", what, p, name)
				}
			}
			if strings.Trim(p, allowed) != "" || what == "without" && strings.ContainsAny(p, "abc") {
				t.Errorf("%s: %q has other characters", what, p)
			}
		}
	}
	for what, w := range map[string]secret.Wish{
		"none": {Length: 0}, "long": {Length: 4097}, "too short": {Length: 3}, "nothing left": {Length: 8, NoLower: true, NoUpper: true, NoDigits: true, NoSymbols: true},
	} {
		if p, err := secret.Password(w); err == nil {
			t.Errorf("%s: %q", what, p)
		}
	}
	if p, err := secret.Password(secret.Wish{Length: 1, Any: true}); err != nil || len(p) != 1 {
		t.Errorf("got %q, %v", p, err)
	}
}
