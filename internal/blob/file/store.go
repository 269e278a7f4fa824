package file

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"

	"github.com/mayfly-cloud/mayfly/internal/blob"
)

const (
	tmp    = "tmp"
	chunk  = 256 << 10 // bytes read between looks at the context
	fanOut = 2         // digits of a digest that name its folder
)

// Store is a blob.Store in a folder, which several processes may share.
type Store struct {
	root *os.Root

	mu      sync.Mutex
	folders map[string]bool // known to be there, durably
}

var _ blob.Store = (*Store)(nil)

// Open opens the store in dir, made with mode 0700 if it is not there, and
// removes what a crash left half-written.
func Open(dir string) (*Store, error) {
	if err := errors.Join(os.MkdirAll(dir, 0o700), syncPath(filepath.Dir(dir))); err != nil {
		return nil, fmt.Errorf("make blob folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open blob folder: %w", err)
	}
	if err := sweep(root); err != nil {
		root.Close()
		return nil, fmt.Errorf("sweep blob folder: %w", err)
	}
	return &Store{root: root, folders: map[string]bool{}}, nil
}

// Close releases the folder. Files that are open stay readable.
func (s *Store) Close() error { return s.root.Close() }

// Put implements blob.Store.
func (s *Store) Put(ctx context.Context, r io.Reader, limit int64) (blob.Digest, int64, error) {
	name, f, err := begin(s.root)
	if err != nil {
		return "", 0, fmt.Errorf("make blob: %w", err)
	}
	digest, n, err := write(ctx, f, r, limit)
	if err == nil {
		err = s.publish(name, digest)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", 0, errors.Join(err, ignoreMissing(s.root.Remove(name)))
	}
	return digest, n, nil
}

// write copies at most limit bytes of r to f, hashes them and syncs f.
func write(ctx context.Context, f *os.File, r io.Reader, limit int64) (blob.Digest, int64, error) {
	h := sha256.New()
	to, from := io.MultiWriter(f, h), io.LimitReader(r, limit+1)
	var n int64
	for {
		if err := ctx.Err(); err != nil {
			return "", 0, err
		}
		m, err := io.CopyN(to, from, chunk)
		if n += m; n > limit {
			return "", 0, fmt.Errorf("%w of %d bytes", blob.ErrTooLarge, limit)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", 0, fmt.Errorf("write blob: %w", err)
		}
	}
	if err := f.Sync(); err != nil {
		return "", 0, fmt.Errorf("sync blob: %w", err)
	}
	return blob.Digest(hex.EncodeToString(h.Sum(nil))), n, nil
}

// publish gives a written blob its name. A blob that is there already is
// replaced: it has the same bytes, or had them before the disk damaged it.
func (s *Store) publish(name string, d blob.Digest) error {
	folder := string(d[:fanOut])
	err := s.ensure(folder)
	if err == nil {
		err = s.root.Rename(name, at(d))
	}
	if err == nil {
		err = s.syncDir(folder)
	}
	if err != nil {
		return fmt.Errorf("publish blob: %w", err)
	}
	return nil
}

// ensure makes a folder and syncs the one it is in. That it is there already
// says nothing: who made it may not have come to the sync.
func (s *Store) ensure(folder string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.folders[folder] {
		return nil
	}
	if err := s.root.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := s.syncDir("."); err != nil {
		return err
	}
	s.folders[folder] = true
	return nil
}

// Open implements blob.Store.
func (s *Store) Open(ctx context.Context, d blob.Digest) (blob.File, error) {
	if _, err := blob.ParseDigest(string(d)); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := s.root.Open(at(d))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", blob.ErrNotFound, d)
	}
	if err != nil {
		return nil, fmt.Errorf("open blob: %w", err)
	}
	st, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("stat blob: %w", err), f.Close())
	}
	return &file{File: f, digest: d, size: st.Size(), hash: sha256.New()}, nil
}

// Delete implements blob.Store.
func (s *Store) Delete(ctx context.Context, d blob.Digest) error {
	if _, err := blob.ParseDigest(string(d)); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := ignoreMissing(s.root.Remove(at(d))); err != nil {
		return fmt.Errorf("delete blob: %w", err)
	}
	return nil // a crash may bring it back, which harms nobody: names are digests
}

// Verify reads a blob and compares it with its digest: nil, ErrNotFound, or what
// is wrong with it.
func (s *Store) Verify(ctx context.Context, d blob.Digest) error {
	f, err := s.Open(ctx, d)
	if err != nil {
		return err
	}
	defer f.Close()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := io.CopyN(io.Discard, f, chunk); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("verify blob: %w", err)
		}
	}
}

func (s *Store) syncDir(name string) error { return syncOpen(s.root.Open(name)) }

func syncPath(name string) error { return syncOpen(os.Open(name)) }

func syncOpen(d *os.File, err error) error {
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func at(d blob.Digest) string { return path.Join(string(d[:fanOut]), string(d)) }

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
