package parameter_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/parameter"
)

const secret = "correct horse battery staple"

func TestPutAndGet(t *testing.T) {
	n, ctx := start(t), context.Background()
	made := ok[ssm.PutParameterOutput](t)(n.PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String("/prod/db/host"), Value: aws.String("db.internal"), Type: types.ParameterTypeString}))
	if made.Version != 1 || made.Tier != types.ParameterTierStandard {
		t.Errorf("made %+v", made)
	}
	want := &types.Parameter{
		Name: aws.String("/prod/db/host"), ARN: aws.String(prefix + "prod/db/host"), Type: types.ParameterTypeString, Value: aws.String("db.internal"),
		Version: 1, DataType: aws.String("text"), LastModifiedDate: aws.Time(noon),
	}
	for _, name := range []string{"/prod/db/host", " /prod/db/host ", prefix + "prod/db/host"} {
		got := ok[ssm.GetParameterOutput](t)(n.GetParameter(ctx, &ssm.GetParameterInput{Name: &name})).Parameter
		if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(types.Parameter{})); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	_, err := n.PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String("/prod/db/host"), Value: aws.String("x"), Type: types.ParameterTypeString})
	refused(t, "again", err, "ParameterAlreadyExists", "To overwrite this value, set the overwrite option in the request to true.")
	if v := ok[ssm.PutParameterOutput](t)(n.PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String("/prod/db/host"), Value: aws.String("x"), Overwrite: aws.Bool(true)})).Version; v != 2 {
		t.Errorf("version %d", v)
	}
	_, err = n.PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String("/prod/db/host"), Value: aws.String("x"), Type: types.ParameterTypeSecureString, Overwrite: aws.Bool(true)})
	refused(t, "another type", err, "HierarchyTypeMismatchException", "changing a parameter type")

	n.put(t, "plain", "a", types.ParameterTypeString) // the same parameter with a slash and without
	n.put(t, "/plain", "b", types.ParameterTypeString)
	if got := n.get(t, "plain"); got != "b" {
		t.Errorf("got %s", got)
	}
	_, err = n.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("none")})
	refused(t, "none", err, "ParameterNotFound", "")
}

