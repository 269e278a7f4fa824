// Package id makes identifiers: request ids, revision ids, and the prefixed
// ids that AWS gives to keys and principals. All are from crypto/rand, so none
// can be guessed from another.
package id

import (
	"crypto/rand"
	"encoding/hex"
)

// alphabet is the base 32 alphabet of AWS's own unique ids.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

// UUID makes a random (version 4) UUID in its 36-character form: request ids,
// revision ids.
func UUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	var s [36]byte
	hex.Encode(s[0:8], b[0:4])
	hex.Encode(s[9:13], b[4:6])
	hex.Encode(s[14:18], b[6:8])
	hex.Encode(s[19:23], b[8:10])
	hex.Encode(s[24:36], b[10:16])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return string(s[:])
}

// Hex makes n random bytes in lower-case hexadecimal, 2n characters.
func Hex(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// Unique makes an id of AWS's form: the prefix ("AKIA", "AROA") and n
// characters of base 32.
func Unique(prefix string, n int) string {
	b := make([]byte, n)
	rand.Read(b)
	for i := range b {
		b[i] = alphabet[b[i]&31]
	}
	return prefix + string(b)
}
