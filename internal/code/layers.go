package code

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"syscall"

	"github.com/mayfly-cloud/mayfly/internal/blob"
)

// Layers gives one directory in which the packages of digests lie over each
// other, a later one's files before an earlier one's, as AWS merges layers into
// /opt. Files are hard links to the packages' own directories, so a merge costs
// no space but is counted in full: the links outlive what they were made from.
// The directory and release are as for Dir.
func (c *Cache) Layers(ctx context.Context, digests []blob.Digest) (dir string, release func(), err error) {
	switch len(digests) {
	case 0:
		return "", nil, errors.New("merge layers: none given")
	case 1:
		return c.Dir(ctx, digests[0])
	}
	h := sha256.New()
	for _, d := range digests {
		fmt.Fprintf(h, "%s\n", d)
	}
	return c.get(ctx, "layers-"+hex.EncodeToString(h.Sum(nil)), func(ctx context.Context, tmp string) (int64, error) {
		return c.merge(ctx, digests, tmp)
	})
}

func (c *Cache) merge(ctx context.Context, digests []blob.Digest, tmp string) (int64, error) {
	var total int64
	for _, d := range digests {
		dir, release, err := c.Dir(ctx, d)
		if err != nil {
			return 0, err
		}
		n, err := c.overlay(ctx, path.Base(dir), tmp)
		release()
		if err != nil {
			return 0, fmt.Errorf("merge layer: %w", err)
		}
		total += n
	}
	return total, nil
}

// overlay links everything below from, a directory of the cache, into to.
func (c *Cache) overlay(ctx context.Context, from, to string) (int64, error) {
	var total int64
	err := fs.WalkDir(c.root.FS(), from, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == from {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		target := path.Join(to, name[len(from)+1:])
		if d.IsDir() {
			return c.mergeDir(target)
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			total += info.Size()
		}
		return c.mergeFile(name, target)
	})
	return total, err
}

// mergeDir makes a directory, in place of what is there and is none.
func (c *Cache) mergeDir(name string) error {
	if info, err := c.root.Lstat(name); err == nil {
		if info.IsDir() {
			return nil
		}
		if err := c.root.Remove(name); err != nil {
			return err
		}
	}
	if err := c.root.Mkdir(name, 0o700); err != nil {
		return err
	}
	return c.root.Chmod(name, dirMode)
}

// mergeFile links a file or symbolic link, in place of whatever is there.
func (c *Cache) mergeFile(from, to string) error {
	err := c.root.Link(from, to)
	if errors.Is(err, syscall.EEXIST) {
		if err := c.root.RemoveAll(to); err != nil {
			return err
		}
		err = c.root.Link(from, to)
	}
	return err
}