func TestPutRefuses(t *testing.T) {
	n, ctx := start(t), context.Background()
	long := strings.Repeat("a", 1000)
	for what, test := range map[string]struct {
		in          ssm.PutParameterInput
		code, words string
	}{
		"no name":            {ssm.PutParameterInput{Name: aws.String("")}, "ValidationException", "name"},
		"not qualified":      {ssm.PutParameterInput{Name: aws.String("a/b")}, "ValidationException", "fully qualified"},
		"spaces":             {ssm.PutParameterInput{Name: aws.String("/a b")}, "ValidationException", "symbols"},
		"a slash at the end": {ssm.PutParameterInput{Name: aws.String("/a/")}, "ValidationException", "empty"},
		"two slashes":        {ssm.PutParameterInput{Name: aws.String("/a//b")}, "ValidationException", "empty"},
		"aws":                {ssm.PutParameterInput{Name: aws.String("AWSthing")}, "ValidationException", "can't be prefixed"},
		"ssm":                {ssm.PutParameterInput{Name: aws.String("/ssm/thing")}, "ValidationException", "can't be prefixed"},
		"/aws/":              {ssm.PutParameterInput{Name: aws.String("/aws/thing")}, "AccessDeniedException", "No access to reserved parameter name: /aws/thing."},
		"too long":           {ssm.PutParameterInput{Name: &long}, "ValidationException", "too long"},
		"too deep":           {ssm.PutParameterInput{Name: aws.String(strings.Repeat("/a", 16))}, "HierarchyLevelLimitExceededException", "15"},
		"a selector":         {ssm.PutParameterInput{Name: aws.String("a:3")}, "ValidationException", "version or label"},
		"an ARN":             {ssm.PutParameterInput{Name: aws.String(prefix + "a")}, "ValidationException", "ARN"},
		"no value":           {ssm.PutParameterInput{Value: aws.String("")}, "ValidationException", "value"},
		"no type":            {ssm.PutParameterInput{Type: "-"}, "ValidationException", "A parameter type is required"},
		"unknown type":       {ssm.PutParameterInput{Type: "Number"}, "ValidationException", "enum value set"},
		"unknown tier":       {ssm.PutParameterInput{Tier: "Gold"}, "ValidationException", "enum value set"},
		"nested":             {ssm.PutParameterInput{Value: aws.String("x{{ssm:other}}")}, "ValidationException", "nest"},
		"too large":          {ssm.PutParameterInput{Value: aws.String(strings.Repeat("x", 4097))}, "ValidationException", "4096"},
		"far too large":      {ssm.PutParameterInput{Value: aws.String(strings.Repeat("x", 8193)), Tier: types.ParameterTierAdvanced}, "ValidationException", "8192"},
		"a bad pattern":      {ssm.PutParameterInput{AllowedPattern: aws.String("(")}, "InvalidAllowedPatternException", ""},
		"pattern":            {ssm.PutParameterInput{AllowedPattern: aws.String(`^\d+$`)}, "ParameterPatternMismatchException", `^\d+$`},
		"data type":          {ssm.PutParameterInput{DataType: aws.String("json")}, "ValidationException", "The following data type is not supported: json"},
		"no image":           {ssm.PutParameterInput{DataType: aws.String("aws:ec2:image")}, "ValidationException", "ami-"},
		"no integration":     {ssm.PutParameterInput{DataType: aws.String("aws:ssm:integration")}, "ValidationException", "SecureString"},
		"key":                {ssm.PutParameterInput{KeyId: aws.String("x")}, "ValidationException", "SecureString"},
		"tags over":          {ssm.PutParameterInput{Overwrite: aws.Bool(true), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}}, "ValidationException", "tags and overwrite"},
		"policies":           {ssm.PutParameterInput{Policies: aws.String(`[{"Type":"Expiration"}]`)}, "InvalidPolicyTypeException", "not offered by Mayfly"},
	} {
		in := test.in
		if in.Name == nil {
			in.Name = aws.String("/fine")
		}
		if in.Value == nil {
			in.Value = aws.String("confidential")
		}
		switch in.Type {
		case "":
			in.Type = types.ParameterTypeString
		case "-":
			in.Type = ""
		}
		_, err := n.PutParameter(ctx, &in)
		refused(t, what, err, test.code, test.words)
		if err != nil && strings.Contains(err.Error(), "confidential") {
			t.Errorf("%s: the value is in the message: %v", what, err)
		}
	}
	for name, value := range map[string]string{strings.Repeat("/a", 15): "deep", "/a.b-c_D/9": "symbols", "list": "a,b"} {
		n.put(t, name, value, types.ParameterTypeString)
	}
	ok[ssm.PutParameterOutput](t)(n.PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String("ami"), Value: aws.String("ami-12345abcde"), Type: types.ParameterTypeString, DataType: aws.String("aws:ec2:image")}))
	ok[ssm.PutParameterOutput](t)(n.PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String("port"), Value: aws.String("5432"), Type: types.ParameterTypeString, AllowedPattern: aws.String(`^\d+$`)}))
}

func TestSecureStrings(t *testing.T) {
	n, ctx := start(t), context.Background()
	n.put(t, "/prod/db/password", secret, types.ParameterTypeSecureString)
	if n.holds(t, secret) {
		t.Error("the store holds the plain text")
	}
	if got := n.get(t, "/prod/db/password"); got != secret {
		t.Errorf("got %s", got)
	}
	closed := ok[ssm.GetParameterOutput](t)(n.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("/prod/db/password")})).Parameter
	if b, err := base64.StdEncoding.DecodeString(*closed.Value); err != nil || !strings.HasPrefix(string(b), "sealed:") {
		t.Errorf("without decryption it is %q", *closed.Value)
	}
	ok[ssm.PutParameterOutput](t)(n.PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String("other"), Value: aws.String(secret), Type: types.ParameterTypeSecureString, KeyId: aws.String("alias/mine")}))
	list := ok[ssm.DescribeParametersOutput](t)(n.DescribeParameters(ctx, &ssm.DescribeParametersInput{})).Parameters
	if len(list) != 2 || *list[0].KeyId != "alias/mine" || *list[1].KeyId != "alias/aws/ssm" {
		t.Errorf("got %+v", list)
	}

	n.keys.refuse = errDisabled
	_, err := n.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("other"), WithDecryption: aws.Bool(true)})
	refused(t, "a disabled key", err, "InvalidKeyId", "the key is disabled. (Service: AWSKMS; Status Code: 400; Error Code: DisabledException)")
	_, err = n.PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String("more"), Value: aws.String(secret), Type: types.ParameterTypeSecureString})
	refused(t, "put with it", err, "InvalidKeyId", "")
	ok[ssm.GetParameterOutput](t)(n.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("other")}))
	n.keys.refuse = errors.New("something of ours " + secret)
	_, err = n.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("other"), WithDecryption: aws.Bool(true)})
	refused(t, "our fault", err, "InternalFailure", "")
	if strings.Contains(err.Error(), secret) {
		t.Errorf("the secret is in the message: %v", err)
	}
	n.keys.refuse = nil
	value, err := n.service.Get(ctx, "other", true)
	draft := parameter.Draft{Name: "other", Value: secret}
	if err != nil || strings.Contains(fmt.Sprintf("%v %s %+v", value, *value, draft), secret) || value.Text != secret {
		t.Errorf("a value prints itself: %v, %v", value, err)
	}
}

