package auth

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/arn"
	"github.com/mayfly-cloud/mayfly/internal/id"
)

// rootFile holds the account's own credentials.
const rootFile = "root.json"

// Root is the account's own access key. It may do everything, so it is made at
// random when the account is, and kept where only its owner reads it.
type Root struct{ cred Credential }

// rootCredentials is the form of the file.
type rootCredentials struct {
	Account         string `json:"account"`
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
}

// OpenRoot reads the root credentials from root.json in dir. The first time it makes
// them, and an account id with them unless one is given. An account id (twelve digits)
// that is not the file's is an error: everything stored belongs to the other.
func OpenRoot(dir, account string) (*Root, error) {
	if account != "" && !isAccount(account) {
		return nil, fmt.Errorf("account id %q is not twelve digits", account)
	}
	b, err := ownerFile(dir, rootFile, func() ([]byte, error) { return makeRoot(account) })
	if err != nil {
		return nil, fmt.Errorf("open root credentials: %w", err)
	}
	var file rootCredentials
	if err := json.Unmarshal(b, &file); err != nil {
		return nil, fmt.Errorf("read %s: %w", rootFile, err)
	}
	if !isAccount(file.Account) || file.AccessKeyID == "" || file.SecretAccessKey == "" {
		return nil, fmt.Errorf("read %s: account, accessKeyId or secretAccessKey is missing", rootFile)
	}
	if account != "" && account != file.Account {
		return nil, fmt.Errorf("the data directory belongs to account %s, not %s", file.Account, account)
	}
	return &Root{Credential{Secret: file.SecretAccessKey, Principal: Principal{
		Kind:        RootUser,
		Account:     file.Account,
		ARN:         arn.New("iam", "", file.Account, "root").String(),
		UserID:      file.Account,
		AccessKeyID: file.AccessKeyID,
	}}}, nil
}

// ReadRoot reads the root credentials that OpenRoot made, for the owner's own
// clients. Without them the error wraps fs.ErrNotExist.
func ReadRoot(dir string) (*Root, error) {
	if _, err := os.Stat(filepath.Join(dir, rootFile)); err != nil {
		return nil, fmt.Errorf("find root credentials: %w", err)
	}
	return OpenRoot(dir, "")
}

func makeRoot(account string) ([]byte, error) {
	if account == "" {
		account = newAccount()
	}
	b, err := json.MarshalIndent(rootCredentials{account, id.Unique("AKIA", 16), NewSecret()}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode root credentials: %w", err)
	}
	return append(b, '\n'), nil
}

// Account is the account id, twelve digits.
func (r *Root) Account() string { return r.cred.Principal.Account }

// AccessKeyID is the root user's access key id, AKIA....
func (r *Root) AccessKeyID() string { return r.cred.Principal.AccessKeyID }

// SecretAccessKey is the secret of AccessKeyID, for the owner's own clients.
func (r *Root) SecretAccessKey() string { return r.cred.Secret }

// String names the account and keeps the secret to itself.
func (r *Root) String() string { return "root of account " + r.cred.Principal.Account }

// Secret implements Keys.
func (r *Root) Secret(_ context.Context, accessKeyID, token string) (Credential, error) {
	if accessKeyID != r.cred.Principal.AccessKeyID {
		return Credential{}, ErrUnknownKey
	}
	if token != "" {
		return Credential{}, ErrInvalidToken
	}
	return r.cred, nil
}

// NewSecret makes a secret access key: 40 characters, 240 random bits.
func NewSecret() string {
	var b [30]byte
	rand.Read(b[:])
	return base64.StdEncoding.EncodeToString(b[:])
}

// newAccount makes an account id. The first digit is not zero, so that nothing which
// takes it for a number shortens it.
func newAccount() string {
	b := []byte(id.Unique("", 12))
	for i, c := range b {
		b[i] = '0' + c%10
	}
	if b[0] == '0' {
		b[0] = '1'
	}
	return string(b)
}

func isAccount(s string) bool { return len(s) == 12 && strings.Trim(s, "0123456789") == "" }
