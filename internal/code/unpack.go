package code

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/mayfly-cloud/mayfly/internal/blob"
)

// Modes of what is unpacked: code runs under another user id than ours and
// must be able to read everything, whatever modes its archive has.
const (
	dirMode  fs.FileMode = 0o755
	fileMode fs.FileMode = 0o644
	execMode fs.FileMode = 0o755
)

// unpack writes a package below an empty directory of root. It gives the bytes
// its files weigh. What it leaves on an error is the caller's to remove.
func unpack(ctx context.Context, root *os.Root, f blob.File) (int64, error) {
	// The package was checked against its upload's limits when it was accepted;
	// here they only guard against a blob that is none of ours.
	entries, err := readEntries(f, Limits{ZippedBytes: f.Size(), UnpackedBytes: Default.UnpackedBytes, Entries: Default.Entries})
	if err != nil {
		return 0, err
	}
	made := map[string]bool{".": true}
	for _, e := range entries {
		dir := e.path
		if e.kind != dirEntry {
			dir = path.Dir(e.path)
		}
		if err := makeDirs(root, made, dir); err != nil {
			return 0, err
		}
	}
	return writeFiles(ctx, root, entries)
}

// writeFiles writes the files side by side: unpacking is bound by inflate on a
// large package and by system calls on one of many files.
func writeFiles(ctx context.Context, root *os.Root, entries []entry) (int64, error) {
	workers := min(runtime.GOMAXPROCS(0), 4, 1+len(entries)/16)
	var total int64
	for _, e := range entries {
		total += int64(e.zip.UncompressedSize64)
	}
	g, ctx := errgroup.WithContext(ctx)
	for w := range workers {
		g.Go(func() error {
			buf := make([]byte, 64<<10)
			for i := w; i < len(entries); i += workers {
				if err := ctx.Err(); err != nil {
					return fmt.Errorf("unpack: %w", err)
				}
				if err := writeEntry(root, entries[i], buf); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return total, g.Wait()
}

func writeEntry(root *os.Root, e entry, buf []byte) error {
	switch e.kind {
	case dirEntry:
		return nil
	case linkEntry:
		if err := root.Symlink(e.link, e.path); err != nil {
			return fmt.Errorf("unpack link: %w", err)
		}
		return nil
	}
	f, err := root.OpenFile(e.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	defer f.Close()
	if err := e.copyTo(f, buf); err != nil {
		return err
	}
	mode := fileMode
	if e.exec {
		mode = execMode
	}
	if err := f.Chmod(mode); err != nil { // not left to the umask
		return fmt.Errorf("unpack: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	return nil
}

// makeDirs makes dir and its parents, each once.
func makeDirs(root *os.Root, made map[string]bool, dir string) error {
	if made[dir] {
		return nil
	}
	if err := makeDirs(root, made, path.Dir(dir)); err != nil {
		return err
	}
	if err := root.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	if err := root.Chmod(dir, dirMode); err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	made[dir] = true
	return nil
}
