package secret

import (
	"crypto/rand"
	"math/big"
	"strings"
)

// The characters of passwords, by type.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html
const (
	lower       = "abcdefghijklmnopqrstuvwxyz"
	upper       = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits      = "0123456789"
	punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
)

// Wish says what a password looks like.
type Wish struct {
	Length                                int
	Exclude                               string
	NoLower, NoUpper, NoDigits, NoSymbols bool
	Space                                 bool
	Any                                   bool // not one of each type at least
}

const (
	usualPassword = 32
	maxPassword   = 4096
	maxExclude    = 4096
)

// Password makes a random password.
func Password(w Wish) (string, error) {
	if w.Length < 1 || w.Length > maxPassword {
		return "", invalid("PasswordLength must be between 1 and %d.", maxPassword)
	}
	if len(w.Exclude) > maxExclude {
		return "", invalid("ExcludeCharacters has more than %d characters.", maxExclude)
	}
	var sets []string
	for _, set := range []struct {
		chars string
		out   bool
	}{{lower, w.NoLower}, {upper, w.NoUpper}, {digits, w.NoDigits}, {punctuation, w.NoSymbols}, {" ", !w.Space}} {
		left := strings.Map(func(c rune) rune {
			if strings.ContainsRune(w.Exclude, c) {
				return -1
			}
			return c
		}, set.chars)
		if !set.out && left != "" {
			sets = append(sets, left)
		}
	}
	if len(sets) == 0 {
		return "", invalid("No characters are left to make a password of.")
	}
	if !w.Any && len(sets) > w.Length {
		return "", invalid("A password of %d characters can't have one of each of the %d types it must include.", w.Length, len(sets))
	}
	b := make([]byte, 0, w.Length)
	if !w.Any {
		for _, set := range sets {
			b = append(b, pick(set))
		}
	}
	all := strings.Join(sets, "")
	for len(b) < w.Length {
		b = append(b, pick(all))
	}
	shuffle(b)
	return string(b), nil
}

// shuffle brings b into a random order, each as likely as the others.
func shuffle(b []byte) {
	for i := len(b) - 1; i > 0; i-- {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(i+1)))
		if err != nil {
			panic("secret: no randomness: " + err.Error()) // crypto/rand ends the process before
		}
		j := n.Int64()
		b[i], b[j] = b[j], b[i]
	}
}
