// Package key is the Key Management Service (KMS): symmetric keys that encrypt and
// decrypt small data, make data keys for large, and never leave the node.
//
// A key is a record, its policy, and generations of material: 256 random bits each.
// Encrypting uses the newest, decrypting whichever the ciphertext names, so that a
// rotation changes nothing for what was encrypted before. Material is kept sealed
// under the node's key (material.go); ciphertexts are described in cipher.go.
//
// Automatic rotation happens at the first use after it is due: material nobody
// encrypts with need not change. Keys whose waiting period is over are gone at once,
// and their material is erased within the hour by Run.
//
// The keys AWS itself manages (alias/aws/ssm, alias/aws/secretsmanager,
// alias/aws/lambda) are made when first used. Other services encrypt by way of Via,
// which is what their policies let in.
//
// Who may do what is the gateway's to ask: api_access.go says what each operation
// needs, ResourcePolicy gives a key's policy to whoever evaluates it. As the policy
// of every key is what lets identity policies count, and not they alone, evaluation
// must begin with it.
//
// Not here: asymmetric, HMAC and multi-Region keys, imported material, custom key
// stores, grants and their tokens, answers sealed for Nitro enclaves, keys of other
// accounts, and the check that a new key policy leaves its writer able to change it.
// Each is refused by name, but for the last.
//
// Source: https://docs.aws.amazon.com/kms/latest/APIReference/
package key