func TestVersionsAndLabels(t *testing.T) {
	n, ctx := start(t), context.Background()
	for i := range 3 {
		n.put(t, "/app/url", fmt.Sprint("v", i+1), types.ParameterTypeString)
	}
	label := func(version int64, labels ...string) *ssm.LabelParameterVersionOutput {
		t.Helper()
		in := &ssm.LabelParameterVersionInput{Name: aws.String("/app/url"), Labels: labels}
		if version > 0 {
			in.ParameterVersion = &version
		}
		return ok[ssm.LabelParameterVersionOutput](t)(n.LabelParameterVersion(ctx, in))
	}
	got := label(1, "live", "1st", "aws-x", "SSM", "with space", "old")
	equal(t, "no labels", []string{"1st", "aws-x", "SSM", "with space"}, got.InvalidLabels)
	if at := label(0, "new").ParameterVersion; at != 3 {
		t.Errorf("labelled %d", at)
	}
	for selector, want := range map[string]string{"": "v3", ":1": "v1", ":2": "v2", ":live": "v1", ":new": "v3"} {
		out := ok[ssm.GetParameterOutput](t)(n.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("/app/url" + selector)})).Parameter
		if *out.Value != want || aws.ToString(out.Selector) != selector || *out.Name != "/app/url" {
			t.Errorf("%s: %s %q", selector, *out.Value, aws.ToString(out.Selector))
		}
	}
	if got := n.get(t, prefix+"app/url:live"); got != "v1" {
		t.Errorf("by ARN: %s", got)
	}
	label(2, "live") // it moves
	if got := n.get(t, "/app/url:live"); got != "v2" {
		t.Errorf("moved: %s", got)
	}
	for selector, words := range map[string]string{":9": "could not find version 9", ":gone": "could not find label gone"} {
		_, err := n.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("/app/url" + selector)})
		refused(t, selector, err, "ParameterVersionNotFound", words)
	}
	_, err := n.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("/app/url:0")})
	refused(t, "neither", err, "ValidationException", "")
	_, err = n.LabelParameterVersion(ctx, &ssm.LabelParameterVersionInput{Name: aws.String("/app/url"), Labels: []string{"a"}, ParameterVersion: aws.Int64(7)})
	refused(t, "no such version", err, "ParameterVersionNotFound", "")
	label(2, "l1", "l2", "l3", "l4", "l5", "l6", "l7", "l8", "l9")
	_, err = n.LabelParameterVersion(ctx, &ssm.LabelParameterVersionInput{Name: aws.String("/app/url"), Labels: []string{"l10"}, ParameterVersion: aws.Int64(2)})
	refused(t, "eleven", err, "ParameterVersionLabelLimitExceeded", "")

	un := ok[ssm.UnlabelParameterVersionOutput](t)(n.UnlabelParameterVersion(ctx, &ssm.UnlabelParameterVersionInput{Name: aws.String("/app/url"), ParameterVersion: aws.Int64(1), Labels: []string{"old", "live"}}))
	equal(t, "removed", []string{"old"}, un.RemovedLabels)
	equal(t, "not there", []string{"live"}, un.InvalidLabels)

	var seen []string
	pages := ssm.NewGetParameterHistoryPaginator(n.Client, &ssm.GetParameterHistoryInput{Name: aws.String("/app/url"), MaxResults: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range page.Parameters {
			seen = append(seen, fmt.Sprint(h.Version, *h.Value, len(h.Labels), *h.LastModifiedUser))
		}
	}
	equal(t, "history", []string{"1v10" + caller, "2v210" + caller, "3v31" + caller}, seen)
}

