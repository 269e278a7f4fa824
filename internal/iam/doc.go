// Package iam is identity and access management: who there is in the account, and
// which policies say what they may do. It serves AWS's IAM API.
//
// Users, groups and roles are entities: policies belong to them, inline or attached,
// and a permissions boundary may limit them. Managed policies have versions; AWS's
// own are in package managed. Package policy is the language and its evaluation,
// package sts makes temporary credentials.
//
// For every request that is let in, Keys and Owned tell authentication the access
// keys, and Caller tells the authoriser whose policies count, all from memory. Whatever
// changes here is forgotten there before the change is answered.
//
// Not here: passwords and login profiles, MFA devices, certificates, SSH keys, SAML
// providers and service-specific credentials (their listings are empty), credential
// and last-accessed reports, organizations, delegation requests, role templates.
// Simulations report which policies matched, but no positions in them and no missing
// context values, and take no exclusions. Roles of services are made with their trust
// policy and without permissions.
//
// Source: https://docs.aws.amazon.com/IAM/latest/APIReference/
package iam
