package function

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/mayfly-cloud/mayfly/internal/blob"
	"github.com/mayfly-cloud/mayfly/internal/code"
	"github.com/mayfly-cloud/mayfly/internal/fault"
	"github.com/mayfly-cloud/mayfly/internal/retry"
	"github.com/mayfly-cloud/mayfly/internal/store"
)

// Packages are blobs, kept once however many versions use them. Every user has
// a row, and a blob that nothing uses has another:
//
//	upload   mark unused ── Put ── use (with the function, one transaction)
//	delete   drop (with the function, one transaction), marks unused
//	Sweep    mark deleting ── Delete ── unmark
//
// A transaction may rely on a blob only when it sees a user of it, or the very
// mark its upload was announced with: it is there then, and whoever wants to
// delete it has to change a row that the transaction has read. An upload that
// finds neither was overtaken by a sweep and puts its bytes again. A crash
// anywhere leaves a blob with its mark, which a later sweep takes away.

// Source is where a package comes from: its bytes, or an object in a bucket.
type Source struct {
	Zip                        []byte
	Bucket, Key, ObjectVersion string
}

// upload is a package that was received and checked, not yet kept.
type upload struct {
	pkg  Package
	file blob.File
}

func (u *upload) close() { u.file.Close() }

// receive reads and checks a package.
func (s *Service) receive(ctx context.Context, src Source) (*upload, error) {
	var f blob.File
	limits := s.cfg.Limits
	switch {
	case src.Zip != nil && src.Bucket != "":
		return nil, invalid("Please do not provide other FunctionCode parameters when providing a ZipFile.")
	case src.Bucket != "" && src.Key != "":
		// From a bucket, only the unpacked size counts.
		limits.ZippedBytes = limits.UnpackedBytes
		spooled, err := s.spool(ctx, src, limits.ZippedBytes)
		if err != nil {
			return nil, err
		}
		f = spooled
	case len(src.Zip) > 0:
		f = memory{bytes.NewReader(src.Zip)}
	case src.Zip != nil:
		return nil, invalid("Uploaded file must be a non-empty zip")
	default:
		return nil, invalid("Please provide a source for function code.")
	}
	if f.Size() > limits.ZippedBytes && src.Zip != nil {
		f.Close()
		return nil, user(http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException",
			"The package must be smaller than %d bytes to be uploaded directly.", limits.ZippedBytes)
	}
	u, err := s.examine(ctx, f, limits)
	if err != nil {
		f.Close()
		return nil, err
	}
	return u, nil
}

// examine checks a package and measures it.
func (s *Service) examine(ctx context.Context, f blob.File, l code.Limits) (*upload, error) {
	info, err := code.Check(ctx, f, l)
	if err != nil {
		return nil, err
	}
	total, err := s.usage.total(ctx, s)
	if err != nil {
		return nil, err
	}
	if total.CodeBytes+f.Size() > maxCodeStorage {
		return nil, user(http.StatusBadRequest, "CodeStorageExceededException", "Code storage limit exceeded.")
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, f.Size())); err != nil {
		return nil, fmt.Errorf("read package: %w", err)
	}
	d := blob.Digest(hex.EncodeToString(h.Sum(nil)))
	return &upload{Package{Digest: d, Bytes: f.Size(), Unpacked: info.UnpackedBytes}, f}, nil
}

// errSwept says that a package was swept between its upload and its use.
var errSwept = errors.New("package is being swept")

// keepTries is how often an upload is repeated that meets a sweep; the waits
// between add up to longer than a sweep takes.
var keepTries = retry.Policy{Attempts: 8, Base: 20 * time.Millisecond, Max: time.Second}

// keep makes a package durable and runs fn in the transaction that must use it.
func (s *Service) keep(ctx context.Context, u *upload, fn func(store.Tx) error) error {
	err := retry.Do(ctx, keepTries, func(ctx context.Context) error {
		err := s.keepOnce(ctx, u, fn)
		if err != nil && !errors.Is(err, errSwept) {
			return retry.Stop(err)
		}
		return err
	})
	if errors.Is(err, errSwept) {
		return fault.New(http.StatusServiceUnavailable, "ServiceException", "An older copy of this package is being removed. Please try again.")
	}
	return err
}

func (s *Service) keepOnce(ctx context.Context, u *upload, fn func(store.Tx) error) error {
	d := u.pkg.Digest
	// A crash after this leaves a mark for a blob that may not be there, which
	// a sweep takes as well.
	var mark string
	err := s.cfg.Store.Update(ctx, func(tx store.Tx) (err error) {
		mark, err = s.announce(tx, d)
		return err
	})
	if err != nil {
		return fmt.Errorf("announce package: %w", err)
	}
	got, _, err := s.cfg.Blobs.Put(ctx, io.NewSectionReader(u.file, 0, u.file.Size()), u.file.Size())
	if err != nil {
		return fmt.Errorf("keep package: %w", err)
	}
	if got != d {
		return fmt.Errorf("keep package: its content changed while it was read")
	}
	err = s.change(ctx, func(tx store.Tx) error {
		if ok, err := s.reliable(tx, d, mark); err != nil || !ok {
			return errors.Join(err, errSwept)
		}
		return fn(tx)
	})
	if err == nil {
		s.usage.add(u.pkg.Bytes)
	}
	return err
}

// spool copies an object into a file that has no name any more, so that nothing
// is left of it whatever happens.
func (s *Service) spool(ctx context.Context, src Source, limit int64) (blob.File, error) {
	if s.cfg.Objects == nil {
		return nil, unsupported("S3Bucket")
	}
	r, err := s.cfg.Objects.Open(ctx, src.Bucket, src.Key, src.ObjectVersion)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	f, err := os.CreateTemp("", "mayfly-package-")
	if err != nil {
		return nil, fmt.Errorf("spool package: %w", err)
	}
	os.Remove(f.Name())
	n, err := io.Copy(f, io.LimitReader(r, limit+1))
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("spool package: %w", err)
	}
	return spooled{f, n}, nil
}

// memory and spooled are packages before they are blobs.
type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }

type spooled struct {
	*os.File
	size int64
}

func (f spooled) Size() int64 { return f.size }
