package secret_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/mayfly-cloud/mayfly/internal/fault"
)

const plain = "correct horse battery staple"

func TestCreateAndGet(t *testing.T) {
	n, ctx := start(t), context.Background()
	arn, version := n.create(t, "prod/db", plain)
	if !regexp.MustCompile(`^`+prefix+`prod/db-[A-Za-z0-9]{6}$`).MatchString(arn) || len(version) < 32 {
		t.Errorf("made %s, %s", arn, version)
	}
	if n.holds(t, plain) {
		t.Error("the store holds the plain text")
	}
	for _, id := range []string{"prod/db", arn, arn[:len(arn)-7]} {
		got := ok[sm.GetSecretValueOutput](t)(n.GetSecretValue(ctx, &sm.GetSecretValueInput{SecretId: &id}))
		if *got.SecretString != plain || got.SecretBinary != nil || *got.ARN != arn || *got.Name != "prod/db" || *got.VersionId != version || !got.CreatedDate.Equal(noon) {
			t.Errorf("%s: got %+v", id, got)
		}
		equal(t, id, []string{"AWSCURRENT"}, got.VersionStages)
	}
	ok[sm.CreateSecretOutput](t)(n.CreateSecret(ctx, &sm.CreateSecretInput{Name: aws.String("bytes"), SecretBinary: []byte{0, 255}, KmsKeyId: aws.String("mine"), Description: aws.String("raw")}))
	raw := ok[sm.GetSecretValueOutput](t)(n.GetSecretValue(ctx, &sm.GetSecretValueInput{SecretId: aws.String("bytes")}))
	if string(raw.SecretBinary) != "\x00\xff" || raw.SecretString != nil {
		t.Errorf("got %+v", raw)
	}
	described := ok[sm.DescribeSecretOutput](t)(n.DescribeSecret(ctx, &sm.DescribeSecretInput{SecretId: aws.String("bytes")}))
	if *described.KmsKeyId != "mine" || *described.Description != "raw" || !described.LastAccessedDate.Equal(noon.Truncate(24*time.Hour)) || described.DeletedDate != nil {
		t.Errorf("got %+v", described)
	}
	empty := ok[sm.CreateSecretOutput](t)(n.CreateSecret(ctx, &sm.CreateSecretInput{Name: aws.String("empty")}))
	if empty.VersionId != nil {
		t.Errorf("it has a version: %s", *empty.VersionId)
	}
	_, err := n.GetSecretValue(ctx, &sm.GetSecretValueInput{SecretId: aws.String("empty")})
	refused(t, "empty", err, "ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT")
	first := n.put(t, "empty", "now", "AWSPENDING")
	equal(t, "the first is current too", map[string][]string{first: {"AWSCURRENT", "AWSPENDING"}}, n.stages(t, "empty"))
	for id, code := range map[string]string{
		"none": "ResourceNotFoundException", arn[:len(arn)-6] + "AAAAAA": "ResourceNotFoundException", arn[:len(arn)-3]: "ResourceNotFoundException",
		"arn:aws:secretsmanager:" + region + ":999999999999:secret:prod/db": "ResourceNotFoundException", "arn:aws:s3:::x": "InvalidParameterException", "": "ValidationException",
	} {
		_, err := n.GetSecretValue(ctx, &sm.GetSecretValueInput{SecretId: &id})
		refused(t, id, err, code, "")
	}
}

