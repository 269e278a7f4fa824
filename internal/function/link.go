package function

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/blob"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// LinkPath is where on a node's endpoint packages are downloaded from.
const LinkPath = "/_mayfly/code/"

// linkTime is how long a link to a package works, as AWS has it.
const linkTime = 10 * time.Minute

// Link makes the URL that a package can be downloaded from for ten minutes, by
// whoever has it.
func (s *Service) Link(ctx context.Context, d blob.Digest) (string, error) {
	key, err := s.linkKey(ctx)
	if err != nil {
		return "", err
	}
	until := strconv.FormatInt(s.cfg.Clock.Now().Add(linkTime).Unix(), 10)
	q := url.Values{"expires": {until}, "token": {linkToken(key, d, until)}}
	return strings.TrimSuffix(s.cfg.Endpoint, "/") + LinkPath + string(d) + "?" + q.Encode(), nil
}

func linkToken(key []byte, d blob.Digest, until string) string {
	m := hmac.New(sha256.New, key)
	fmt.Fprintf(m, "code\n%s\n%s", d, until)
	return hex.EncodeToString(m.Sum(nil))
}

// linkKey gives the key that signs links. It is made at first use and kept in
// the store: links outlive a restart, and work on every node.
func (s *Service) linkKey(ctx context.Context) ([]byte, error) {
	if key := s.secret.Load(); key != nil {
		return *key, nil
	}
	fresh := make([]byte, 32)
	rand.Read(fresh) // never fails: crypto/rand ends the program instead
	var key []byte
	err := s.cfg.Store.Update(ctx, func(tx store.Tx) error {
		b, err := tx.Get(secretKey())
		if errors.Is(err, store.ErrNotFound) {
			b = fresh
			err = tx.Set(secretKey(), b)
		}
		key = append([]byte(nil), b...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the key of links: %w", err)
	}
	s.secret.Store(&key)
	return key, nil
}

// Download serves the links, below LinkPath.
func (s *Service) Download() http.Handler { return http.HandlerFunc(s.download) }

func (s *Service) download(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	d, err := blob.ParseDigest(strings.TrimPrefix(r.URL.Path, LinkPath))
	q := r.URL.Query()
	until, number := strconv.ParseInt(q.Get("expires"), 10, 64)
	if err != nil || number != nil {
		http.NotFound(w, r)
		return
	}
	key, err := s.linkKey(r.Context())
	if err != nil {
		s.report(r.Context(), "download code", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	if !hmac.Equal([]byte(q.Get("token")), []byte(linkToken(key, d, q.Get("expires")))) {
		http.Error(w, "the link is not valid", http.StatusForbidden)
		return
	}
	if s.cfg.Clock.Now().Unix() > until {
		http.Error(w, "the link has expired", http.StatusForbidden)
		return
	}
	f, err := s.cfg.Blobs.Open(r.Context(), d)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="code.zip"`)
	http.ServeContent(w, r, "", time.Time{}, io.NewSectionReader(f, 0, f.Size()))
}

// scheme gives the scheme and port (":4566", or empty) of the node's endpoint.
func (s *Service) scheme() (scheme, port string) {
	u, err := url.Parse(s.cfg.Endpoint)
	if err != nil || u.Scheme == "" {
		return "http", ""
	}
	if p := u.Port(); p != "" {
		port = ":" + p
	}
	return u.Scheme, port
}