// The hundred newest versions are kept; a label on the oldest holds it.
func TestVersionsEnd(t *testing.T) {
	n, ctx := start(t), context.Background()
	for i := range 101 {
		n.put(t, "p", fmt.Sprint(i+1), types.ParameterTypeString)
	}
	_, err := n.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("p:1")})
	refused(t, "the oldest", err, "ParameterVersionNotFound", "")
	if got := n.get(t, "p:2"); got != "2" {
		t.Errorf("got %s", got)
	}
	ok[ssm.LabelParameterVersionOutput](t)(n.LabelParameterVersion(ctx, &ssm.LabelParameterVersionInput{Name: aws.String("p"), Labels: []string{"keep"}, ParameterVersion: aws.Int64(2)}))
	_, err = n.PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String("p"), Value: aws.String("x"), Overwrite: aws.Bool(true)})
	refused(t, "held", err, "ParameterMaxVersionLimitExceeded", "Version 2, the oldest version, can't be deleted")
	if got := n.get(t, "p"); got != "101" {
		t.Errorf("got %s", got)
	}
}

func TestTiers(t *testing.T) {
	n, ctx := start(t), context.Background()
	put := func(name string, size int, tier types.ParameterTier) (types.ParameterTier, error) {
		out, err := n.PutParameter(ctx, &ssm.PutParameterInput{Name: &name, Value: aws.String(strings.Repeat("x", size)), Type: types.ParameterTypeString, Tier: tier, Overwrite: aws.Bool(true)})
		if err != nil {
			return "", err
		}
		return out.Tier, nil
	}
	for _, step := range []struct {
		name string
		size int
		tier types.ParameterTier
		want types.ParameterTier
	}{
		{"a", 10, "", types.ParameterTierStandard},
		{"a", 10, types.ParameterTierAdvanced, types.ParameterTierAdvanced},
		{"a", 8192, "", types.ParameterTierAdvanced},
		{"b", 10, types.ParameterTierIntelligentTiering, types.ParameterTierStandard},
		{"b", 5000, types.ParameterTierIntelligentTiering, types.ParameterTierAdvanced},
		{"b", 10, types.ParameterTierIntelligentTiering, types.ParameterTierAdvanced},
	} {
		if got, err := put(step.name, step.size, step.tier); got != step.want || err != nil {
			t.Errorf("%+v: %s, %v", step, got, err)
		}
	}
	_, err := put("a", 10, types.ParameterTierStandard)
	refused(t, "down", err, "ValidationException", "You can't downgrade")
}

func TestGetAndDeleteMany(t *testing.T) {
	n, ctx := start(t), context.Background()
	n.put(t, "/a", "1", types.ParameterTypeString)
	n.put(t, "/b", secret, types.ParameterTypeSecureString)
	got := ok[ssm.GetParametersOutput](t)(n.GetParameters(ctx, &ssm.GetParametersInput{Names: []string{"/b", "/none", "/a:1", "/a:9"}, WithDecryption: aws.Bool(true)}))
	equal(t, "found", []string{"/b", "/a"}, names(got.Parameters))
	equal(t, "not found", []string{"/none", "/a:9"}, got.InvalidParameters)
	if *got.Parameters[0].Value != secret {
		t.Errorf("got %s", *got.Parameters[0].Value)
	}
	for what, list := range map[string][]string{"none": {}, "eleven": strings.Split("a b c d e f g h i j k", " "), "twice": {"/a", "/a"}} {
		_, err := n.GetParameters(ctx, &ssm.GetParametersInput{Names: list})
		refused(t, what, err, "ValidationException", "")
	}
	gone := ok[ssm.DeleteParametersOutput](t)(n.DeleteParameters(ctx, &ssm.DeleteParametersInput{Names: []string{"/a", "/none"}}))
	equal(t, "deleted", []string{"/a"}, gone.DeletedParameters)
	equal(t, "not deleted", []string{"/none"}, gone.InvalidParameters)
	ok[ssm.DeleteParameterOutput](t)(n.DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: aws.String("/b")}))
	_, err := n.DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: aws.String("/b")})
	refused(t, "deleted twice", err, "ParameterNotFound", "")
	if n.put(t, "/b", "again", types.ParameterTypeString) != 1 { // of another type, from the first version
		t.Error("something of the deleted one is left")
	}
}