// A name that ends like an ARN's suffix is a name.
func TestNamesThatLookLikeARNs(t *testing.T) {
	n := start(t)
	one, _ := n.create(t, "app", "one")
	two, _ := n.create(t, "app-ABCDEF", "two")
	for id, want := range map[string]string{one: "one", two: "two", prefix + "app-ABCDEF": "two", prefix + "app": "one", "app-ABCDEF": "two"} {
		if got := n.get(t, id, ""); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	n, ctx := start(t), context.Background()
	n.create(t, "there", "x")
	for what, test := range map[string]struct {
		in          sm.CreateSecretInput
		code, words string
	}{
		"no name":   {sm.CreateSecretInput{Name: aws.String("")}, "ValidationException", "name"},
		"long name": {sm.CreateSecretInput{Name: aws.String(strings.Repeat("a", 513))}, "ValidationException", "name"},
		"bad name":  {sm.CreateSecretInput{Name: aws.String("a b")}, "InvalidParameterException", "Invalid name"},
		"there":     {sm.CreateSecretInput{Name: aws.String("there"), SecretString: aws.String("x")}, "ResourceExistsException", "the secret there already exists"},
		"both":      {sm.CreateSecretInput{SecretString: aws.String("confidential"), SecretBinary: []byte("y")}, "InvalidParameterException", "both"},
		"empty":     {sm.CreateSecretInput{SecretString: aws.String("")}, "InvalidParameterException", "empty"},
		"large":     {sm.CreateSecretInput{SecretString: aws.String(strings.Repeat("confidential", 6000))}, "InvalidParameterException", "65536"},
		"token":     {sm.CreateSecretInput{SecretString: aws.String("confidential"), ClientRequestToken: aws.String("short")}, "InvalidParameterException", "32-64"},
		"replica":   {sm.CreateSecretInput{AddReplicaRegions: []types.ReplicaRegionType{{Region: aws.String("us-east-1")}}}, "InvalidParameterException", "AddReplicaRegions is not supported"},
		"partner":   {sm.CreateSecretInput{Type: aws.String("x")}, "InvalidParameterException", "Type is not supported"},
		"tag":       {sm.CreateSecretInput{Tags: []types.Tag{{Key: aws.String("aws:x"), Value: aws.String("")}}}, "InvalidParameterException", "reserved"},
	} {
		if test.in.Name == nil {
			test.in.Name = aws.String("new")
		}
		_, err := n.CreateSecret(ctx, &test.in)
		refused(t, what, err, test.code, test.words)
		if err != nil && strings.Contains(err.Error(), "confidential") {
			t.Errorf("%s: the value is in the message: %v", what, err)
		}
	}
	_, err := n.PutSecretValue(ctx, &sm.PutSecretValueInput{SecretId: aws.String("there")})
	refused(t, "put nothing", err, "InvalidRequestException", "You must provide either SecretString or SecretBinary.")
	_, err = n.PutSecretValue(ctx, &sm.PutSecretValueInput{SecretId: aws.String("there"), SecretString: aws.String("x"), RotationToken: aws.String(strings.Repeat("x", 36))})
	refused(t, "rotation token", err, "InvalidParameterException", "RotationToken")
	_, err = n.RotateSecret(ctx, &sm.RotateSecretInput{SecretId: aws.String("there")})
	refused(t, "rotation", err, "UnknownOperationException", "The operation RotateSecret of the service secretsmanager is not offered by Mayfly.")

	n.keys.refuse = fault.New(400, "DisabledException", "the key is disabled.")
	_, err = n.GetSecretValue(ctx, &sm.GetSecretValueInput{SecretId: aws.String("there")})
	refused(t, "a disabled key", err, "DecryptionFailure", "the key is disabled.")
	_, err = n.CreateSecret(ctx, &sm.CreateSecretInput{Name: aws.String("new"), SecretString: aws.String("x")})
	refused(t, "create with it", err, "EncryptionFailure", "")
	n.keys.refuse = errors.New("ours " + plain)
	_, err = n.GetSecretValue(ctx, &sm.GetSecretValueInput{SecretId: aws.String("there")})
	refused(t, "our fault", err, "InternalFailure", "")
}

func TestValuesDoNotPrint(t *testing.T) {
	n := start(t)
	n.create(t, "a", plain)
	v, err := n.service.Get(t.Context(), "a", "", "")
	if err != nil || string(v.Content.Bytes) != plain {
		t.Fatalf("got %v", err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(verb, v.Content) + fmt.Sprintf(verb, *v); strings.Contains(s, plain) {
			t.Errorf("%s prints %s", verb, s)
		}
	}
}

func TestTokensMakeRequestsIdempotent(t *testing.T) {
	n, ctx := start(t), context.Background()
	token := aws.String("11111111-2222-4333-8444-555555555555")
	in := &sm.CreateSecretInput{Name: aws.String("a"), SecretString: aws.String("one"), ClientRequestToken: token}
	first := ok[sm.CreateSecretOutput](t)(n.CreateSecret(ctx, in))
	again := ok[sm.CreateSecretOutput](t)(n.CreateSecret(ctx, in))
	if *first.ARN != *again.ARN || *again.VersionId != *token {
		t.Errorf("%s %s, then %s %s", *first.ARN, *first.VersionId, *again.ARN, *again.VersionId)
	}
	in.SecretString = aws.String("other")
	_, err := n.CreateSecret(ctx, in)
	refused(t, "another value", err, "ResourceExistsException", "")

	put := &sm.PutSecretValueInput{SecretId: aws.String("a"), SecretString: aws.String("two"), ClientRequestToken: aws.String("22222222-2222-4333-8444-555555555555")}
	ok[sm.PutSecretValueOutput](t)(n.PutSecretValue(ctx, put))
	n.put(t, "a", "three")
	repeated := ok[sm.PutSecretValueOutput](t)(n.PutSecretValue(ctx, put))
	equal(t, "it does nothing", []string{"AWSPREVIOUS"}, repeated.VersionStages)
	if got := n.get(t, "a", ""); got != "three" {
		t.Errorf("got %s", got)
	}
	put.SecretString, put.SecretBinary = nil, []byte("two")
	_, err = n.PutSecretValue(ctx, put)
	refused(t, "the same bytes of another kind", err, "ResourceExistsException", "")
	_, err = n.UpdateSecret(ctx, &sm.UpdateSecretInput{SecretId: aws.String("a"), SecretString: aws.String("two"), ClientRequestToken: put.ClientRequestToken})
	refused(t, "update", err, "ResourceExistsException", "")
}

func TestStages(t *testing.T) {
	n, ctx := start(t), context.Background()
	_, one := n.create(t, "a", "one")
	two := n.put(t, "a", "two")
	three := n.put(t, "a", "three", "AWSPENDING", "blue")
	equal(t, "made", map[string][]string{one: {"AWSPREVIOUS"}, two: {"AWSCURRENT"}, three: {"AWSPENDING", "blue"}}, n.stages(t, "a"))
	move := func(stage string, from, to *string) error {
		_, err := n.UpdateSecretVersionStage(ctx, &sm.UpdateSecretVersionStageInput{SecretId: aws.String("a"), VersionStage: &stage, RemoveFromVersionId: from, MoveToVersionId: to})
		return err
	}
	refused(t, "not said from where", move("AWSCURRENT", nil, &three), "InvalidParameterException", "currently attached to version "+two)
	refused(t, "from elsewhere", move("AWSCURRENT", &one, &three), "InvalidParameterException", "is not attached to the version")
	refused(t, "nowhere", move("AWSCURRENT", &two, nil), "InvalidParameterException", "without moving it to another")
	refused(t, "neither", move("blue", nil, nil), "InvalidParameterException", "")
	refused(t, "to none", move("green", nil, aws.String("99999999-2222-4333-8444-555555555555")), "ResourceNotFoundException", "version")
	for _, err := range []error{move("AWSCURRENT", &two, &three), move("AWSPENDING", &three, nil), move("green", nil, &one)} {
		if err != nil {
			t.Error(err)
		}
	}
	equal(t, "moved", map[string][]string{one: {"green"}, two: {"AWSPREVIOUS"}, three: {"AWSCURRENT", "blue"}}, n.stages(t, "a"))
	for stage, want := range map[string]string{"": "three", "AWSPREVIOUS": "two", "green": "one"} {
		if got := n.get(t, "a", stage); got != want {
			t.Errorf("%s: %s, want %s", stage, got, want)
		}
	}
	both := &sm.GetSecretValueInput{SecretId: aws.String("a"), VersionId: &two, VersionStage: aws.String("AWSPREVIOUS")}
	ok[sm.GetSecretValueOutput](t)(n.GetSecretValue(ctx, both))
	both.VersionStage = aws.String("AWSCURRENT")
	_, err := n.GetSecretValue(ctx, both)
	refused(t, "at odds", err, "InvalidRequestException", "")
	_, err = n.GetSecretValue(ctx, &sm.GetSecretValueInput{SecretId: aws.String("a"), VersionId: aws.String("99999999-2222-4333-8444-555555555555")})
	refused(t, "no version", err, "ResourceNotFoundException", "VersionId: 9999")
	many := make([]string, 21)
	for i := range many {
		many[i] = fmt.Sprint("s", i)
	}
	_, err = n.PutSecretValue(ctx, &sm.PutSecretValueInput{SecretId: aws.String("a"), SecretString: aws.String("x"), VersionStages: many})
	refused(t, "too many", err, "ValidationException", "")
}

func TestVersions(t *testing.T) {
	n, ctx := start(t), context.Background()
	_, one := n.create(t, "a", "1")
	n.clock.Advance(time.Minute)
	two := n.put(t, "a", "2")
	n.clock.Advance(time.Minute)
	three := n.put(t, "a", "3")
	list := func(deprecated bool) (ids []string) {
		pages := sm.NewListSecretVersionIdsPaginator(n.Client, &sm.ListSecretVersionIdsInput{SecretId: aws.String("a"), IncludeDeprecated: &deprecated, MaxResults: aws.Int32(2)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range page.Versions {
				ids = append(ids, *v.VersionId)
			}
		}
		return ids
	}
	equal(t, "with labels", []string{three, two}, list(false))
	equal(t, "all", []string{three, two, one}, list(true))
}

// Deprecated versions are dropped when there are more than a hundred, but not those of
// the last day.
func TestVersionsEnd(t *testing.T) {
	n := start(t)
	_, first := n.create(t, "a", "x")
	n.clock.Advance(time.Second)
	for i := range 105 {
		n.put(t, "a", fmt.Sprint(i))
	}
	count := func() int {
		t.Helper()
		_, all, err := n.service.Versions(t.Context(), "a", true)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	if got := count(); got != 106 {
		t.Errorf("%d versions within a day", got)
	}
	n.clock.Advance(25 * time.Hour)
	n.put(t, "a", "y")
	if got := count(); got != 100 {
		t.Errorf("%d versions", got)
	}
	_, err := n.service.Get(t.Context(), "a", first, "")
	if !fault.Is(err, "ResourceNotFoundException") {
		t.Errorf("the first: %v", err)
	}
}

func TestUpdate(t *testing.T) {
	n, ctx := start(t), context.Background()
	arn, one := n.create(t, "a", "one")
	two := n.put(t, "a", "two")
	n.put(t, "a", "three")
	n.clock.Advance(time.Hour)
	out := ok[sm.UpdateSecretOutput](t)(n.UpdateSecret(ctx, &sm.UpdateSecretInput{SecretId: aws.String("a"), Description: aws.String("new")}))
	if *out.ARN != arn || out.VersionId != nil {
		t.Errorf("got %+v", out)
	}
	out = ok[sm.UpdateSecretOutput](t)(n.UpdateSecret(ctx, &sm.UpdateSecretInput{SecretId: aws.String("a"), KmsKeyId: aws.String("mine"), SecretString: aws.String("four")}))
	described := ok[sm.DescribeSecretOutput](t)(n.DescribeSecret(ctx, &sm.DescribeSecretInput{SecretId: aws.String("a")}))
	if *described.Description != "new" || *described.KmsKeyId != "mine" || !described.LastChangedDate.Equal(noon.Add(time.Hour)) {
		t.Errorf("got %+v", described)
	}
	equal(t, "labels of the new", []string{"AWSCURRENT"}, described.VersionIdsToStages[*out.VersionId])
	for stage, want := range map[string]string{"": "four", "AWSPREVIOUS": "three"} {
		if got := n.get(t, "a", stage); got != want {
			t.Errorf("%s: %s", stage, got)
		}
	}
	keys := map[string]string{}
	_, all, err := n.service.Versions(ctx, "a", true)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		keys[v.ID] = v.KeyARN
	}
	if keys[one] != "key/usual" || keys[two] != "key/mine" || keys[*out.VersionId] != "key/mine" { // two was AWSPREVIOUS then
		t.Errorf("keys %v", keys)
	}
}

func TestDeleteAndRestore(t *testing.T) {
	n, ctx := start(t), context.Background()
	arn, _ := n.create(t, "a", plain)
	id := aws.String("a")
	for _, days := range []int64{0, 6, 31} {
		_, err := n.DeleteSecret(ctx, &sm.DeleteSecretInput{SecretId: id, RecoveryWindowInDays: &days})
		refused(t, fmt.Sprint(days), err, "InvalidParameterException", "between 7 and 30")
	}
	_, err := n.DeleteSecret(ctx, &sm.DeleteSecretInput{SecretId: id, RecoveryWindowInDays: aws.Int64(7), ForceDeleteWithoutRecovery: aws.Bool(true)})
	refused(t, "both", err, "InvalidParameterException", "in conjunction")
	gone := ok[sm.DeleteSecretOutput](t)(n.DeleteSecret(ctx, &sm.DeleteSecretInput{SecretId: id, RecoveryWindowInDays: aws.Int64(7)}))
	if !gone.DeletionDate.Equal(noon.AddDate(0, 0, 7)) || *gone.ARN != arn {
		t.Errorf("got %+v", gone)
	}
	for what, err := range map[string]error{
		"get":    second(n.GetSecretValue(ctx, &sm.GetSecretValueInput{SecretId: id})),
		"put":    second(n.PutSecretValue(ctx, &sm.PutSecretValueInput{SecretId: id, SecretString: aws.String("x")})),
		"update": second(n.UpdateSecret(ctx, &sm.UpdateSecretInput{SecretId: id, Description: aws.String("x")})),
		"tag":    second(n.TagResource(ctx, &sm.TagResourceInput{SecretId: id, Tags: []types.Tag{}})),
		"delete": second(n.DeleteSecret(ctx, &sm.DeleteSecretInput{SecretId: id})),
	} {
		refused(t, what, err, "InvalidRequestException", "marked for deletion")
	}
	_, err = n.CreateSecret(ctx, &sm.CreateSecretInput{Name: id, SecretString: aws.String("x")})
	refused(t, "create", err, "InvalidRequestException", "already scheduled for deletion")
	if list := ok[sm.ListSecretsOutput](t)(n.ListSecrets(ctx, &sm.ListSecretsInput{})).SecretList; len(list) != 0 {
		t.Errorf("listed %+v", list)
	}
	if list := ok[sm.ListSecretsOutput](t)(n.ListSecrets(ctx, &sm.ListSecretsInput{IncludePlannedDeletion: aws.Bool(true)})).SecretList; len(list) != 1 {
		t.Errorf("listed %+v", list)
	}
	ok[sm.RestoreSecretOutput](t)(n.RestoreSecret(ctx, &sm.RestoreSecretInput{SecretId: id}))
	if got := n.get(t, "a", ""); got != plain {
		t.Errorf("got %s", got)
	}

	ok[sm.DeleteSecretOutput](t)(n.DeleteSecret(ctx, &sm.DeleteSecretInput{SecretId: id}))
	n.clock.Advance(30 * 24 * time.Hour)
	_, err = n.RestoreSecret(ctx, &sm.RestoreSecretInput{SecretId: id})
	refused(t, "too late", err, "ResourceNotFoundException", "")
	if err := n.service.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	if n.holds(t, arn) { // the stand-in for keys writes it into every value
		t.Error("something of it is left")
	}
	again, _ := n.create(t, "a", "x")
	if again == arn {
		t.Error("the new one has the old ARN")
	}
	_, err = n.GetSecretValue(ctx, &sm.GetSecretValueInput{SecretId: &arn})
	refused(t, "by the old ARN", err, "ResourceNotFoundException", "")

	ok[sm.DeleteSecretOutput](t)(n.DeleteSecret(ctx, &sm.DeleteSecretInput{SecretId: id, ForceDeleteWithoutRecovery: aws.Bool(true)}))
	ok[sm.DeleteSecretOutput](t)(n.DeleteSecret(ctx, &sm.DeleteSecretInput{SecretId: id, ForceDeleteWithoutRecovery: aws.Bool(true)}))
	n.create(t, "a", "y")
}

// A name whose recovery window is over can be used before the sweep, and has nothing of
// what it was.
func TestNameIsFreeOnceGone(t *testing.T) {
	n, ctx := start(t), context.Background()
	_, old := n.create(t, "a", "old")
	ok[sm.DeleteSecretOutput](t)(n.DeleteSecret(ctx, &sm.DeleteSecretInput{SecretId: aws.String("a"), RecoveryWindowInDays: aws.Int64(7)}))
	n.clock.Advance(7 * 24 * time.Hour)
	_, version := n.create(t, "a", "new")
	equal(t, "stages", map[string][]string{version: {"AWSCURRENT"}}, n.stages(t, "a"))
	_, err := n.GetSecretValue(ctx, &sm.GetSecretValueInput{SecretId: aws.String("a"), VersionId: &old})
	refused(t, "the old version", err, "ResourceNotFoundException", "")
	if err := n.service.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	if got := n.get(t, "a", ""); got != "new" {
		t.Errorf("got %s", got)
	}
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

// Of writers at once each makes a version, and one is current.
func TestWritersAtOnce(t *testing.T) {
	n := start(t)
	n.create(t, "a", "x")
	done := make(chan string)
	for range 8 {
		go func() { done <- n.put(t, "a", "y") }()
	}
	seen := map[string]bool{}
	for range 8 {
		seen[<-done] = true
	}
	stages := n.stages(t, "a")
	if len(seen) != 8 || len(stages) != 2 {
		t.Errorf("%d versions, stages %v", len(seen), stages)
	}
}
