// Package parameter is Systems Manager's Parameter Store: configuration and secrets
// by name, in hierarchies, with versions and labels.
//
// A parameter is a record with its tags, its labels and what is known of its newest
// version; each of its up to 100 versions is a record of its own with its value. A
// SecureString's value is encrypted before it is stored, by the Keys it is handed,
// bound to the parameter's ARN; String and StringList values are kept as they are.
// "/name" and "name" are the same parameter, as they have the same ARN.
//
// api_access.go says what each operation asks of its caller: reading a SecureString
// with decryption asks for kms:Decrypt of its key too.
//
// Not here: the rest of Systems Manager; parameter policies (expiration and
// notifications), which are refused by name; sharing between accounts; public
// parameters below /aws/, and secrets by way of /aws/reference/secretsmanager/;
// whether an aws:ec2:image exists, for there are none; the account's default tier,
// which is Standard. Patterns are RE2's, so AllowedPattern has no backreferences and
// no lookaround.
//
// Source: https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-parameter-store.html
package parameter
