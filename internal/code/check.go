package code

import (
	"archive/zip"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/mayfly-cloud/mayfly/internal/blob"
)

// Info is what a checked package contains.
type Info struct {
	// Files counts the regular files and links.
	Files int
	// UnpackedBytes is what the files weigh together.
	UnpackedBytes int64
}

// Check reads a whole package and says whether it may be used: a zip archive
// within the limits whose names stay inside, without devices, duplicates or
// links that lead out, whose every file unpacks to exactly the size and
// checksum it declares. A refusal is a *fault.Error.
func Check(ctx context.Context, f blob.File, l Limits) (Info, error) {
	if f.Size() > l.ZippedBytes {
		return Info{}, invalid("Zipped size must be smaller than %d bytes", l.ZippedBytes)
	}
	entries, err := readEntries(f, l)
	if err != nil {
		return Info{}, err
	}
	var info Info
	buf := make([]byte, 64<<10)
	for _, e := range entries {
		if e.kind == dirEntry {
			continue
		}
		info.Files++
		info.UnpackedBytes += int64(e.zip.UncompressedSize64)
		if e.kind == linkEntry {
			continue // read and checked by readEntries
		}
		if err := ctx.Err(); err != nil {
			return Info{}, fmt.Errorf("check package: %w", err)
		}
		if err := e.copyTo(io.Discard, buf); err != nil {
			return Info{}, err
		}
	}
	if info.Files == 0 {
		return Info{}, invalid("Uploaded file must be a non-empty zip")
	}
	return info, nil
}

type entryKind int

const (
	fileEntry entryKind = iota
	dirEntry
	linkEntry
)

// entry is one checked name of an archive.
type entry struct {
	path string // clean, relative, slash-separated
	kind entryKind
	exec bool
	link string // a linkEntry's target, as written
	zip  *zip.File
}

// copyTo unpacks a file's content. zip.File fails at more or fewer bytes than
// declared and at a wrong checksum, so the sum of declared sizes is a true bound.
func (e entry) copyTo(w io.Writer, buf []byte) error {
	r, err := e.zip.Open()
	if err != nil {
		return badZip(fmt.Sprintf("%.100q: %v", e.path, err))
	}
	defer r.Close()
	if _, err := io.CopyBuffer(struct{ io.Writer }{w}, r, buf); err != nil {
		if zipFault(err) {
			return badZip(fmt.Sprintf("%.100q: %v", e.path, err))
		}
		return fmt.Errorf("unpack %q: %w", e.path, err)
	}
	return nil
}

// zipFault says whether an error came from the archive's bytes, rather than
// from reading or writing them.
func zipFault(err error) bool {
	var corrupt flate.CorruptInputError
	return errors.As(err, &corrupt) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, zip.ErrFormat) || errors.Is(err, zip.ErrAlgorithm) || errors.Is(err, zip.ErrChecksum)
}

// readEntries reads an archive's directory and checks all that can be checked without
// unpacking: counts, declared sizes, names, kinds and where links lead.
func readEntries(f blob.File, l Limits) ([]entry, error) {
	src := &directoryReader{ReaderAt: f, left: maxDirectory}
	zr, err := zip.NewReader(src, f.Size())
	if err != nil {
		return nil, badZip(err.Error())
	}
	src.lifted = true
	if len(zr.File) > l.Entries {
		return nil, invalid("The package lists %d entries; at most %d are taken", len(zr.File), l.Entries)
	}
	entries := make([]entry, 0, len(zr.File))
	var total int64
	for _, zf := range zr.File {
		if zf.UncompressedSize64 > uint64(l.UnpackedBytes) || total+int64(zf.UncompressedSize64) > l.UnpackedBytes {
			return nil, invalid("Unzipped size must be smaller than %d bytes", l.UnpackedBytes)
		}
		total += int64(zf.UncompressedSize64)
		e, err := newEntry(zf)
		if err != nil {
			return nil, err
		}
		if e.path != "." {
			entries = append(entries, e)
		}
	}
	if err := checkTree(entries); err != nil {
		return nil, err
	}
	return entries, nil
}

// newEntry checks one name by itself.
func newEntry(zf *zip.File) (entry, error) {
	e := entry{zip: zf}
	if zf.Flags&0x1 != 0 {
		return e, badZip(fmt.Sprintf("%.100q is encrypted", zf.Name))
	}
	path, isDir, err := cleanPath(zf.Name)
	if err != nil {
		return e, err
	}
	e.path = path
	mode := zf.Mode()
	switch {
	case mode.IsDir() || isDir:
		e.kind = dirEntry
		if zf.UncompressedSize64 > 0 {
			return e, badZip(fmt.Sprintf("the directory %.100q has content", path))
		}
	case mode.IsRegular():
		e.exec = mode&0o111 != 0
	case mode&fs.ModeType == fs.ModeSymlink:
		e.kind = linkEntry
		if e.link, err = readLink(zf); err != nil {
			return e, err
		}
	default:
		return e, badZip(fmt.Sprintf("%.100q is neither a file, a directory nor a link", path))
	}
	return e, nil
}

func readLink(zf *zip.File) (string, error) {
	if zf.UncompressedSize64 > maxLink {
		return "", badZip(fmt.Sprintf("the link %.100q is longer than %d bytes", zf.Name, maxLink))
	}
	r, err := zf.Open()
	if err != nil {
		return "", badZip(fmt.Sprintf("%.100q: %v", zf.Name, err))
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxLink+1))
	if err != nil {
		return "", badZip(fmt.Sprintf("%.100q: %v", zf.Name, err))
	}
	return string(b), nil
}

// directoryReader bounds what reading an archive's directory may cost. The zip
// package makes a record for every 46 bytes it finds there, whatever number the
// archive declares, so its bytes are what has to be bounded. Files have bounds
// of their own and are read once the budget has been lifted.
type directoryReader struct {
	io.ReaderAt
	left   int64
	lifted bool
}

// maxDirectory is the most an archive's directory may weigh: room for
// Default.Entries names of average length, and then some.
const maxDirectory = 24 << 20

func (d *directoryReader) ReadAt(p []byte, off int64) (int, error) {
	if !d.lifted {
		if d.left -= int64(len(p)); d.left < 0 {
			return 0, fmt.Errorf("its directory is larger than %d bytes", maxDirectory)
		}
	}
	return d.ReaderAt.ReadAt(p, off)
}
