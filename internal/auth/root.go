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
	"sync"
	"sync/atomic"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/arn"
	"github.com/mayfly-cloud/mayfly/internal/id"
)

// rootFile holds the account's own credentials.
const rootFile = "root.json"

// Root is the account's own access key. It may do everything, so it is made at
// random when the account is, and kept where only its owner reads it. It is safe for
// concurrent use.
type Root struct {
	keys     atomic.Pointer[rootKeys]
	rotating sync.Mutex
}

// rootKeys are the credentials of one time: those before them are worthless.
type rootKeys struct {
	Credential
	since time.Time // zero for the first
}

// rootCredentials is the form of the file.
type rootCredentials struct {
	Account         string    `json:"account"`
	AccessKeyID     string    `json:"accessKeyId"`
	SecretAccessKey string    `json:"secretAccessKey"`
	Rotated         time.Time `json:"rotated,omitzero"`
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
	keys, err := readRootKeys(b)
	if err != nil {
		return nil, err
	}
	if had := keys.Principal.Account; account != "" && account != had {
		return nil, fmt.Errorf("the data directory belongs to account %s, not %s", had, account)
	}
	r := &Root{}
	r.keys.Store(keys)
	return r, nil
}

func readRootKeys(b []byte) (*rootKeys, error) {
	var file rootCredentials
	if err := json.Unmarshal(b, &file); err != nil {
		return nil, fmt.Errorf("read %s: %w", rootFile, err)
	}
	if !isAccount(file.Account) || file.AccessKeyID == "" || file.SecretAccessKey == "" {
		return nil, fmt.Errorf("read %s: account, accessKeyId or secretAccessKey is missing", rootFile)
	}
	return &rootKeys{Credential{Secret: file.SecretAccessKey, Principal: Principal{
		Kind:        RootUser,
		Account:     file.Account,
		ARN:         arn.New("iam", "", file.Account, "root").String(),
		UserID:      file.Account,
		AccessKeyID: file.AccessKeyID,
	}}, file.Rotated}, nil
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
	return rootCredentials{Account: account}.withKeys()
}

// withKeys is the content of a file with new keys.
func (c rootCredentials) withKeys() ([]byte, error) {
	c.AccessKeyID, c.SecretAccessKey = id.Unique("AKIA", 16), NewSecret()
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode root credentials: %w", err)
	}
	return append(b, '\n'), nil
}

// Rotate makes new keys, writes them over those in dir, and accepts the old ones no
// more, nor any temporary credentials that were made with them. The file is replaced
// whole: a crash leaves the old keys or the new ones.
func (r *Root) Rotate(dir string) error {
	r.rotating.Lock()
	defer r.rotating.Unlock()
	b, err := rootCredentials{Account: r.Account(), Rotated: time.Now().UTC()}.withKeys()
	if err != nil {
		return err
	}
	keys, err := readRootKeys(b)
	if err != nil {
		return err
	}
	if err := replaceOwned(dir, rootFile, b); err != nil {
		return fmt.Errorf("write root credentials: %w", err)
	}
	r.keys.Store(keys)
	return nil
}

// Account is the account id, twelve digits.
func (r *Root) Account() string { return r.keys.Load().Principal.Account }

// AccessKeyID is the root user's access key id, AKIA....
func (r *Root) AccessKeyID() string { return r.keys.Load().Principal.AccessKeyID }

// SecretAccessKey is the secret of AccessKeyID, for the owner's own clients.
func (r *Root) SecretAccessKey() string { return r.keys.Load().Credential.Secret }

// String names the account and keeps the secret to itself.
func (r *Root) String() string { return "root of account " + r.Account() }

// Secret implements Keys.
func (r *Root) Secret(_ context.Context, accessKeyID, token string) (Credential, error) {
	keys := r.keys.Load()
	if accessKeyID != keys.Principal.AccessKeyID {
		return Credential{}, ErrUnknownKey
	}
	if token != "" {
		return Credential{}, ErrInvalidToken
	}
	return keys.Credential, nil
}

// Owned are the credentials of inner but for those that root made for itself, or for
// others to have root's rights, before its keys were rotated.
func (r *Root) Owned(inner Keys) Keys { return rootOwned{r, inner} }

type rootOwned struct {
	*Root
	inner Keys
}

// Secret implements Keys.
func (o rootOwned) Secret(ctx context.Context, accessKeyID, token string) (Credential, error) {
	c, err := o.inner.Secret(ctx, accessKeyID, token)
	if err != nil {
		return c, err
	}
	p := &c.Principal
	ofRoot := p.Kind == RootUser || p.Session != nil && p.Session.OwnerID == o.Account()
	if since := o.keys.Load().since; ofRoot && p.Issued.Before(since) {
		return Credential{}, ErrInvalidToken
	}
	return c, nil
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
