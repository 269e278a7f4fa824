package pebble_test

import (
	"os"
	"path"
	"strings"
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// slowSync is a file system whose syncs of a log can be held up.
type slowSync struct {
	vfs.FS
	gate sync.RWMutex
}

// hold stops syncs until the function it returns is called.
func (s *slowSync) hold() func() {
	s.gate.Lock()
	return s.gate.Unlock
}

func (s *slowSync) wrap(f vfs.File, err error, name string) (vfs.File, error) {
	if err != nil || !strings.HasSuffix(name, ".log") {
		return f, err
	}
	return &slowFile{f, s}, nil
}

func (s *slowSync) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := s.FS.Create(name, c)
	return s.wrap(f, err, name)
}

func (s *slowSync) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := s.FS.ReuseForWrite(old, name, c)
	return s.wrap(f, err, name)
}

type slowFile struct {
	vfs.File
	s *slowSync
}

func (f *slowFile) pass() {
	f.s.gate.RLock()
	f.s.gate.RUnlock() //nolint:staticcheck // only waits
}

func (f *slowFile) Sync() error     { f.pass(); return f.File.Sync() }
func (f *slowFile) SyncData() error { f.pass(); return f.File.SyncData() }

// smallDisk is a file system of limited size: what does not fit is refused as a
// full disk does, after writing what did fit. Its limit can change.
type smallDisk struct {
	vfs.FS
	mu    sync.Mutex
	limit int64
	sizes map[string]int64 // per file, by path
}

func newSmallDisk(inner vfs.FS, limit int64) *smallDisk {
	return &smallDisk{FS: inner, limit: limit, sizes: map[string]int64{}}
}

func (d *smallDisk) setLimit(n int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.limit = n
}

func (d *smallDisk) used() (n int64) {
	for _, size := range d.sizes {
		n += size
	}
	return n
}

func (d *smallDisk) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := d.FS.Create(name, c)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sizes[name] = 0
	return &smallFile{File: f, d: d, name: name}, nil
}

func (d *smallDisk) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := d.Remove(old); err != nil {
		return nil, err
	}
	return d.Create(name, c)
}

func (d *smallDisk) Remove(name string) error {
	err := d.FS.Remove(name)
	if err == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.sizes, name)
	}
	return err
}

func (d *smallDisk) Rename(old, name string) error {
	err := d.FS.Rename(old, name)
	if err == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.sizes[name] = d.sizes[old]
		delete(d.sizes, old)
	}
	return err
}

func (d *smallDisk) GetDiskUsage(string) (vfs.DiskUsage, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	used := d.used()
	return vfs.DiskUsage{TotalBytes: uint64(d.limit), UsedBytes: uint64(used), AvailBytes: uint64(max(0, d.limit-used))}, nil
}

type smallFile struct {
	vfs.File
	d    *smallDisk
	name string
}

func (f *smallFile) Write(p []byte) (int, error) {
	f.d.mu.Lock()
	fits := min(int64(len(p)), max(0, f.d.limit-f.d.used()))
	f.d.sizes[f.name] += fits
	f.d.mu.Unlock()
	n, err := f.File.Write(p[:fits])
	if err == nil && n < len(p) {
		err = &os.PathError{Op: "write", Path: path.Base(f.name), Err: syscall.ENOSPC}
	}
	return n, err
}
