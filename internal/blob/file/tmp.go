package file

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// begins bounds how often a new file is made that a sweep has taken away.
const begins = 10

// errTaken says that another process is sweeping the file away.
var errTaken = errors.New("half-written file was swept away")

// begin makes a file to write into, locked for as long as it is open: that is how
// other processes know that it is not left behind.
func begin(root *os.Root) (name string, f *os.File, err error) {
	for range begins {
		name = path.Join(tmp, rand.Text())
		if f, err = root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
			return "", nil, err
		}
		if err = lock(f); err == nil {
			if _, err = root.Lstat(name); err == nil {
				return name, f, nil
			}
		}
		err = errors.Join(errTaken, err, f.Close()) // swept between its making and its lock
	}
	return "", nil, err
}

func lock(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }

// sweep removes what nobody is writing.
func sweep(root *os.Root) error {
	if info, err := root.Lstat(tmp); err == nil && !info.IsDir() {
		if err := root.RemoveAll(tmp); err != nil {
			return err
		}
	}
	if err := root.Mkdir(tmp, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	left, err := fs.ReadDir(root.FS(), tmp)
	if err != nil {
		return err
	}
	for _, entry := range left {
		if err := sweepOne(root, path.Join(tmp, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

func sweepOne(root *os.Root, name string) error {
	info, err := root.Lstat(name)
	if err != nil {
		return ignoreMissing(err) // finished, or swept by another
	}
	if !info.Mode().IsRegular() { // no work of ours, and opening it may wait for ever
		return root.RemoveAll(name)
	}
	f, err := root.Open(name)
	if err != nil {
		return ignoreMissing(err)
	}
	defer f.Close()
	err = lock(f)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil // being written
	}
	if err != nil {
		return err
	}
	return ignoreMissing(root.Remove(name))
}
