// Package page makes the opaque tokens that continue a listing ("Marker",
// "NextToken"). A token carries the last key already given and the listing it
// belongs to, so that one from another listing, or one made up, is refused.
package page

import (
	"encoding/base64"
	"errors"
	"strings"
)

// ErrInvalid says that a token was not made by Token for this listing.
var ErrInvalid = errors.New("the pagination token is not valid for this request")

// maxToken bounds what After reads, in bytes.
const maxToken = 2048

// Token makes the token that continues the listing after key. The listing's
// name must be the same at After: an operation and its filters.
func Token(listing, key string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(listing + "\x00" + key))
}

// After gives the key to continue after: "" for the empty token, which starts
// the listing. It returns ErrInvalid for a token of another listing.
func After(listing, token string) (string, error) {
	if token == "" {
		return "", nil
	}
	if len(token) > maxToken {
		return "", ErrInvalid
	}
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return "", ErrInvalid
	}
	name, key, ok := strings.Cut(string(b), "\x00")
	if !ok || name != listing {
		return "", ErrInvalid
	}
	return key, nil
}