func TestByPath(t *testing.T) {
	n, ctx := start(t), context.Background()
	for _, name := range []string{"/prod/a", "/prod/b", "/prod/db/host", "/prod/db/port/x", "/production", "/prod", "root", "/test/a"} {
		n.put(t, name, "v", types.ParameterTypeString)
	}
	n.put(t, "/prod/secret", secret, types.ParameterTypeSecureString)
	for what, test := range map[string]struct {
		path      string
		recursive bool
		want      []string
	}{
		"one level":  {"/prod", false, []string{"/prod/a", "/prod/b", "/prod/secret"}},
		"with slash": {"/prod/", false, []string{"/prod/a", "/prod/b", "/prod/secret"}},
		"all levels": {"/prod", true, []string{"/prod/a", "/prod/b", "/prod/db/host", "/prod/db/port/x", "/prod/secret"}},
		"deeper":     {"/prod/db", true, []string{"/prod/db/host", "/prod/db/port/x"}},
		"the root":   {"/", false, []string{"/prod", "/production", "root"}},
		"nothing":    {"/none", true, []string{}},
		"a leaf":     {"/test/a", true, []string{}},
	} {
		var got []string
		pages := ssm.NewGetParametersByPathPaginator(n.Client, &ssm.GetParametersByPathInput{Path: &test.path, Recursive: &test.recursive, MaxResults: aws.Int32(2)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, names(page.Parameters)...)
		}
		if d := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s: %s", what, d)
		}
	}
	all := ok[ssm.GetParametersByPathOutput](t)(n.GetParametersByPath(ctx, &ssm.GetParametersByPathInput{Path: aws.String("/prod"), WithDecryption: aws.Bool(true),
		ParameterFilters: []types.ParameterStringFilter{{Key: aws.String("Type"), Values: []string{"SecureString"}}}}))
	if len(all.Parameters) != 1 || *all.Parameters[0].Value != secret {
		t.Errorf("got %+v", all.Parameters)
	}
	n.put(t, "/prod/a", "newer", types.ParameterTypeString)
	ok[ssm.LabelParameterVersionOutput](t)(n.LabelParameterVersion(ctx, &ssm.LabelParameterVersionInput{Name: aws.String("/prod/a"), Labels: []string{"live"}, ParameterVersion: aws.Int64(1)}))
	labelled := ok[ssm.GetParametersByPathOutput](t)(n.GetParametersByPath(ctx, &ssm.GetParametersByPathInput{Path: aws.String("/prod"),
		ParameterFilters: []types.ParameterStringFilter{{Key: aws.String("Label"), Option: aws.String("Equals"), Values: []string{"live"}}}}))
	if len(labelled.Parameters) != 1 || *labelled.Parameters[0].Value != "v" || labelled.Parameters[0].Version != 1 {
		t.Errorf("got %+v", labelled.Parameters)
	}
	for what, test := range map[string]struct {
		in   ssm.GetParametersByPathInput
		code string
	}{
		"no slash": {ssm.GetParametersByPathInput{Path: aws.String("prod")}, "ValidationException"},
		"too many": {ssm.GetParametersByPathInput{Path: aws.String("/"), MaxResults: aws.Int32(11)}, "ValidationException"},
		"token":    {ssm.GetParametersByPathInput{Path: aws.String("/"), NextToken: aws.String("made up")}, "InvalidNextToken"},
		"filter":   {ssm.GetParametersByPathInput{Path: aws.String("/"), ParameterFilters: []types.ParameterStringFilter{{Key: aws.String("Name"), Values: []string{"a"}}}}, "InvalidFilterKey"},
		"option":   {ssm.GetParametersByPathInput{Path: aws.String("/"), ParameterFilters: []types.ParameterStringFilter{{Key: aws.String("Type"), Option: aws.String("Like"), Values: []string{"a"}}}}, "InvalidFilterOption"},
		"value":    {ssm.GetParametersByPathInput{Path: aws.String("/"), ParameterFilters: []types.ParameterStringFilter{{Key: aws.String("Type"), Values: []string{}}}}, "InvalidFilterValue"},
		"deep":     {ssm.GetParametersByPathInput{Path: aws.String(strings.Repeat("/a", 16))}, "HierarchyLevelLimitExceededException"},
	} {
		_, err := n.GetParametersByPath(ctx, &test.in)
		refused(t, what, err, test.code, "")
	}
}

