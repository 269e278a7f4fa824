package auth

import (
	"context"
	"errors"
)

// What Keys answers when it has no credential to give.
var (
	// ErrUnknownKey says that nobody has this access key id.
	ErrUnknownKey = errors.New("access key id is not known")
	// ErrInvalidToken says that the session token is missing, forged, revoked, or
	// not the one of this access key.
	ErrInvalidToken = errors.New("session token is not valid")
	// ErrExpiredToken says that the session was good and has ended.
	ErrExpiredToken = errors.New("session token has expired")
)

// Credential is what an access key id stands for.
type Credential struct {
	Secret    string
	Principal Principal
}

// Keys finds credentials. Implementations are safe for concurrent use and are
// asked once per request, so they answer from memory.
type Keys interface {
	// Secret returns the credential of an access key. token is the session token
	// that came with the request, "" for none; it is part of a temporary
	// credential and must be refused with a permanent one. Errors are
	// ErrUnknownKey, ErrInvalidToken and ErrExpiredToken; any other is a fault of
	// ours.
	Secret(ctx context.Context, accessKeyID, token string) (Credential, error)
}

// Ring asks several Keys in turn until one knows the access key.
type Ring []Keys

// Secret implements Keys.
func (k Ring) Secret(ctx context.Context, accessKeyID, token string) (Credential, error) {
	for _, keys := range k {
		cred, err := keys.Secret(ctx, accessKeyID, token)
		if !errors.Is(err, ErrUnknownKey) {
			return cred, err
		}
	}
	return Credential{}, ErrUnknownKey
}
