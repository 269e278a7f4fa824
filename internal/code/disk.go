package code

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/mayfly-cloud/mayfly/internal/blob"
	"github.com/mayfly-cloud/mayfly/internal/id"
)

// tmpDir is where directories are made and unmade.
const tmpDir = "tmp"

// filler fills an empty directory, named relative to the cache's root, and says
// what its files weigh.
type filler func(ctx context.Context, tmp string) (int64, error)

// load empties tmp and takes over what an earlier run of this boot has left.
// Nothing tells how long ago each was used: it is evicted in any order.
func (c *Cache) load() error {
	if err := c.root.RemoveAll(tmpDir); err != nil {
		return fmt.Errorf("open code cache: %w", err)
	}
	if err := c.root.Mkdir(tmpDir, 0o700); err != nil {
		return fmt.Errorf("open code cache: %w", err)
	}
	entries, err := fs.ReadDir(c.root.FS(), ".")
	if err != nil {
		return fmt.Errorf("open code cache: %w", err)
	}
	for _, de := range entries {
		key, size, ok := strings.Cut(de.Name(), ".")
		bytes, err := strconv.ParseInt(size, 10, 64)
		if !ok || err != nil {
			continue // tmp
		}
		e := &cached{key: key, ready: make(chan struct{})}
		close(e.ready)
		c.entries[key] = e
		c.add(e, de.Name(), bytes)
	}
	return nil
}

// build makes a key's directory in tmp and gives it its name once complete.
func (c *Cache) build(key string, fill filler) (name string, bytes int64, err error) {
	tmp := tmpName()
	defer func() {
		if err != nil {
			c.root.RemoveAll(tmp) // or else the next start does
		}
	}()
	if err := c.root.Mkdir(tmp, 0o700); err != nil {
		return "", 0, fmt.Errorf("make code directory: %w", err)
	}
	if bytes, err = fill(c.life, tmp); err != nil {
		return "", 0, err
	}
	if err := c.root.Chmod(tmp, dirMode); err != nil {
		return "", 0, fmt.Errorf("make code directory: %w", err)
	}
	name = key + "." + strconv.FormatInt(bytes, 10)
	if err := c.root.Rename(tmp, name); err != nil {
		return "", 0, fmt.Errorf("make code directory: %w", err)
	}
	return name, bytes, nil
}

func (c *Cache) unpackBlob(ctx context.Context, d blob.Digest, tmp string) (int64, error) {
	f, err := c.blobs.Open(ctx, d)
	if err != nil {
		return 0, fmt.Errorf("open package: %w", err)
	}
	defer f.Close()
	root, err := c.root.OpenRoot(tmp)
	if err != nil {
		return 0, fmt.Errorf("open code directory: %w", err)
	}
	defer root.Close()
	return unpack(ctx, root, f)
}

// removeOthers removes what other boots have left in dir.
func removeOthers(dir, boot string) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return
	}
	defer root.Close()
	entries, _ := fs.ReadDir(root.FS(), ".")
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), bootPrefix) && e.Name() != boot {
			root.RemoveAll(e.Name())
		}
	}
}

const bootPrefix = "boot-"

// bootID names the running boot of the machine. Where the kernel doesn't tell,
// every start counts as another boot.
func bootID() string {
	b, err := os.ReadFile(filepath.Join("/proc/sys/kernel/random", "boot_id"))
	boot := strings.TrimSpace(string(b))
	if err != nil || boot == "" || strings.ContainsAny(boot, "/.") {
		boot = id.UUID()
	}
	return bootPrefix + boot
}
