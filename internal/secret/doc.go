// Package secret is Secrets Manager: secrets by name, their versions, and the
// staging labels that say which version is in use.
//
// A secret is a record with its tags, its policy and its labels; each version is a
// record, and its value another, encrypted before it is stored by the Keys it is
// handed and bound to the secret's ARN and the version's id. The id of a version is
// the ClientRequestToken it was made with, so that asking twice makes one.
//
//	PutSecretValue          AWSCURRENT ─▶ new version, AWSPREVIOUS ─▶ the one before
//	  with AWSPENDING       AWSPENDING ─▶ new version, the others stay
//	UpdateSecretVersionStage moves any label; AWSPREVIOUS follows AWSCURRENT
//
// A version without labels is deprecated: the oldest are dropped when there are more
// than a hundred, though none of the last day. A deleted secret waits 7 to 30 days, in
// which it can be restored; then it is gone at once, and erased within the hour by Run.
//
// api_access.go says what each operation asks of its caller, for the secret's key
// too; ResourcePolicy gives a secret's policy to whoever evaluates it.
//
// Not here: rotation, replication to other regions and partners' external secrets,
// which are refused by name. BatchGetSecretValue is refused as a whole where one of
// its secrets may not be read; AWS answers the others. UpdateSecret with another key
// encrypts what has labels again always, and so asks for the keys' use.
//
// Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/
package secret