func TestDescribeByFilters(t *testing.T) {
	n, ctx := start(t), context.Background()
	ok[ssm.PutParameterOutput](t)(n.PutParameter(ctx, &ssm.PutParameterInput{
		Name: aws.String("/prod/host"), Value: aws.String("h"), Type: types.ParameterTypeString, Description: aws.String("where it is"),
		Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}},
	}))
	n.put(t, "/prod/db/list", "a,b", types.ParameterTypeStringList)
	n.put(t, "password", secret, types.ParameterTypeSecureString)
	for what, test := range map[string]struct {
		key, option string
		values      []string
		want        []string
	}{
		"name":        {"Name", "", []string{"/prod/host", "password"}, []string{"password", "/prod/host"}},
		"beginning":   {"Name", "BeginsWith", []string{"/prod"}, []string{"/prod/db/list", "/prod/host"}},
		"part":        {"Name", "Contains", []string{"db/l"}, []string{"/prod/db/list"}},
		"type":        {"Type", "", []string{"StringList"}, []string{"/prod/db/list"}},
		"key":         {"KeyId", "BeginsWith", []string{"alias/"}, []string{"password"}},
		"level":       {"Path", "", []string{"/prod"}, []string{"/prod/host"}},
		"levels":      {"Path", "Recursive", []string{"/prod/"}, []string{"/prod/db/list", "/prod/host"}},
		"tier":        {"Tier", "", []string{"Advanced"}, nil},
		"data type":   {"DataType", "", []string{"text"}, []string{"password", "/prod/db/list", "/prod/host"}},
		"tag":         {"tag:team", "", []string{"red", "blue"}, []string{"/prod/host"}},
		"another tag": {"tag:team", "", []string{"blue"}, nil},
		"any tag":     {"tag:team", "", nil, []string{"/prod/host"}},
	} {
		filter := types.ParameterStringFilter{Key: &test.key, Values: test.values}
		if test.option != "" {
			filter.Option = &test.option
		}
		var got []string
		for _, p := range ok[ssm.DescribeParametersOutput](t)(n.DescribeParameters(ctx, &ssm.DescribeParametersInput{ParameterFilters: []types.ParameterStringFilter{filter}})).Parameters {
			got = append(got, *p.Name)
		}
		equal(t, what, test.want, got)
	}
	older := ok[ssm.DescribeParametersOutput](t)(n.DescribeParameters(ctx, &ssm.DescribeParametersInput{Filters: []types.ParametersFilter{{Key: types.ParametersFilterKeyName, Values: []string{"/prod/h"}}}}))
	if len(older.Parameters) != 1 || *older.Parameters[0].Description != "where it is" || *older.Parameters[0].LastModifiedUser != caller {
		t.Errorf("got %+v", older.Parameters)
	}
	for what, key := range map[string]string{"label": "Label", "unknown": "Size", "no tag": "tag:"} {
		_, err := n.DescribeParameters(ctx, &ssm.DescribeParametersInput{ParameterFilters: []types.ParameterStringFilter{{Key: &key, Values: []string{"x"}}}})
		refused(t, what, err, "InvalidFilterKey", "")
	}
	twice := types.ParameterStringFilter{Key: aws.String("Type"), Values: []string{"String"}}
	_, err := n.DescribeParameters(ctx, &ssm.DescribeParametersInput{ParameterFilters: []types.ParameterStringFilter{twice, twice}})
	refused(t, "twice", err, "InvalidFilterKey", "")
}

