package auth

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/mayfly-cloud/mayfly/internal/id"
)

// maxOwnerFile bounds the files of credentials that are read.
const maxOwnerFile = 64 << 10

// ownerFile returns the content of a file that only its owner may read. If there is
// none it writes what make returns, whole and synced, or not at all; of two
// processes that do so at once, one's content stays and both return it. A
// file that others may read is refused: what it says is no secret any more.
func ownerFile(dir, name string, make func() ([]byte, error)) ([]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open data directory: %w", err)
	}
	defer root.Close()
	b, err := readOwned(root, name)
	if !errors.Is(err, fs.ErrNotExist) {
		return b, err
	}
	if b, err = make(); err != nil {
		return nil, err
	}
	if err := createOwned(root, name, b); err != nil {
		return nil, fmt.Errorf("create %s: %w", name, err)
	}
	return readOwned(root, name)
}

func readOwned(root *os.Root, name string) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read credentials: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read credentials: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s may be read by others than its owner (mode %v): "+
			"replace it, or chmod 600 it if nobody has", f.Name(), info.Mode().Perm())
	}
	b, err := io.ReadAll(io.LimitReader(f, maxOwnerFile))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Name(), err)
	}
	return b, nil
}

// createOwned writes a temporary file and links it to its name, which, unlike a
// rename, never replaces another's.
func createOwned(root *os.Root, name string, b []byte) error {
	return placeOwned(root, name, b, func(tmp string) error {
		if err := root.Link(tmp, name); !errors.Is(err, fs.ErrExist) {
			return err
		}
		return nil
	})
}

// replaceOwned writes a temporary file and renames it, in place of the one there is.
func replaceOwned(dir, name string, b []byte) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("open data directory: %w", err)
	}
	defer root.Close()
	return placeOwned(root, name, b, func(tmp string) error { return root.Rename(tmp, name) })
}

// placeOwned writes a temporary file, whole and synced, and has place give it its name.
func placeOwned(root *os.Root, name string, b []byte, place func(tmp string) error) error {
	tmp := "." + name + "." + id.Hex(8)
	f, err := root.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer root.Remove(tmp)
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := place(tmp); err != nil {
		return err
	}
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
