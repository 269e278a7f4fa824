package secret

import (
	"context"
	"net/http"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/mayfly-cloud/mayfly/internal/access"
	"github.com/mayfly-cloud/mayfly/internal/arn"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// access is what each operation needs.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
func (a api) access() access.Table {
	t := access.Table{
		"CreateSecret":        {Action: "secretsmanager:CreateSecret", Resources: a.newSecret, Keys: createConditions, Also: a.createToo},
		"ListSecrets":         {Action: "secretsmanager:ListSecrets"},
		"GetRandomPassword":   {Action: "secretsmanager:GetRandomPassword"},
		"BatchGetSecretValue": {Action: "secretsmanager:BatchGetSecretValue", Also: a.readAll},
	}
	for operation, also := range map[string]func(context.Context, any) []access.Need{
		"DescribeSecret": nil, "DeleteSecret": nil, "RestoreSecret": nil, "ListSecretVersionIds": nil, "UpdateSecretVersionStage": nil,
		"TagResource": nil, "UntagResource": nil, "GetResourcePolicy": nil, "PutResourcePolicy": nil, "DeleteResourcePolicy": nil,
		"PutSecretValue": a.putToo, "UpdateSecret": a.updateToo, "GetSecretValue": a.readToo,
	} {
		t[operation] = access.Rule{Action: "secretsmanager:" + operation, Resources: a.ofSecret, Keys: a.conditions, Also: also}
	}
	t["ValidateResourcePolicy"] = access.Rule{Action: "secretsmanager:ValidateResourcePolicy", Resources: a.validated, Keys: a.conditions}
	return t
}

func (a api) ofSecret(ctx context.Context, in any) []string {
	return []string{a.resource(ctx, access.Text(in, "SecretId"))}
}

// validated is ofSecret for a policy that need not be for any secret.
func (a api) validated(ctx context.Context, in any) []string {
	if access.Text(in, "SecretId") == "" {
		return []string{"*"}
	}
	return a.ofSecret(ctx, in)
}

// resource is the ARN of the secret that a SecretId means. What is not there is asked
// for with a suffix that no secret has, but policies on NAME-* and NAME-?????? match.
func (a api) resource(ctx context.Context, ref string) string {
	if sec, err := a.Secret(ctx, ref); err == nil {
		return a.arnOf(sec)
	}
	if arn.Is(ref) {
		return ref
	}
	return a.arn(ref + "-??????")
}

func (a api) newSecret(_ context.Context, in any) []string {
	return []string{a.arn(access.Text(in, "Name") + "-??????")}
}

func createConditions(_ context.Context, in any) access.Keys {
	create := in.(*secretsmanager.CreateSecretInput)
	keys := access.Keys{"secretsmanager:Name": {aws.ToString(create.Name)}}
	addText(keys, "secretsmanager:Description", create.Description)
	addText(keys, "secretsmanager:KmsKeyId", create.KmsKeyId)
	addTags(keys, nil, create.Tags)
	return keys
}

func addText(keys access.Keys, key string, value *string) {
	if value != nil {
		keys[key] = []string{*value}
	}
}

func addTags(keys access.Keys, names []string, tags []types.Tag) {
	for _, t := range tags {
		keys["aws:RequestTag/"+aws.ToString(t.Key)] = []string{aws.ToString(t.Value)}
		names = append(names, aws.ToString(t.Key))
	}
	if len(names) > 0 {
		keys["aws:TagKeys"] = names
	}
}

// conditions are those of the secret that SecretId means and of what the request says.
func (a api) conditions(ctx context.Context, in any) access.Keys {
	ref := access.Text(in, "SecretId")
	keys := access.Keys{"secretsmanager:SecretId": {a.resource(ctx, ref)}}
	if sec, err := a.Secret(ctx, ref); err == nil {
		for name, value := range sec.Tags {
			keys["aws:ResourceTag/"+name] = []string{value}
			keys["secretsmanager:ResourceTag/"+name] = []string{value}
		}
	}
	switch in := in.(type) {
	case *secretsmanager.GetSecretValueInput:
		addText(keys, "secretsmanager:VersionId", in.VersionId)
		addText(keys, "secretsmanager:VersionStage", in.VersionStage)
		if in.VersionId == nil && in.VersionStage == nil {
			keys["secretsmanager:VersionStage"] = []string{Current} // what is read then
		}
	case *secretsmanager.UpdateSecretVersionStageInput:
		addText(keys, "secretsmanager:VersionStage", in.VersionStage)
	case *secretsmanager.UpdateSecretInput:
		addText(keys, "secretsmanager:Description", in.Description)
		addText(keys, "secretsmanager:KmsKeyId", in.KmsKeyId)
	case *secretsmanager.DeleteSecretInput:
		keys["secretsmanager:ForceDeleteWithoutRecovery"] = []string{strconv.FormatBool(aws.ToBool(in.ForceDeleteWithoutRecovery))}
		if in.RecoveryWindowInDays != nil {
			keys["secretsmanager:RecoveryWindowInDays"] = []string{strconv.FormatInt(*in.RecoveryWindowInDays, 10)}
		}
	case *secretsmanager.PutResourcePolicyInput:
		keys["secretsmanager:BlockPublicPolicy"] = []string{strconv.FormatBool(aws.ToBool(in.BlockPublicPolicy))}
	case *secretsmanager.TagResourceInput:
		addTags(keys, nil, in.Tags)
	case *secretsmanager.UntagResourceInput:
		addTags(keys, in.TagKeys, nil)
	}
	return keys
}

// createToo is what a new secret asks for besides: tagging, and its key's use. The
// suffix of its ARN is not known yet, so that is no condition.
func (a api) createToo(ctx context.Context, in any) []access.Need {
	create := in.(*secretsmanager.CreateSecretInput)
	var needs []access.Need
	if len(create.Tags) > 0 {
		needs = append(needs, access.Need{Action: "secretsmanager:TagResource", Resource: a.newSecret(ctx, in)[0], Keys: createConditions(ctx, in)})
	}
	if create.SecretString == nil && create.SecretBinary == nil {
		return needs
	}
	return append(needs, a.use(ctx, aws.ToString(create.KmsKeyId), nil)...)
}

// use is what a new value asks of its key.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
func (a api) use(ctx context.Context, keyID string, bound map[string]string) []access.Need {
	return []access.Need{
		a.cfg.Keys.Need(ctx, "kms:GenerateDataKey", keyID, bound),
		a.cfg.Keys.Need(ctx, "kms:Decrypt", keyID, bound),
	}
}

func (a api) putToo(ctx context.Context, in any) []access.Need {
	put := in.(*secretsmanager.PutSecretValueInput)
	sec, err := a.Secret(ctx, aws.ToString(put.SecretId))
	if err != nil {
		return undecided(err)
	}
	return a.use(ctx, sec.KeyID, a.bound(sec, aws.ToString(put.ClientRequestToken)))
}

func (a api) updateToo(ctx context.Context, in any) []access.Need {
	update := in.(*secretsmanager.UpdateSecretInput)
	var sec *Secret
	var values []old
	err := a.cfg.Store.View(ctx, func(r store.Reader) (err error) {
		if sec, err = a.living(r, aws.ToString(update.SecretId)); err == nil {
			values, err = staged(r, sec)
		}
		return err
	})
	if err != nil {
		return undecided(err)
	}
	var needs []access.Need
	keyID := sec.KeyID
	if update.KmsKeyId != nil {
		keyID = *update.KmsKeyId
		for _, o := range values {
			needs = append(needs, a.cfg.Keys.Need(ctx, "kms:Decrypt", o.KeyARN, a.bound(sec, o.ID)),
				a.cfg.Keys.Need(ctx, "kms:Encrypt", keyID, a.bound(sec, o.ID)))
		}
	}
	if update.SecretString == nil && update.SecretBinary == nil {
		return needs
	}
	return append(needs, a.use(ctx, keyID, a.bound(sec, aws.ToString(update.ClientRequestToken)))...)
}

func (a api) readToo(ctx context.Context, in any) []access.Need {
	get := in.(*secretsmanager.GetSecretValueInput)
	return a.decrypt(ctx, aws.ToString(get.SecretId), aws.ToString(get.VersionId), aws.ToString(get.VersionStage))
}

// decrypt is the need for the value of a secret: the key it was encrypted with.
func (a api) decrypt(ctx context.Context, ref, version, stage string) []access.Need {
	var sec *Secret
	var v *Version
	err := a.cfg.Store.View(ctx, func(r store.Reader) (err error) {
		sec, v, err = a.pick(r, ref, version, stage)
		return err
	})
	if err != nil {
		return undecided(err)
	}
	return []access.Need{a.cfg.Keys.Need(ctx, "kms:Decrypt", v.KeyARN, a.bound(sec, v.ID))}
}

// readAll is what reading many secrets asks for besides: reading each.
func (a api) readAll(ctx context.Context, in any) (needs []access.Need) {
	get := in.(*secretsmanager.BatchGetSecretValueInput)
	ids, _, err := a.batch(ctx, get)
	if err != nil {
		return undecided(err)
	}
	if len(get.Filters) > 0 {
		needs = append(needs, access.Need{Action: "secretsmanager:ListSecrets", Resource: "*"})
	}
	for _, id := range ids {
		one := &secretsmanager.GetSecretValueInput{SecretId: &id}
		needs = append(needs, access.Need{Action: "secretsmanager:GetSecretValue", Resource: a.resource(ctx, id), Keys: a.conditions(ctx, one)})
		needs = append(needs, a.readToo(ctx, one)...)
	}
	return needs
}

// undecided is the need where it can't be told which key is asked for: none if the
// operation will refuse the request too, every key if it was a fault of ours.
func undecided(err error) []access.Need {
	if fault.As(err).Status < http.StatusInternalServerError {
		return nil
	}
	return []access.Need{{Action: "kms:Decrypt", Resource: "*"}}
}