func TestTags(t *testing.T) {
	n, ctx := start(t), context.Background()
	n.put(t, "/a", "1", types.ParameterTypeString)
	id, kind := aws.String("/a"), types.ResourceTypeForTaggingParameter
	ok[ssm.AddTagsToResourceOutput](t)(n.AddTagsToResource(ctx, &ssm.AddTagsToResourceInput{ResourceId: id, ResourceType: kind,
		Tags: []types.Tag{{Key: aws.String("x"), Value: aws.String("1")}, {Key: aws.String("y"), Value: aws.String("2")}}}))
	ok[ssm.RemoveTagsFromResourceOutput](t)(n.RemoveTagsFromResource(ctx, &ssm.RemoveTagsFromResourceInput{ResourceId: id, ResourceType: kind, TagKeys: []string{"x"}}))
	n.put(t, "/a", "2", types.ParameterTypeString) // a new version keeps them
	got := ok[ssm.ListTagsForResourceOutput](t)(n.ListTagsForResource(ctx, &ssm.ListTagsForResourceInput{ResourceId: id, ResourceType: kind})).TagList
	if len(got) != 1 || *got[0].Key != "y" || *got[0].Value != "2" {
		t.Errorf("got %+v", got)
	}
	_, err := n.ListTagsForResource(ctx, &ssm.ListTagsForResourceInput{ResourceId: aws.String("/none"), ResourceType: kind})
	refused(t, "none", err, "InvalidResourceId", "")
	_, err = n.ListTagsForResource(ctx, &ssm.ListTagsForResourceInput{ResourceId: id, ResourceType: types.ResourceTypeForTaggingDocument})
	refused(t, "kind", err, "InvalidResourceType", "")
	var many []types.Tag
	for i := range 50 {
		many = append(many, types.Tag{Key: aws.String(fmt.Sprint("k", i)), Value: aws.String("")})
	}
	_, err = n.AddTagsToResource(ctx, &ssm.AddTagsToResourceInput{ResourceId: id, ResourceType: kind, Tags: many})
	refused(t, "too many", err, "TooManyTagsError", "")
}

// Of writers at once each gets a version of its own.
func TestWritersAtOnce(t *testing.T) {
	n := start(t)
	n.put(t, "p", "0", types.ParameterTypeString)
	got := make(chan int64)
	for range 8 {
		go func() {
			got <- n.put(t, "p", "x", types.ParameterTypeString)
		}()
	}
	seen := map[int64]bool{}
	for range 8 {
		seen[<-got] = true
	}
	if len(seen) != 8 || !seen[2] || !seen[9] {
		t.Errorf("versions %v", seen)
	}
}

func TestAbsentOperationIsNamed(t *testing.T) {
	n := start(t)
	_, err := n.SendCommand(context.Background(), &ssm.SendCommandInput{DocumentName: aws.String("x")})
	refused(t, "another of Systems Manager", err, "UnknownOperationException", "The operation SendCommand of the service ssm is not offered by Mayfly.")
}

func TestModifiedByTheClock(t *testing.T) {
	n := start(t)
	n.put(t, "p", "0", types.ParameterTypeString)
	n.clock.Advance(time.Hour)
	n.put(t, "p", "1", types.ParameterTypeString)
	got := ok[ssm.GetParameterOutput](t)(n.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("p")})).Parameter
	if !got.LastModifiedDate.Equal(noon.Add(time.Hour)) {
		t.Errorf("modified %v", got.LastModifiedDate)
	}
}

// FuzzName: any name is a parameter's or refused, and never more than that.
func FuzzName(f *testing.F) {
	n := start(f)
	for _, s := range []string{"/a/b", "a:1", "a:label", prefix + "a/b:3", "arn:aws:ssm", "/", ":", "//:"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		_, err := n.service.Get(context.Background(), name, true)
		if f := fault.As(err); err == nil || f.Status != 400 {
			t.Errorf("%q: %v", name, err)
		}
		_, _, err = n.service.ByPath(context.Background(), name, true, true, queryOf(1))
		if err != nil && fault.As(err).Status != 400 {
			t.Errorf("%q: %v", name, err)
		}
	})
}
